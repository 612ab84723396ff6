/** Turns a program and the user's settings into a client of the language server. */

import type { LogOutputChannel } from "vscode";
import {
  CloseAction,
  ErrorAction,
  LanguageClient,
  type LanguageClientOptions,
  type Middleware,
  RevealOutputChannelOn,
  type StaticFeature,
} from "vscode-languageclient/node";

import type { Program } from "./find.ts";
import { shown } from "./markdown.ts";

export interface ClientOptions {
  program: Program;
  arguments: string[];
  settings: () => object;
  log: LogOutputChannel;
  suggestions: Middleware["provideInlineCompletionItems"];
  /** Called when the server has ended by itself; the answer says whether to start it again. */
  ended: () => boolean;
}

/** Return a client that is not started yet. */
export function newClient(options: ClientOptions): LanguageClient {
  const clientOptions: LanguageClientOptions = {
    documentSelector: [{ scheme: "file" }, { scheme: "untitled" }, { scheme: "vscode-notebook-cell" }],
    initializationOptions: options.settings,
    outputChannel: options.log,
    revealOutputChannelOn: RevealOutputChannelOn.Never,
    middleware: {
      provideInlineCompletionItems: options.suggestions,
      executeCommand: async (command, parameters, run) => shown(await run(command, parameters)),
      workspace: {
        configuration: (params) => params.items.map(() => options.settings()),
        // The library would send all settings, defaults and our own among them; the session sends those that were set.
        didChangeConfiguration: async () => {},
      },
    },
    initializationFailedHandler: () => false,
    errorHandler: {
      error: () => ({ action: ErrorAction.Continue, handled: true }),
      closed: () => ({ action: options.ended() ? CloseAction.Restart : CloseAction.DoNotRestart, handled: true }),
    },
  };
  const { command } = options.program;
  const client = new QuietClient("fimserver", "fimserver", { command, args: options.arguments }, clientOptions);
  client.registerFeature(statusFeature);
  return client;
}

/** Tells the server that we understand its status, and show the explanations that it returns. */
const statusFeature: StaticFeature = {
  fillClientCapabilities: (capabilities) => {
    capabilities.experimental = { ...capabilities.experimental, fimserver: { status: true, markdown: true } };
  },
  initialize: () => {},
  getState: () => ({ kind: "static" }),
  clear: () => {},
};

/** A client that writes its own troubles to the log: the session shows the user one message with a button instead. */
class QuietClient extends LanguageClient {
  override error(message: string, details?: unknown): void {
    super.error(message, details, false);
  }
}
