/**
 * The names and shapes of fimserver's additions to the Language Server Protocol (docs/protocol.md).
 *
 * All are optional: the server works with an editor that knows none of them.
 */

export const didChangeStatus = "fimserver/didChangeStatus";
export const didShowCompletion = "fimserver/didShowCompletion";
export const didPartiallyAcceptCompletion = "fimserver/didPartiallyAcceptCompletion";
export const didFocus = "fimserver/didFocus";

/** Commands of the server. The client library registers them in VS Code under the same names. */
export const whyCommand = "fimserver.why";
export const statusCommand = "fimserver.status";

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
