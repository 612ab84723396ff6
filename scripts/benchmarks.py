"""Turn the commands of docs/benchmarks.md into what they print today: `python scripts/benchmarks.py [NAME...]`.

In the document a fenced command stands right above the place of what it printed, `<!-- printed: NAME -->` to
`<!-- end -->`; without names all are run, in their order. The figures are kept as docs/benchmarks/NAME.json. A command
may name environment variables (`$LLAMA_SERVER`, `$HELD_OUT`); where one is not set it is left out, and said so.
"""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).parents[1]
DOCUMENT = ROOT / "docs" / "benchmarks.md"
FIGURES = ROOT / "docs" / "benchmarks"

_PLACE = re.compile(
    r"```sh\n(?P<command>fimserver [^\n]+)\n```\n\n<!-- printed: (?P<name>[\w-]+) -->\n(?P<printed>.*?)<!-- end -->",
    re.DOTALL,
)


def main(names: list[str]) -> None:
    """Run the commands and write their outputs into the document, each as soon as it is there."""
    places = {found["name"]: found["command"] for found in _PLACE.finditer(DOCUMENT.read_text("utf-8"))}
    if unknown := [name for name in names if name not in places]:
        sys.exit(f"There is no benchmark {unknown[0]!r}; there are {', '.join(places)}.")
    # What was printed before is no change of what is measured.
    changed = _git("status", "--porcelain", "--untracked-files=no", "--", ":!docs")
    commit = _git("describe", "--always") + ("-dirty" if changed else "")
    for name in names or places:
        command = os.path.expandvars(places[name])
        if "$" in command:
            print(f"{name}: left out, for a variable of it is not set: {places[name]}")
            continue
        print(f"{name}: {command}", flush=True)
        DOCUMENT.write_text(with_output(DOCUMENT.read_text("utf-8"), name, run(name, command, commit)), "utf-8")


def run(name: str, command: str, commit: str) -> str:
    """Return what a command prints, and where that was."""
    FIGURES.mkdir(exist_ok=True)
    kept = ("--keep", str(FIGURES / f"{name}.json")) if " bench " in command else ()
    load, before = os.getloadavg()[0], psutil.cpu_times()
    done = subprocess.run(
        (sys.executable, "-m", *shlex.split(command), *kept), cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True
    )
    printed = done.stdout.strip("\n")
    shown = printed if printed.startswith("|") else f"```text\n{printed}\n```"
    taken = f"the host took {_taken(before, psutil.cpu_times()):.0%} of their time"
    return f"At commit {commit}, {os.cpu_count()} processors, load {load:.1f} before, {taken}.\n\n{shown}\n"


def _taken(before: Any, after: Any) -> float:
    """Return which share of the time that the processors had work the host of this virtual machine gave to others."""

    def spent(kind: str) -> float:
        return float(getattr(after, kind, 0.0) - getattr(before, kind, 0.0))  # not every system tells of every kind

    worked, taken = spent("user") + spent("nice") + spent("system"), spent("steal")
    return taken / max(worked + taken, 1e-9)


def with_output(document: str, name: str, output: str) -> str:
    """Return the document with another output in a command's place."""

    def placed(found: re.Match[str]) -> str:
        if found["name"] != name:
            return found[0]
        return f"{found[0].partition('-->')[0]}-->\n{output}<!-- end -->"

    return _PLACE.sub(placed, document)


def _git(*arguments: str) -> str:
    return subprocess.run(("git", *arguments), cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


if __name__ == "__main__":
    main(sys.argv[1:])
