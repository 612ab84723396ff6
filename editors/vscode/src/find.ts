/** Turns settings, PATH and the managed environment into the program that is the language server. */

import { accessSync, constants, statSync } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";

export interface Program {
  command: string;
  origin: "setting" | "PATH" | "managed environment";
}

export interface Places {
  /** The user's setting; empty where it is not set. */
  configured: string;
  /** The value of PATH. */
  path: string;
  /** The folder of the environment that this extension made, or would make. */
  managed: string;
  windows: boolean;
}

/** Return the program to start, or the sentence that says why there is none. */
export function findProgram(places: Places): Program | string {
  if (places.configured) {
    const command = resolve(places.configured, places);
    return command
      ? { command, origin: "setting" }
      : `The setting fimserver.server.command names ${places.configured}, which is no program that can be started.`;
  }
  const onPath = resolve("fimserver", places);
  if (onPath) {
    return { command: onPath, origin: "PATH" };
  }
  const managed = programInEnvironment(places.managed, "fimserver", places.windows);
  return isProgram(managed)
    ? { command: managed, origin: "managed environment" }
    : "The language server fimserver is not installed.";
}

/** Return where an environment keeps a program. */
export function programInEnvironment(folder: string, name: string, windows: boolean): string {
  return windows ? join(folder, "Scripts", `${name}.exe`) : join(folder, "bin", name);
}

function resolve(name: string, places: Places): string | undefined {
  if (isAbsolute(name)) {
    return isProgram(name) ? name : undefined;
  }
  const endings = places.windows && !name.endsWith(".exe") ? [".exe", ".cmd"] : [""];
  return places.path
    .split(delimiter)
    .filter(isAbsolute) // an empty or relative entry of PATH would let the open folder choose the program
    .flatMap((folder) => endings.map((ending) => join(folder, name + ending)))
    .find(isProgram);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
