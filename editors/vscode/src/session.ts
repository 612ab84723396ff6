/** Keeps one language server running for this window, and tells the user once when that cannot be done. */

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import {
  type ConfigurationChangeEvent,
  commands,
  type LogOutputChannel,
  type Position,
  type TextDocument,
  type TextEditor,
  window,
  workspace,
} from "vscode";
import type { LanguageClient } from "vscode-languageclient/node";

import { chosenSettings, type Setting } from "./configuration.ts";
import { Crashes } from "./crashes.ts";
import { findProgram } from "./find.ts";
import type { Ghost } from "./ghost.ts";
import { install } from "./install.ts";
import * as protocol from "./protocol.ts";
import type { Status } from "./status.ts";

const QUIET_MS = 1_000;
/** A cursor that stays this long where it was put has come to rest. */
const REST_MS = 100;

export interface Surroundings {
  log: LogOutputChannel;
  status: Status;
  ghost: Ghost;
  settings: Setting[];
  /** Where this extension may keep files. */
  folder: string;
}

export class Session {
  private client: LanguageClient | undefined;
  /** True once a server has answered; before, its end is a start that failed. */
  private answered = false;
  private readonly crashes = new Crashes();
  private refreshing: NodeJS.Timeout | undefined;
  private resting: NodeJS.Timeout | undefined;
  /** Starts and stops follow one another, however fast they are asked for. */
  private queue: Promise<void> = Promise.resolve();

  constructor(private readonly here: Surroundings) {}

  start(): Promise<void> {
    return this.next(() => this.startNow());
  }

  stop(): Promise<void> {
    return this.next(() => this.stopNow());
  }

  restart(): Promise<void> {
    this.crashes.forget();
    return this.next(async () => {
      await this.stopNow();
      await this.startNow();
    });
  }

  /** Ask the server to carry out one of its commands; undefined where none is running. */
  async ask<Answer>(command: string, ...parameters: unknown[]): Promise<Answer | undefined> {
    return await this.client?.sendRequest<Answer>("workspace/executeCommand", { command, arguments: parameters });
  }

  async notify(method: string, parameters: object): Promise<void> {
    if (this.client?.isRunning()) {
      await this.client.sendNotification(method, parameters);
    }
  }

  /** The user looks at another document, or at none. */
  focus(document: TextDocument | undefined, position?: Position): void {
    void this.notify(protocol.didFocus, document ? { textDocument: { uri: document.uri.toString() }, position } : {});
  }

  /** The cursor was moved without typing: once it rests, the server prepares for the first key there. */
  rest(editor: TextEditor): void {
    clearTimeout(this.resting);
    this.resting = setTimeout(() => this.focus(editor.document, editor.selection.active), REST_MS);
  }

  configurationChanged(change: ConfigurationChangeEvent): void {
    // A server takes its model, its engine and its own program from the user only, when it starts.
    if (this.here.settings.some(({ name, machine }) => machine && change.affectsConfiguration(`fimserver.${name}`))) {
      void this.restart();
    } else if (change.affectsConfiguration("fimserver")) {
      void this.notify("workspace/didChangeConfiguration", { settings: { fimserver: this.chosen() } });
    }
  }

  private next(step: () => Promise<void>): Promise<void> {
    this.queue = this.queue.then(step);
    return this.queue;
  }

  private async startNow(): Promise<void> {
    const { log, status, ghost, folder } = this.here;
    const own = workspace.getConfiguration("fimserver.server");
    const program = findProgram({
      configured: own.get("command", ""),
      path: process.env["PATH"] ?? "",
      managed: join(folder, "environment"),
      windows: process.platform === "win32",
    });
    if (typeof program === "string") {
      this.missing(program);
      return;
    }
    log.info(`Starting ${program.command} (found in: ${program.origin}).`);
    status.server("Inactive", "Starting.", true);
    const { newClient } = await import("./client.ts"); // a large library, which the window need not wait for
    const client = newClient({
      program,
      arguments: own.get("arguments", ["serve"]),
      settings: () => this.chosen(),
      log,
      suggestions: ghost.provide,
      ended: () => this.ended(),
    });
    client.onNotification(protocol.didChangeStatus, (said: protocol.ServerStatus) => {
      status.server(said.kind, said.message, said.busy);
      this.refreshFactsSoon();
    });
    // In place of the library's own handler, whose messages have no button.
    client.onNotification(protocol.showMessage, (said: protocol.ServerMessage) => void this.told(said));
    this.client = client;
    this.answered = false;
    ghost.listener = (method, parameters) => void this.notify(method, parameters);
    try {
      await client.start();
      this.answered = true;
      this.focus(window.activeTextEditor?.document);
    } catch (error) {
      log.error(`The server did not start: ${error}`);
      this.failed("The language server fimserver did not start.");
    }
  }

  private async stopNow(): Promise<void> {
    const client = this.client;
    this.client = undefined;
    clearTimeout(this.refreshing);
    this.here.status.server("Inactive", "Stopped.");
    // A client that never came up cannot be stopped, and need not be.
    await client?.dispose().catch((error: unknown) => this.here.log.debug(`${error}`));
  }

  /** Ask for what the tooltip shows once the server has been quiet for a while: never while somebody types. */
  private refreshFactsSoon(): void {
    clearTimeout(this.refreshing);
    this.refreshing = setTimeout(async () => {
      const facts = await this.ask<protocol.ServerFacts>(protocol.statusCommand).catch(() => undefined);
      this.here.status.facts(facts ?? {});
    }, QUIET_MS);
  }

  private chosen(): object {
    return chosenSettings(this.here.settings);
  }

  private ended(): boolean {
    if (!this.answered) {
      return false;
    }
    const again = this.crashes.another(Date.now());
    this.here.log.warn(`The server ended by itself; ${again ? "it is started again" : "it stays stopped"}.`);
    if (again) {
      this.here.status.server("Warning", "Starting again after a crash.", true);
    } else {
      this.failed("The language server fimserver ended five times within three minutes and stays stopped.");
    }
    return again;
  }

  private failed(sentence: string): void {
    this.here.status.server("Error", sentence);
    void this.offer(sentence, { "Show Log": () => this.here.log.show(), Restart: () => this.restart() });
  }

  /** Show what the server says. Trouble has the button that helps: settings are mended where they are, all else anew. */
  private async told({ type, message }: protocol.ServerMessage): Promise<void> {
    if (type > protocol.warning) {
      void window.showInformationMessage(message);
    } else if (message.startsWith(protocol.settingsProblem)) {
      await this.offer(message, { "Open Settings": () => commands.executeCommand("fimserver.settings") });
    } else {
      await this.offer(message, {
        "Restart the Engine": () => this.ask(protocol.restartEngineCommand),
        "Choose Model…": () => commands.executeCommand("fimserver.chooseModel"),
      });
    }
  }

  private missing(sentence: string): void {
    this.here.status.server("Error", sentence);
    void this.offer(sentence, {
      "Install…": () => this.installThenStart(),
      "Choose Program…": () => commands.executeCommand("workbench.action.openSettings", "fimserver.server.command"),
    });
  }

  private async installThenStart(): Promise<void> {
    mkdirSync(this.here.folder, { recursive: true });
    const problem = await install(join(this.here.folder, "environment"), this.here.log);
    if (problem) {
      this.failed(problem);
    } else {
      await this.restart();
    }
  }

  private async offer(sentence: string, buttons: Record<string, () => unknown>): Promise<void> {
    const chosen = await window.showErrorMessage(sentence, ...Object.keys(buttons));
    await buttons[chosen ?? ""]?.();
  }
}
