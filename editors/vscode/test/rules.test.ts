import assert from "node:assert/strict";
import { test } from "node:test";

import { Crashes } from "../src/crashes.ts";
import { isRecentEnough, pythonCandidates, whatFailed } from "../src/python.ts";
import { type Condition, render } from "../src/render.ts";

const minute = 60_000;

test("four crashes in a row are forgiven, the fifth is not", () => {
  const crashes = new Crashes();
  assert.deepEqual([1, 2, 3, 4, 5].map((time) => crashes.another(time)), [true, true, true, true, false]);
});

test("crashes further apart than three minutes are always forgiven", () => {
  const crashes = new Crashes();
  assert.ok([0, 4, 8, 12, 16, 20].map((minutes) => crashes.another(minutes * minute)).every(Boolean));
});

test("a restart by hand forgets the crashes", () => {
  const crashes = new Crashes();
  for (const time of [1, 2, 3, 4]) {
    crashes.another(time);
  }
  crashes.forget();
  assert.ok(crashes.another(5));
});

for (const [version, recent] of [
  ["Python 3.11.0", true],
  ["Python 3.10.14", false],
  ["Python 3.9.1", false],
  ["Python 3.14.0rc1", true],
  ["Python 4.0.0", true],
  ["Python 2.7.18", false],
  ["no such thing", false],
] as const) {
  test(`${version} is ${recent ? "" : "not "}recent enough`, () => assert.equal(isRecentEnough(version), recent));
}

test("a Python that the user names is the only one tried", () => {
  assert.deepEqual(pythonCandidates("/opt/python", false), ["/opt/python"]);
});

for (const [output, sentence] of [
  ["CMake Error: No CMAKE_CXX_COMPILER could be found.", /no C\+\+ compiler.*g\+\+/],
  ["Error: ensurepip is not available.", /python3-venv/],
  ["OSError: [Errno 28] No space left on device", /disk is full/],
  ["ERROR: No matching distribution found for fimserver", /fimserver\.server\.package/],
  ["something else", /the log says why/],
] as const) {
  test(`an installation that ended with "${output.slice(0, 30)}" names its remedy`, () => {
    assert.match(whatFailed(output, "linux"), sentence);
  });
}

const ready: Condition = { server: { kind: "Normal", busy: false, message: "Ready." }, facts: {}, switchedOff: "" };

for (const [rule, condition, text, tooltip] of [
  ["a ready server shows its spark", {}, "$(sparkle) fim", "**fimserver**: Ready."],
  ["a busy one turns", { server: { kind: "Normal", busy: true, message: "Loading." } }, "$(loading~spin) fim", "**fimserver**: Loading."],
  ["being switched off is shown", { switchedOff: "Switched off." }, "$(circle-slash) fim", "**fimserver**: Switched off."],
  [
    "trouble goes before being switched off",
    { server: { kind: "Error", busy: false, message: "It did not start." }, switchedOff: "Switched off." },
    "$(error) fim",
    "**fimserver**: It did not start.",
  ],
  [
    "facts stand below, one a line",
    { facts: { model: "tiny", tokensPerSecond: 80, memoryBytes: 2 ** 30, lastReason: "inside-string" } },
    "$(sparkle) fim",
    "**fimserver**: Ready.\n\nModel: tiny\n\nSpeed: 80.0 tokens per second\n\nEngine memory: 1024 MiB\n\nLast empty answer: inside-string",
  ],
] as [string, Partial<Condition>, string, string][]) {
  test(rule, () => {
    const rendered = render({ ...ready, ...condition });
    assert.deepEqual([rendered.text, rendered.tooltip], [text, tooltip]);
  });
}
