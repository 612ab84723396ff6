/** The commands of the palette, as a table. */

import { commands, type Disposable, type LogOutputChannel, window } from "vscode";

import { choose } from "./choose.ts";
import type { Ghost } from "./ghost.ts";
import { guarded } from "./guarded.ts";
import { chooseModel } from "./models.ts";
import * as protocol from "./protocol.ts";
import { selectionCommands } from "./selection.ts";
import type { Session } from "./session.ts";
import type { Switches } from "./switches.ts";

/** Return the registrations of every command but the server's own, which the client library registers. */
export function registerCommands(session: Session, ghost: Ghost, switches: Switches, log: LogOutputChannel): Disposable[] {
  const table: Record<string, () => unknown> = {
    accept: () => commands.executeCommand("editor.action.inlineSuggest.commit"),
    acceptWord: () => ghost.acceptPart("editor.action.inlineSuggest.acceptNextWord"),
    acceptLine: () => ghost.acceptPart("editor.action.inlineSuggest.acceptNextLine"),
    next: () => commands.executeCommand("editor.action.inlineSuggest.showNext"),
    previous: () => commands.executeCommand("editor.action.inlineSuggest.showPrevious"),
    trigger: () => commands.executeCommand("editor.action.inlineSuggest.trigger"),
    toggle: () => switches.toggle(),
    toggleLanguage: () => switches.toggleLanguage(),
    snooze: () => switches.snooze(),
    restart: () => session.restart(),
    showLog: () => log.show(),
    showWhy: () => showWhy(session),
    chooseModel: () => guarded(() => chooseModel(session)),
    settings: () => commands.executeCommand("workbench.action.openSettings", "@ext:fimserver.fimserver"),
    menu: () => showMenu(),
    ...selectionCommands(session),
  };
  return Object.entries(table).map(([name, run]) => commands.registerCommand(`fimserver.${name}`, run));
}

/** What the status item offers. */
const MENU = {
  editHere: "$(sparkle) Explain or change the selection",
  reviewHere: "$(checklist) Review",
  showWhy: "$(question) Why is nothing suggested?",
  toggle: "$(circle-slash) Switch suggestions on or off",
  toggleLanguage: "$(file-code) Switch them on or off for this language",
  snooze: "$(bell-slash) Silence for 5 minutes, or end the silence",
  chooseModel: "$(database) Choose a model",
  settings: "$(gear) Settings",
  showLog: "$(output) Show the log",
  restart: "$(debug-restart) Restart the server",
};

async function showMenu(): Promise<void> {
  const chosen = await choose("fimserver", MENU);
  if (chosen) {
    await commands.executeCommand(`fimserver.${chosen}`);
  }
}

async function showWhy(session: Session): Promise<void> {
  const answer = await session.ask<string>(protocol.whyCommand);
  void window.showInformationMessage(answer || "fimserver has not been asked for a suggestion yet.");
}
