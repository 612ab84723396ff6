/** The ways to switch suggestions off: for good, for a language, or for five minutes. */

import { ConfigurationTarget, type Disposable, window, workspace } from "vscode";

import type { Status } from "./status.ts";

const SNOOZE_MINUTES = 5;

export class Switches {
  private snoozedUntil: NodeJS.Timeout | undefined;
  private readonly listeners: Disposable[];

  constructor(private readonly status: Status) {
    this.listeners = [
      window.onDidChangeActiveTextEditor(() => this.draw()),
      workspace.onDidChangeConfiguration(() => this.draw()),
    ];
    this.draw();
  }

  /** Return why nothing is suggested in a language: a sentence, or an empty one. */
  whyOff(language: string | undefined): string {
    if (this.snoozedUntil) {
      return "Silent for some minutes.";
    }
    const settings = workspace.getConfiguration("fimserver.completion");
    if (!settings.get("enabled", true)) {
      return "Switched off.";
    }
    const off = language !== undefined && settings.get<string[]>("disabled_languages", []).includes(language);
    return off ? `Switched off for ${language}.` : "";
  }

  async toggle(): Promise<void> {
    const settings = workspace.getConfiguration("fimserver.completion");
    await settings.update("enabled", !settings.get("enabled", true), ConfigurationTarget.Global);
  }

  async toggleLanguage(): Promise<void> {
    const language = window.activeTextEditor?.document.languageId;
    if (language === undefined) {
      return;
    }
    const settings = workspace.getConfiguration("fimserver.completion");
    const off = settings.get<string[]>("disabled_languages", []);
    const changed = off.includes(language) ? off.filter((name) => name !== language) : [...off, language];
    await settings.update("disabled_languages", changed, ConfigurationTarget.Global);
  }

  /** Be silent for some minutes; asked for again, speak at once. */
  snooze(): void {
    if (this.snoozedUntil) {
      this.wake();
    } else {
      this.snoozedUntil = setTimeout(() => this.wake(), SNOOZE_MINUTES * 60_000);
      this.draw();
    }
  }

  dispose(): void {
    clearTimeout(this.snoozedUntil);
    for (const listener of this.listeners) {
      listener.dispose();
    }
  }

  private wake(): void {
    clearTimeout(this.snoozedUntil);
    this.snoozedUntil = undefined;
    this.draw();
  }

  private draw(): void {
    this.status.switchedOff(this.whyOff(window.activeTextEditor?.document.languageId));
  }
}
