"""Say which lines of the pure modules no unit test runs: `python scripts/covered.py` fails where these are over 10 %.

Pure is what turns values into values: no process, no socket, no terminal.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[1]

PURE = (
    "fimserver/complete/",
    "fimserver/context/",
    "fimserver/prompt/",
    "fimserver/retrieval/",
    "fimserver/review/",
    "fimserver/settings.py",
    "fimserver/statistics/",
    "fimserver/syntax/",
    "fimserver/text.py",
    "fimserver/uris.py",
    "fimserver/values.py",
)

# It runs in a process of its own, under limits, and is tested through it.
NOT_PURE = ("fimserver/prompt/chat_template.py",)

LEAST_PERCENT = 90.0


class Module(NamedTuple):
    """A module's path, the share of its lines that were run, and those that were not."""

    path: str
    percent: float
    missing: list[int]


def main() -> None:
    """Run the unit tests, print what they do not run, and exit with a sentence where that is too much of a module."""
    with tempfile.TemporaryDirectory() as folder:
        modules = list(pure_modules(measured(Path(folder))))
    for module in sorted(modules, key=lambda module: module.percent):
        if module.missing:
            print(f"{module.percent:5.1f} %  {module.path}: not {', '.join(map(str, module.missing))}")
    if low := [module.path for module in modules if module.percent < LEAST_PERCENT]:
        sys.exit(f"Fewer than {LEAST_PERCENT:.0f} % of the lines are run of {', '.join(low)}: add rows to their tests.")
    print(f"{len(modules)} pure modules, each with at least {LEAST_PERCENT:.0f} % of its lines run.")


def measured(folder: Path) -> dict[str, Any]:
    """Return what coverage.py tells of each file, having run the unit tests."""
    data, report = folder / "data", folder / "report.json"
    coverage = (sys.executable, "-m", "coverage")
    tests = ("-m", "pytest", "-m", "not soak and not editors", "tests/unit")
    ran = subprocess.run([*coverage, "run", f"--data-file={data}", "--source=fimserver", *tests], cwd=ROOT, check=False)
    if ran.returncode:
        sys.exit("The unit tests fail: mend them first.")
    told = [*coverage, "json", f"--data-file={data}", "--quiet", "-o", str(report)]
    subprocess.run(told, cwd=ROOT, check=True)
    files: dict[str, Any] = json.loads(report.read_text("utf-8"))["files"]
    return files


def pure_modules(files: dict[str, Any]) -> Iterator[Module]:
    """Yield the pure modules among the files that coverage.py tells of."""
    for path, told in files.items():
        if path.startswith(PURE) and path not in NOT_PURE:
            yield Module(path, told["summary"]["percent_covered"], told["missing_lines"])


if __name__ == "__main__":
    main()
