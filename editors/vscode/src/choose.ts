/** Lets the user choose one of several things by its label. */

import { window } from "vscode";

/** Return the name whose label was chosen; undefined where none was. */
export async function choose(title: string, labels: Record<string, string>): Promise<string | undefined> {
  const entries = Object.entries(labels).map(([name, label]) => ({ name, label }));
  return (await window.showQuickPick(entries, { title }))?.name;
}
