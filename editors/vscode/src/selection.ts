/** The commands on a selection that need words or a choice, and the commit message: asked for here, done by the server. */

import { commands, extensions, languages, Range, type TextEditor, Uri, window } from "vscode";

import { choose } from "./choose.ts";
import { guarded } from "./guarded.ts";
import { shown } from "./markdown.ts";
import type { Session } from "./session.ts";

/** The server's commands on a part of a file: fimserver.<name>. */
const EDITS = {
  explain: "$(book) Explain",
  docstring: "$(comment) Write its documentation",
  simplify: "$(sparkle) Simplify",
  types: "$(symbol-parameter) Add types",
  tests: "$(beaker) Write tests",
  fix: "$(wrench) Fix what is complained about",
  instruct: "$(edit) Change as I say…",
};

/** What the server can review. */
const REVIEWS = {
  selection: "$(selection) The selection",
  function: "$(symbol-method) The function at the cursor",
  file: "$(file-code) The file",
  changes: "$(diff) What is not committed yet",
  staged: "$(git-commit) What is staged",
  base: "$(git-branch) What changed since the branch left main",
};

/** Return the commands of the palette that this module adds, by name. */
export function selectionCommands(session: Session): Record<string, () => unknown> {
  return {
    editHere: () => guarded(() => edit(session)),
    changeHere: () => guarded(() => edit(session, "instruct")),
    reviewHere: () => guarded(() => review(session)),
    writeCommitMessage: () => guarded(() => writeCommitMessage(session)),
  };
}

async function edit(session: Session, chosen?: string): Promise<void> {
  const editor = window.activeTextEditor;
  const name = chosen ?? (await choose("fimserver", EDITS));
  if (!editor || !name) {
    return;
  }
  const instruction = name === "instruct" ? await window.showInputBox({ prompt: "What is to be changed?" }) : "";
  if (instruction === undefined) {
    return;
  }
  const options = { version: editor.document.version, instruction, diagnostics: name === "fix" ? complaints(editor) : [] };
  await shown(await session.ask(`fimserver.${name}`, editor.document.uri.toString(), plain(editor.selection), options));
}

async function review(session: Session): Promise<void> {
  const editor = window.activeTextEditor;
  const what = await choose("Review", REVIEWS);
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
