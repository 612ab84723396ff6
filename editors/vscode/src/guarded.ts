/** Says what the server refuses in a sentence for the user. */

import { window } from "vscode";

import * as protocol from "./protocol.ts";

/** Do something that asks the server; what it refuses is shown, unless the user cancelled it. */
export async function guarded(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if ((error as { code?: unknown }).code === protocol.requestCancelled) {
      return;
    }
    void window.showErrorMessage(`fimserver: ${error instanceof Error ? error.message : String(error)}`);
  }
}
