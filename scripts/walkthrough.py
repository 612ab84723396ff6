"""Do what README says, in a new clone and with new folders, to ghost text in VS Code and Neovim; write what it took.

    python scripts/walkthrough.py [--cached] [FOLDER]

FOLDER must not be there yet; by default it is one that is removed again. The commands are those that stand in README
and docs/editors.md. Nothing is taken from pip's cache, so llama.cpp is compiled, unless `--cached` allows it. The
editors themselves come from tests/editors/install.sh: a newcomer has one, so that step is not counted. The log,
docs/walkthrough.md, names no folder of this machine and no address.
"""

import argparse
import os
import platform
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
LOG = ROOT / "docs" / "walkthrough.md"

# The class of the demonstration, to be gone on with.
CART = ROOT / "fimserver" / "cli" / "fixtures" / "cart.txt"
BEGUN = "\n    def price(self, item):"
TYPED = "return self.prices["

EDITORS = (
    '.venv/bin/python -m pip install -qq --group editors && PYTHON="$PWD/.venv/bin/python" tests/editors/install.sh'
)

MOST_SHOWN_LINES = 14

COMPILED = {
    False: "Nothing came from pip's cache, so llama.cpp was compiled.",
    True: "pip had compiled llama.cpp before, so that\n"
    "this is not among the times: `make demo` says how long it takes.",
}

# What a reader of the log has no use for: addresses, and folders that are not the newcomer's.
_PRIVATE = re.compile(r"https?://\S+|(?<![\w~.])/(?:home|root|tmp|usr|opt|var|Users)/\S+")


@dataclass(frozen=True, slots=True)
class Step:
    """What is done, where that is written, and how. A step that is not `counted` is no part of the newcomer's time."""

    does: str
    written_in: str
    command: str
    counted: bool = True


@dataclass(frozen=True, slots=True)
class Taken:
    """A step, its seconds by the clock and of a processor, and what it printed last."""

    step: Step
    clock_s: float
    processor_s: float
    printed: str


def main() -> None:
    """Walk through, and write the log."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cached", action="store_true", help="take what pip's cache has")
    parser.add_argument("folder", nargs="?", help="where to walk; not there yet")
    asked = parser.parse_args()
    cached: bool = asked.cached
    # The engine stays for a minute after the last editor, and may write while its folder is removed.
    with tempfile.TemporaryDirectory(prefix="walk-", ignore_cleanup_errors=True) as temporary:
        folder = Path(asked.folder or temporary, "new").absolute()
        folder.mkdir(parents=True)
        taken = []
        for step in steps(folder):
            print(step.does, flush=True)
            taken.append(walk(step, folder, environment(folder, cached=cached)))
        LOG.write_text(log(taken, folder, cached=cached), "utf-8")


def steps(folder: Path) -> Iterator[Step]:
    """Yield the steps; what documents say is read from the clone."""
    yield Step("get the source", "", f"git clone --quiet {ROOT} fimserver")
    clone = folder / "fimserver"
    readme, editors = ((clone / name).read_text("utf-8") for name in ("README.md", "docs/editors.md"))
    yield Step("install it, and see it work", "README", first_command(readme, "# fimserver"))
    yield Step("put VS Code (code-server), Neovim and Node.js there", "", EDITORS, counted=False)
    build = " && ".join(line for line in block(editors, "## VS Code").splitlines() if not line.startswith("code "))
    yield Step("build the extension for VS Code", "docs/editors.md", build)
    setup = first_command(readme, "## Pick your editor")
    agreed = "--editor code-server --editor neovim --model embedded --yes"
    yield Step("set up both editors", "README", f"{setup} {agreed}")
    project = folder / "shop"
    (project / ".git").mkdir(parents=True)
    (project / "cart.py").write_text(CART.read_text("utf-8") + BEGUN, "utf-8")
    for name, title in (("code-server", "VS Code"), ("neovim", "Neovim")):
        typing = f".venv/bin/python tests/editors/newcomer.py {name} {project / 'cart.py'} '{TYPED}'"
        yield Step(f"open {title}, type `{TYPED}`, and wait for ghost text", "", typing)


def block(document: str, heading: str) -> str:
    """Return the first block of commands below a heading."""
    found = re.compile(rf"^{re.escape(heading)}$.*?^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL).search(document)
    assert found, f"no commands below {heading!r}"
    return found[1]


def first_command(document: str, heading: str) -> str:
    """Return the first command below a heading."""
    return block(document, heading).splitlines()[0]


def environment(folder: Path, *, cached: bool) -> Mapping[str, str]:
    """Return an environment in which nothing was installed before, and the editors are on PATH once they are there."""
    home = Path.home()
    own = {
        "FIMSERVER_HOME": folder / "own",
        "PIP_CACHE_DIR": home / ".cache" / "pip" if cached else folder / "cache" / "pip",
        "XDG_CACHE_HOME": folder / "cache",
        "XDG_CONFIG_HOME": folder / "config",
        "XDG_DATA_HOME": folder / "share",
        "XDG_STATE_HOME": folder / "state",
        "PATH": f"{folder / 'fimserver' / '.editors' / 'bin'}{os.pathsep}{os.environ['PATH']}",
    }
    # With the folders pip's own configuration would be gone, which may name a mirror.
    configuration = home / ".config" / "pip" / "pip.conf"
    own |= {"PIP_CONFIG_FILE": configuration} if configuration.exists() else {}
    return {**os.environ, **{name: str(value) for name, value in own.items()}}


def walk(step: Step, folder: Path, environment: Mapping[str, str]) -> Taken:
    """Take a step; exit with what it said where it fails."""
    where = folder / "fimserver" if (folder / "fimserver").exists() else folder
    used, began = _processor_s(), time.monotonic()
    done = subprocess.run(
        ["sh", "-c", step.command],
        cwd=where,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"{done.stdout}\nThis step failed: {step.does}.")
    return Taken(step, time.monotonic() - began, _processor_s() - used, done.stdout)


def _processor_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def log(taken: list[Taken], folder: Path, *, cached: bool) -> str:
    """Return the document."""
    counted = [one for one in taken if one.step.counted]
    clock_s, processor_s = sum(one.clock_s for one in counted), sum(one.processor_s for one in counted)
    rows = [_row(one.step.does, one.step.written_in, one.clock_s, one.processor_s, one.step.counted) for one in taken]
    rows.append(_row("together, what is counted", "", clock_s, processor_s, True))
    head = f"""# A newcomer's walk-through

`python scripts/walkthrough.py` does what [README](../README.md) says, in a new clone and with new folders, until there
is ghost text in VS Code and in Neovim, and writes this page. {COMPILED[cached]}
The editors were put there by `tests/editors/install.sh`, which is not counted: a newcomer has one.

{_machine()}

| step | written in | seconds | of a processor | counted |
| --- | --- | --- | --- | --- |
{chr(10).join(rows)}
"""
    return "\n".join([head, *(_part(one, folder) for one in taken)])


def _part(one: Taken, folder: Path) -> str:
    return f"## {one.step.does[0].upper()}{one.step.does[1:]}\n\n```text\n{_shown(one, folder)}\n```\n"


def _row(does: str, written_in: str, clock_s: float, processor_s: float, counted: bool) -> str:
    return f"| {does} | {written_in} | {clock_s:.0f} | {processor_s:.0f} | {'yes' if counted else 'no'} |"


def _machine() -> str:
    system = platform.freedesktop_os_release()["PRETTY_NAME"] if sys.platform == "linux" else platform.platform()
    commit = subprocess.run(
        ["git", "log", "-1", "--format=%h"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.strip()
    load = os.getloadavg()[2]
    return (
        f"At commit {commit}, {system}, Python {platform.python_version()}, {_processors()} processors, which other "
        f"programs used too: a load of {load:.0f} over the last quarter of an hour."
    )


def _processors() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _shown(one: Taken, folder: Path) -> str:
    """Return a step's command and the last lines it printed, as the newcomer would see them in their home."""
    lines = [line.rstrip() for line in one.printed.splitlines() if line.strip()]
    left_out = ["…"] if len(lines) > MOST_SHOWN_LINES else []
    text = "\n".join([f"$ {one.step.command}", *left_out, *lines[-MOST_SHOWN_LINES:]])
    return _PRIVATE.sub("…", text.replace(str(folder), "~").replace(str(ROOT), "…"))


if __name__ == "__main__":
    main()
