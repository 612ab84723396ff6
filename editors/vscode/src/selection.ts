/** The commands on a selection that need words or a choice, and the commit message: asked for here, done by the server. */

import { commands, extensions, languages, type QuickPickItem, Range, type TextEditor, Uri, window, workspace } from "vscode";

import type { Session } from "./session.ts";

interface Choice extends QuickPickItem {
  name: string;
}

/** The server's commands on a part of a file: fimserver.<name>. */
const EDITS: Choice[] = [
  { name: "explain", label: "$(book) Explain" },
  { name: "docstring", label: "$(comment) Write its documentation" },
  { name: "simplify", label: "$(sparkle) Simplify" },
  { name: "types", label: "$(symbol-parameter) Add types" },
  { name: "tests", label: "$(beaker) Write tests" },
  { name: "fix", label: "$(wrench) Fix what is complained about" },
  { name: "instruct", label: "$(edit) Change as I say…" },
];

const REVIEWS: Choice[] = [
  { name: "selection", label: "$(selection) The selection" },
  { name: "function", label: "$(symbol-method) The function at the cursor" },
  { name: "file", label: "$(file-code) The file" },
  { name: "changes", label: "$(diff) What is not committed yet" },
  { name: "staged", label: "$(git-commit) What is staged" },
  { name: "base", label: "$(git-branch) What changed since the branch left main" },
];

/** Return the commands of the palette that this module adds, by name. */
export function selectionCommands(session: Session): Record<string, () => unknown> {
  return {
    editHere: () => guarded(() => edit(session)),
    changeHere: () => guarded(() => edit(session, "instruct")),
    reviewHere: () => guarded(() => review(session)),
    writeCommitMessage: () => guarded(() => writeCommitMessage(session)),
  };
}

/** What the server refuses it says in a sentence for the user. */
async function guarded(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    void window.showErrorMessage(`fimserver: ${error instanceof Error ? error.message : String(error)}`);
  }
}

async function edit(session: Session, chosen?: string): Promise<void> {
  const editor = window.activeTextEditor;
  const name = chosen ?? (await window.showQuickPick(EDITS, { title: "fimserver" }))?.name;
  if (!editor || !name) {
    return;
  }
  const instruction = name === "instruct" ? await window.showInputBox({ prompt: "What is to be changed?" }) : "";
  if (instruction === undefined) {
    return;
  }
  const options = { version: editor.document.version, instruction, diagnostics: name === "fix" ? complaints(editor) : [] };
  const answer = await session.ask<{ markdown?: string }>(
    `fimserver.${name}`,
    editor.document.uri.toString(),
    plain(editor.selection),
    options,
  );
  if (answer?.markdown) {
    const document = await workspace.openTextDocument({ language: "markdown", content: answer.markdown });
    await commands.executeCommand("markdown.showPreviewToSide", document.uri);
  }
}

async function review(session: Session): Promise<void> {
  const editor = window.activeTextEditor;
  const what = (await window.showQuickPick(REVIEWS, { title: "Review" }))?.name;
  if (!editor || !what) {
    return;
  }
  const answer = await session.ask<{ findings: number }>(
    "fimserver.review",
    what,
    editor.document.uri.toString(),
    plain(editor.selection),
  );
  if (answer?.findings) {
    await commands.executeCommand("workbench.actions.view.problems");
  }
}

/** Only what the git extension is needed for here. */
interface Git {
  getAPI(version: 1): { repositories: { rootUri: Uri; inputBox: { value: string } }[] };
}

async function writeCommitMessage(session: Session): Promise<void> {
  const git = await extensions.getExtension<Git>("vscode.git")?.activate();
  const repositories = git?.getAPI(1).repositories ?? [];
  const open = window.activeTextEditor?.document.uri.fsPath ?? "";
  const repository = repositories.find(({ rootUri }) => open.startsWith(rootUri.fsPath)) ?? repositories[0];
  if (!repository) {
    throw new Error("There is no git repository in this window.");
  }
  const answer = await session.ask<{ message: string }>("fimserver.commitMessage", repository.rootUri.toString());
  if (answer) {
    repository.inputBox.value = answer.message;
  }
}

/** What other extensions say of the selected lines, or of the cursor's. */
function complaints(editor: TextEditor): object[] {
  const { start, end } = editor.selection;
  const lines = new Range(start.line, 0, end.line + 1, 0);
  return languages
    .getDiagnostics(editor.document.uri)
    .filter(({ range, source }) => source !== "fimserver" && lines.intersection(range))
    .map(({ message, range }) => ({ message, range: plain(range) }));
}

/** A range as the protocol writes it. */
function plain({ start, end }: Range): object {
  return {
    start: { line: start.line, character: start.character },
    end: { line: end.line, character: end.character },
  };
}
