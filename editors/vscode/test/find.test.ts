import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { test } from "node:test";

import { findProgram, type Places } from "../src/find.ts";

const home = mkdtempSync(join(tmpdir(), "find-"));

function program(...parts: string[]): string {
  const path = join(home, ...parts);
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, "");
  chmodSync(path, 0o755);
  return path;
}

const onPath = program("path", "fimserver");
const managed = program("managed", "bin", "fimserver");
const other = program("elsewhere", "fim");
const nothing: Places = { configured: "", path: "", managed: join(home, "no"), windows: false };

const ROWS: [string, Partial<Places>, string | RegExp][] = [
  ["the setting goes before PATH", { configured: other, path: join(home, "path") }, other],
  ["a name in the setting is looked for on PATH", { configured: "fim", path: join(home, "elsewhere") }, other],
  ["a setting that names nothing is said, not passed over", { configured: "/no/fim", path: join(home, "path") }, /\/no\/fim/],
  ["PATH goes before the managed environment", { path: join(home, "path"), managed: join(home, "managed") }, onPath],
  ["the managed environment is the last resort", { managed: join(home, "managed") }, managed],
  ["the first folder of PATH that has it wins", { path: ["/no", join(home, "path")].join(delimiter) }, onPath],
  ["relative folders of PATH are passed over", { path: ["", "."].join(delimiter) }, /not installed/],
  ["a folder is no program", { configured: home }, /no program/],
  ["without any there is a sentence", {}, /not installed/],
];

for (const [rule, places, expected] of ROWS) {
  test(rule, () => {
    const found = findProgram({ ...nothing, ...places });
    if (typeof expected === "string") {
      assert.equal(typeof found === "string" ? found : found.command, expected);
    } else {
      assert.match(String(found), expected);
    }
  });
}
