/** Says which Python can run the server, and what a failed installation needs. */

/** The oldest Python that the server runs on (pyproject.toml, requires-python). */
export const OLDEST_PYTHON = [3, 11] as const;

/** Return the programs to try, the most wanted first. */
export function pythonCandidates(configured: string, windows: boolean): string[] {
  if (configured) {
    return [configured];
  }
  return windows ? ["py", "python"] : ["python3", "python3.14", "python3.13", "python3.12", "python3.11", "python"];
}

/** Tell whether what `python --version` printed is recent enough. */
export function isRecentEnough(version: string): boolean {
  const found = /^Python (\d+)\.(\d+)/.exec(version);
  const [major, minor] = [Number(found?.[1]), Number(found?.[2])];
  return major > OLDEST_PYTHON[0] || (major === OLDEST_PYTHON[0] && minor >= OLDEST_PYTHON[1]);
}

/** What an installer says, and the sentence that mends it. The first row that fits decides. */
const REMEDIES: [RegExp, (platform: string) => string][] = [
  [
    /CMAKE_CXX_COMPILER|No CMAKE_C_COMPILER|C\+\+ compiler|Unable to find a (?:suitable )?compiler|nmake/i,
    (platform) => `llama.cpp could not be compiled, because there is no C++ compiler. ${COMPILERS[platform] ?? COMPILERS["linux"]}`,
  ],
  [/ensurepip is not\s+available|No module named (?:venv|ensurepip)/i, () => "This Python cannot make environments. On Debian and Ubuntu: sudo apt install python3-venv"],
  [/No space left on device|ENOSPC/i, () => "The disk is full."],
  [/Could not find a version|No matching distribution/i, () => "pip found no such package. Check the setting fimserver.server.package and the network."],
];

const COMPILERS: Record<string, string> = {
  linux: "On Debian and Ubuntu: sudo apt install g++",
  darwin: "Install it with: xcode-select --install",
  win32: "Install the Visual Studio Build Tools with the C++ workload.",
};

/** Return the sentence for a failed installation. */
export function whatFailed(output: string, platform: string): string {
  const remedy = REMEDIES.find(([pattern]) => pattern.test(output));
  return remedy ? remedy[1](platform) : "The installation failed; the log says why.";
}
