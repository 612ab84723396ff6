/** Makes a private Python environment that holds the language server, after asking. */

import { spawn } from "node:child_process";
import { type CancellationToken, type LogOutputChannel, ProgressLocation, window, workspace } from "vscode";

import { programInEnvironment } from "./find.ts";
import { isRecentEnough, OLDEST_PYTHON, pythonCandidates, whatFailed } from "./python.ts";

const WINDOWS = process.platform === "win32";

/** Install the server into `folder`. Return the sentence that says what went wrong, or an empty one. */
export async function install(folder: string, log: LogOutputChannel): Promise<string> {
  const wanted = workspace.getConfiguration("fimserver.server").get("package", "fimserver[llama]");
  const consent = await window.showInformationMessage(
    "Install the language server?",
    {
      modal: true,
      detail:
        `A private Python environment is made in ${folder}. pip then downloads ${wanted} and what it needs, ` +
        "and compiles llama.cpp for this machine, which takes some minutes and a C++ compiler. " +
        "Nothing else on this machine is changed.",
    },
    "Install",
  );
  if (consent !== "Install") {
    return "The language server fimserver is not installed.";
  }
  const python = await findPython(log);
  if (!python) {
    return `The language server needs Python ${OLDEST_PYTHON.join(".")} or later, and none was found. Install it, then try again.`;
  }
  const inside = programInEnvironment(folder, "python", WINDOWS);
  const steps: [string, string, string[]][] = [
    ["Making the environment", python, ["-m", "venv", "--clear", folder]],
    ["Installing", inside, ["-m", "pip", "install", "--disable-pip-version-check", "--progress-bar", "off", wanted]],
  ];
  return window.withProgress(
    { location: ProgressLocation.Notification, title: "fimserver", cancellable: true },
    async (progress, token) => {
      for (const [title, program, parameters] of steps) {
        progress.report({ message: `${title} …` });
        const output = await run(program, parameters, log, token, (line) => progress.report({ message: line }));
        if (output !== undefined) {
          return token.isCancellationRequested ? "The installation was cancelled." : whatFailed(output, process.platform);
        }
      }
      return "";
    },
  );
}

async function findPython(log: LogOutputChannel): Promise<string | undefined> {
  const configured = workspace.getConfiguration("fimserver.server").get("python", "");
  for (const candidate of pythonCandidates(configured, WINDOWS)) {
    let version = "";
    const failed = await run(candidate, ["--version"], log, undefined, (line) => (version = line));
    if (failed === undefined && isRecentEnough(version)) {
      return candidate;
    }
  }
  return undefined;
}

/** Run a program; return undefined when it succeeded, else all that it said. */
function run(
  program: string,
  parameters: string[],
  log: LogOutputChannel,
  token: CancellationToken | undefined,
  eachLine: (line: string) => void,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    const child = spawn(program, parameters, { stdio: ["ignore", "pipe", "pipe"] });
    const output: string[] = [];
    const hear = (piece: Buffer) => {
      const lines = piece.toString().split(/\r?\n/).filter(Boolean);
      output.push(...lines);
      for (const line of lines) {
        log.info(line);
        eachLine(line.slice(0, 120));
      }
    };
    child.stdout.on("data", hear);
    child.stderr.on("data", hear);
    token?.onCancellationRequested(() => child.kill());
    child.on("error", (error) => resolve(error.message));
    child.on("close", (code) => resolve(code === 0 ? undefined : output.join("\n")));
  });
}
