/** Lets the user choose the model that answers: one that is here, or one that the server downloads after asking. */

import { ConfigurationTarget, window, workspace } from "vscode";

import { choose } from "./choose.ts";
import * as protocol from "./protocol.ts";
import type { Session } from "./session.ts";

/** What a model can be chosen for: the setting's name below fimserver.model. */
const USES = { completion: "$(edit) For suggestions", chat: "$(comment) For review, edit and chat" };

/** Have a model chosen, downloaded where it must be, and used from now on. */
export async function chooseModel(session: Session): Promise<void> {
  const use = await choose("Choose a model", USES);
  const listed = use && (await session.ask<protocol.Model[]>(protocol.listModelsCommand, use));
  const model = listed && (await chooseListed(listed));
  if (!use || !model) {
    return;
  }
  const here = model.here || (await session.ask(protocol.pullModelCommand, model.name, false));
  if (here) {
    await workspace.getConfiguration("fimserver.model").update(use, model.name, ConfigurationTarget.Global);
  }
}

async function chooseListed(models: readonly protocol.Model[]): Promise<protocol.Model | undefined> {
  const entries = models.map((model) => ({
    model,
    label: `${model.here ? "$(check)" : "$(cloud-download)"} ${model.name.split(/[\\/]/).pop()}`,
    description: `${(model.bytes / 1e9).toFixed(1)} GB · ${model.about}`,
  }));
  return (await window.showQuickPick(entries, { title: "Choose a model", matchOnDescription: true }))?.model;
}
