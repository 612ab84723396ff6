/** Shows the condition of the server in the status bar. */

import { MarkdownString, type StatusBarItem, StatusBarAlignment, ThemeColor, window } from "vscode";

import type { ServerFacts, ServerStatus } from "./protocol.ts";
import { type Condition, render } from "./render.ts";

const BACKGROUNDS = {
  none: undefined,
  warning: new ThemeColor("statusBarItem.warningBackground"),
  error: new ThemeColor("statusBarItem.errorBackground"),
};

export class Status {
  private readonly item: StatusBarItem;
  private condition: Condition = {
    server: { kind: "Inactive", busy: false, message: "Not running." },
    facts: {},
    switchedOff: "",
  };

  constructor() {
    this.item = window.createStatusBarItem("status", StatusBarAlignment.Right, 100);
    this.item.name = "fimserver";
    this.item.command = "fimserver.menu";
    this.draw();
    this.item.show();
  }

  /** Show what the server, or whoever starts it, says of the server. */
  server(kind: ServerStatus["kind"], message: string, busy = false): void {
    this.update({ server: { kind, message, busy } });
  }

  facts(facts: Partial<ServerFacts>): void {
    this.update({ facts });
  }

  switchedOff(why: string): void {
    this.update({ switchedOff: why });
  }

  dispose(): void {
    this.item.dispose();
  }

  private update(part: Partial<Condition>): void {
    this.condition = { ...this.condition, ...part };
    this.draw();
  }

  private draw(): void {
    const { text, tooltip, severity } = render(this.condition);
    this.item.text = text;
    this.item.tooltip = new MarkdownString(tooltip, true);
    this.item.backgroundColor = BACKGROUNDS[severity];
    this.item.accessibilityInformation = { label: tooltip.replaceAll("**", ""), role: "button" };
  }
}
