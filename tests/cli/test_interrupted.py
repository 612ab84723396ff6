"""Ctrl+C ends every command that takes long: with code 130, no traceback, and nothing left running.

As in a terminal, the signal reaches the command and whatever it has started. A row says where the command stands then:
it has opened a named pipe, or it has connected to a server that never answers, or it has told how far it is.
"""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pytest

from fimserver.cli.exit_codes import ExitCode
from tests.cli import commands

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="named pipes and groups of processes are POSIX's")

ROOT = Path(__file__).parents[2]
FIXTURES = ROOT / "fixtures"

_PATIENCE_S = 200


@dataclass(frozen=True)
class Place:
    """Where a command is run: a folder with a pipe that nobody writes to, and a server that never answers."""

    folder: Path
    listener: socket.socket
    held: ExitStack  # what stays open until the command has ended

    @property
    def pipe(self) -> Path:
        return self.folder / "never.py"

    @property
    def settings(self) -> Path:
        return self.folder / "settings.toml"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    with socket.create_server(("127.0.0.1", 0)) as listener, ExitStack() as held:
        listener.settimeout(_PATIENCE_S)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        monkeypatch.setenv("HF_ENDPOINT", url)
        place = Place(tmp_path, listener, held)
        engine = f'[engine]\nkind = "llama-server"\nurl = "{url}"\n'
        place.settings.write_text(f"{engine}[context]\nother_files = false\n")
        os.mkfifo(place.pipe)
        commands.file(tmp_path, "x = <FILL_ME>\n")
        for words in (["init", "-q"], ["add", "main.py"]):
            subprocess.run(["git", *words], cwd=tmp_path, check=True)
        yield place


def reads_the_pipe(place: Place, _: IO[bytes]) -> None:
    place.held.enter_context(place.pipe.open("wb"))  # returns once the command has opened the pipe to read it


def waits_for_the_server(place: Place, _: IO[bytes]) -> None:
    place.held.enter_context(place.listener.accept()[0])


def has_told_something(_: Place, err: IO[bytes]) -> None:
    assert err.readline()


def has_begun_to_write(place: Place, _: IO[bytes]) -> None:
    while not (place.folder / "big.gguf").exists():
        os.sched_yield()


Standing = Callable[[Place, IO[bytes]], None]

# One of each kind; the others are for the long form.
ROWS: Sequence[tuple[str, Standing]] = (
    ("fill {pipe}", reads_the_pipe),
    ("--settings {settings} complete {main}:1:5", waits_for_the_server),
    ("--settings {settings} review {main}", waits_for_the_server),
    ("--settings {settings} demo", waits_for_the_server),
    ("pull hf:o/r/m.gguf", waits_for_the_server),
)
MORE_ROWS: Sequence[tuple[str, Standing]] = (
    ("--settings {settings} commit-message", waits_for_the_server),
    ("complete {pipe}:1:1", reads_the_pipe),
    ("context {pipe}:1:1", reads_the_pipe),
    ("why {pipe}:1:1", reads_the_pipe),
    ("edit explain {pipe}:1", reads_the_pipe),
    ("--settings {settings} why {main}:1:5", waits_for_the_server),
    ("--settings {settings} fill {main}", waits_for_the_server),
    ("--settings {settings} edit simplify {main}:1-1", waits_for_the_server),
    ("--settings {settings} chat", waits_for_the_server),
    ("--settings {settings} status", waits_for_the_server),
    ("--settings {settings} doctor", waits_for_the_server),
    ("--settings {settings} setup --json --editor helix", waits_for_the_server),
    ("--settings {settings} bench quality {fixtures}/fim/python", waits_for_the_server),
    ("--settings {settings} bench load --typists 1", waits_for_the_server),
    ("--settings {settings} bench review {fixtures}/review", waits_for_the_server),
    ("--settings {settings} bench typing", waits_for_the_server),
    ("setup --yes --json --model hf:o/r/m.gguf", waits_for_the_server),
    ("bench index --files 1000 --questions 1000000", has_told_something),
    ("bench make-model --shape qwen2.5-coder-7b big.gguf", has_begun_to_write),
)


def as_shown(value: object) -> str:
    return value.replace("--settings {settings} ", "") if isinstance(value, str) else ""


@pytest.mark.parametrize(
    ("words", "stands"),
    [*ROWS, *(pytest.param(*row, marks=pytest.mark.soak) for row in MORE_ROWS)],
    ids=as_shown,
)
def test_a_command_is_interrupted(place: Place, words: str, stands: Standing) -> None:
    names = {"pipe": place.pipe, "settings": place.settings, "main": place.folder / "main.py", "fixtures": FIXTURES}
    code, err = interrupted(place, words.format(**names).split(), stands)
    assert code == ExitCode.INTERRUPTED
    assert "Traceback" not in err
    assert "fault of fimserver" not in err


def interrupted(place: Place, arguments: Sequence[str], stands: Standing) -> tuple[int, str]:
    """Run a command, interrupt it where it stands, and return its code and what it said."""
    with subprocess.Popen(
        [*commands.FIMSERVER, *arguments],
        cwd=place.folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        assert process.stderr is not None
        stands(place, process.stderr)
        os.killpg(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=_PATIENCE_S)
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)
    return process.returncode, err.decode()


@pytest.mark.soak
def test_nothing_is_left_of_a_model_that_was_not_written_to_its_end(place: Place) -> None:
    interrupted(place, ["bench", "make-model", "--shape", "qwen2.5-coder-7b", "big.gguf"], has_begun_to_write)
    assert not (place.folder / "big.gguf").exists()


def test_a_command_that_is_still_being_imported_is_interrupted_as_cleanly(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    (place.folder / "click.py").write_text(f"open({str(place.pipe)!r}).read()\n")
    monkeypatch.setenv("PYTHONPATH", str(place.folder))
    assert interrupted(place, ["status"], reads_the_pipe) == (ExitCode.INTERRUPTED, "")
