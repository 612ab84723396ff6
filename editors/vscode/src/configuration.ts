/** Turns what the user set in VS Code into the settings that the server reads. */

import { type WorkspaceConfiguration, workspace } from "vscode";

type Groups = Record<string, Record<string, unknown>>;

/** Settings of this extension alone, which the server would not know. */
const OWN_GROUP = "server";

export interface Setting {
  /** Without the prefix that all have in VS Code: completion.enabled. */
  name: string;
  /** True for what is never taken from a workspace. */
  machine: boolean;
}

interface Manifest {
  contributes: { configuration: { properties: Record<string, { scope: string }> }[] };
}

/** Return all settings that the manifest declares. */
export function declaredSettings(manifest: Manifest): Setting[] {
  return manifest.contributes.configuration
    .flatMap((section) => Object.entries(section.properties))
    .map(([name, { scope }]) => ({ name: name.replace(/^fimserver\./, ""), machine: scope === "machine" }));
}

/**
 * Return the settings that were set somewhere, by group.
 *
 * Defaults are left out: the server has them already, and a value sent would hide the one in the user's settings.toml.
 */
export function chosenSettings(settings: readonly Setting[]): Groups {
  const configuration = workspace.getConfiguration("fimserver");
  const chosen: Groups = {};
  for (const { name } of settings) {
    const [group, entry] = name.split(".", 2) as [string, string];
    if (group !== OWN_GROUP && isSet(configuration, name)) {
      (chosen[group] ??= {})[entry] = configuration.get(name);
    }
  }
  return chosen;
}

function isSet(configuration: WorkspaceConfiguration, name: string): boolean {
  const found = configuration.inspect(name);
  return [found?.globalValue, found?.workspaceValue, found?.workspaceFolderValue].some((value) => value !== undefined);
}
