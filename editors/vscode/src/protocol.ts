/**
 * The names and shapes of fimserver's additions to the Language Server Protocol (docs/protocol.md).
 *
 * All are optional: the server works with an editor that knows none of them.
 */

export const didChangeStatus = "fimserver/didChangeStatus";
export const didShowCompletion = "fimserver/didShowCompletion";
export const didPartiallyAcceptCompletion = "fimserver/didPartiallyAcceptCompletion";
export const didFocus = "fimserver/didFocus";

/** The protocol's own. */
export const showMessage = "window/showMessage";

/** The code of the error that answers a cancelled request. */
export const requestCancelled = -32800;

/** A message for the user; a higher type than that of a warning is less grave. */
export interface ServerMessage {
  type: number;
  message: string;
}
export const warning = 2;

/** How the server begins a message about settings. */
export const settingsProblem = "fimserver settings:";

/** Commands of the server. The client library registers them in VS Code under the same names. */
export const whyCommand = "fimserver.why";
export const statusCommand = "fimserver.status";
export const restartEngineCommand = "fimserver.restartEngine";
export const listModelsCommand = "fimserver.listModels";
export const pullModelCommand = "fimserver.pullModel";

/** A model that can be chosen: by its name, once it is here. */
export interface Model {
  name: string;
  bytes: number;
  here: boolean;
  about: string;
}

/** What the server last said of itself. */
export interface ServerStatus {
  kind: "Normal" | "Warning" | "Error" | "Inactive";
  busy: boolean;
  message: string;
}

/** The facts behind the status, asked for when somebody looks. */
export interface ServerFacts {
  model: string | null;
  tokensPerSecond: number | null;
  memoryBytes: number;
  lastReason: string | null;
}
