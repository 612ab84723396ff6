/** Stands between VS Code and the server's suggestions: holds them back when switched off, and reports their fate. */

import {
  commands,
  type InlineCompletionItem,
  InlineCompletionList,
  type Position,
  Range,
  type TextDocument,
  window,
} from "vscode";
import type { Middleware } from "vscode-languageclient/node";

import * as protocol from "./protocol.ts";
import type { Switches } from "./switches.ts";

type Provide = NonNullable<Middleware["provideInlineCompletionItems"]>;

interface Shown {
  document: TextDocument;
  item: InlineCompletionItem;
}

export class Ghost {
  /** Who is told of shown and partly accepted suggestions. */
  listener: (method: string, parameters: object) => void = () => {};
  private shown: Shown | undefined;

  constructor(private readonly switches: Switches) {}

  /** The client library's hook around the request for suggestions. */
  readonly provide: Provide = async (document, position, context, token, ask) => {
    if (this.switches.whyOff(document.languageId)) {
      return [];
    }
    const answer = await ask(document, position, context, token);
    const [first] = answer instanceof InlineCompletionList ? answer.items : (answer ?? []);
    if (first && !token.isCancellationRequested) {
      this.shown = { document, item: first };
      this.listener(protocol.didShowCompletion, { item: wireItem(first) });
    }
    return answer;
  };

  /** Accept the next word or line with VS Code's own command, and report how much of the suggestion stands now. */
  async acceptPart(command: string): Promise<void> {
    const shown = this.shown;
    await commands.executeCommand(command);
    const editor = window.activeTextEditor;
    if (shown?.item.range && editor?.document === shown.document) {
      const accepted = shown.document.getText(new Range(shown.item.range.start, editor.selection.active));
      this.listener(protocol.didPartiallyAcceptCompletion, {
        item: wireItem(shown.item),
        // A suggestion's lines end with \n, whatever those of the document end with.
        acceptedLength: accepted.replaceAll("\r\n", "\n").length,
      });
    }
  }
}

/** Return a suggestion as the server sent it: its command's arguments identify it. */
function wireItem({ insertText, range, command }: InlineCompletionItem): object {
  return {
    insertText: textOf(insertText),
    range: range && { start: wirePosition(range.start), end: wirePosition(range.end) },
    command,
  };
}

function wirePosition({ line, character }: Position): object {
  return { line, character };
}

function textOf(insertText: InlineCompletionItem["insertText"]): string {
  return typeof insertText === "string" ? insertText : insertText.value;
}
