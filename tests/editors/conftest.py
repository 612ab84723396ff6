"""What all editors' tests share: the installed editors, a home of their own, and servers that answer as told."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.editors.waiting import until

CHECKOUT = Path(__file__).parents[2]
FIMSERVER = Path(sys.prefix) / "bin" / "fimserver"


@pytest.fixture(scope="session")
def programs() -> Path:
    """The folder of the editors' programs, as tests/editors/install.sh makes it."""
    folder = CHECKOUT / ".editors" / "bin"
    reason = folder.parent / "unavailable"
    if reason.exists():
        pytest.skip(reason.read_text("utf-8").strip())
    if not folder.exists():
        pytest.fail("The editors are not installed: run tests/editors/run.sh.")
    return folder


@pytest.fixture(scope="module", autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home for everything that the server and the editors keep; its engine ends with it."""
    folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        for variable, name in (
            ("FIMSERVER_HOME", "fimserver"),
            ("XDG_CONFIG_HOME", "config"),
            ("XDG_DATA_HOME", "share"),
            ("XDG_STATE_HOME", "state"),
            ("XDG_CACHE_HOME", "cache"),
        ):
            patch.setenv(variable, str(folder / name))
        yield folder
        subprocess.run([FIMSERVER, "engine", "stop"], check=False, capture_output=True)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder that editors take for a project."""
    (tmp_path / "project" / ".git").mkdir(parents=True)
    return tmp_path / "project"


def scripted(folder: Path, replies: Sequence[dict[str, Any]]) -> list[str]:
    """Return the command of a server that answers from these replies."""
    script = folder / "replies.jsonl"
    script.write_text("".join(json.dumps(reply) + "\n" for reply in replies), "utf-8")
    return [str(FIMSERVER), "--engine", f"scripted:{script}", "serve"]


def embedded() -> list[str]:
    """Return the command of a server that asks the embedded model."""
    return [str(FIMSERVER), "serve"]


def processes(*words: str) -> list[int]:
    """Return the processes of this home whose command line holds all of these words."""
    ours = f"FIMSERVER_HOME={os.environ['FIMSERVER_HOME']}".encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes().split(b"\0")
            of_this_home = ours in (folder / "environ").read_bytes().split(b"\0")
        except OSError:  # it has ended, or is not ours
            continue
        if of_this_home and all(word.encode() in command for word in words):
            found.append(int(folder.name))
    return found


def wait_for_process(*words: str) -> int:
    """Wait until exactly one process of this home has these words, and return it."""
    until(lambda: len(processes(*words)) == 1, f"one process {words}", lambda: processes(*words))
    return processes(*words)[0]
