/**
 * Turns VS Code's start and end into a running language server and its end.
 *
 * VS Code does the rest itself: the client library registers the server's suggestions as ghost text, and everything
 * that decides what is suggested lives in the server.
 */

import { type ExtensionContext, TextEditorSelectionChangeKind, window, workspace } from "vscode";

import { registerCommands } from "./commands.ts";
import { declaredSettings } from "./configuration.ts";
import { Ghost } from "./ghost.ts";
import { Session } from "./session.ts";
import { Status } from "./status.ts";
import { Switches } from "./switches.ts";

let session: Session | undefined;

export function activate(context: ExtensionContext): void {
  const log = window.createOutputChannel("fimserver", { log: true });
  const status = new Status();
  const switches = new Switches(status);
  const ghost = new Ghost(switches);
  session = new Session({
    log,
    status,
    ghost,
    settings: declaredSettings(context.extension.packageJSON),
    folder: context.globalStorageUri.fsPath,
  });
  context.subscriptions.push(
    log,
    status,
    switches,
    ...registerCommands(session, ghost, switches, log),
    workspace.onDidChangeConfiguration((change) => session?.configurationChanged(change)),
    window.onDidChangeActiveTextEditor((editor) => session?.focus(editor?.document, editor?.selection.active)),
    window.onDidChangeTextEditorSelection(({ textEditor, kind }) => {
      if (kind !== TextEditorSelectionChangeKind.Keyboard) {
        session?.rest(textEditor);
      }
    }),
  );
  setImmediate(() => void session?.start()); // the window does not wait for it
}

export async function deactivate(): Promise<void> {
  await session?.stop();
}
