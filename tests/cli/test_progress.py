"""What takes longer than a moment says how far it is: on a terminal in one line, elsewhere in plain ones."""

import io
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from fimserver.cli.progress import doing, downloads, told
from fimserver.engine.interface import EngineState, EngineStatus
from tests.cli import commands
from tests.cli.terminal import Terminal
from tests.unit.models.hub_server import HubServer


class Stream(io.StringIO):
    """Standard error that is a terminal or is none."""

    def __init__(self, terminal: bool) -> None:
        super().__init__()
        self.isatty = lambda: terminal  # type: ignore[method-assign]


def shown(monkeypatch: pytest.MonkeyPatch, texts: Sequence[str], *, terminal: bool) -> str:
    """Return what is written while these texts are what goes on, one after another."""
    stream, left, asked = Stream(terminal), list(texts), threading.Event()
    monkeypatch.setattr(sys, "stderr", stream)

    def text_now() -> str:
        if len(left) == 1:
            asked.set()
            return left[0]
        return left.pop(0)

    with told(text_now, every_s=0.001):
        assert asked.wait(200)
        asked.clear()
        assert asked.wait(200)  # the last one has been written before it is asked again
    return stream.getvalue()


@pytest.mark.parametrize(
    ("texts", "terminal", "written"),
    [
        pytest.param(["a"], False, "a\n", id="a log gets a line"),
        pytest.param(["a", "a", "b"], False, "a\nb\n", id="and another where something has changed"),
        pytest.param(["", "a"], False, "a\n", id="nothing to say is not said"),
        pytest.param(["a", "b"], True, "\ra\x1b[K\rb\x1b[K\r\x1b[K", id="a terminal's line is drawn over and goes"),
        pytest.param(["a", ""], True, "\ra\x1b[K\r\x1b[K", id="and goes as soon as there is nothing to say"),
        pytest.param([""], True, "", id="where nothing was drawn nothing goes"),
        pytest.param(["\x1b[2J"], False, "\ufffd[2J\n", id="no text steers the terminal"),
    ],
)
def test_what_is_told(monkeypatch: pytest.MonkeyPatch, texts: list[str], terminal: bool, written: str) -> None:
    assert shown(monkeypatch, texts, terminal=terminal) == written


def test_what_is_quick_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Stream(terminal=False)
    monkeypatch.setattr(sys, "stderr", stream)
    with told(lambda: "a", every_s=threading.TIMEOUT_MAX):
        pass
    assert stream.getvalue() == ""


@pytest.mark.parametrize(
    ("state", "says"),
    [
        (EngineState.STARTING, "The engine is starting."),
        (EngineState.LOADING, "The model is being loaded: 40 %."),
        (EngineState.READY, "The model is at work."),
        (EngineState.FAILED, ""),
        (EngineState.ABSENT, ""),
    ],
)
def test_what_an_engine_does(state: EngineState, says: str) -> None:
    assert doing(EngineStatus(state=state, percent=40)) == says


def test_a_download_writes_a_line_every_tenth_to_a_log(capsys: pytest.CaptureFixture[str]) -> None:
    with downloads() as show:
        for done in (0, 1, 10, 11, 55, 100):
            show("m.gguf", done * 10_000_000, 1_000_000_000)
    assert capsys.readouterr().err == (
        "m.gguf: 0 % of 1.00 GB\nm.gguf: 10 % of 1.00 GB\nm.gguf: 50 % of 1.00 GB\nm.gguf: 100 % of 1.00 GB\n"
    )


@pytest.mark.skipif(sys.platform == "win32", reason="terminals of POSIX")
def test_a_download_draws_a_bar_in_a_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from fimserver.models.store import embedded_model

    with HubServer({"o/r/m.gguf": embedded_model().read_bytes()}) as hub:
        environment = {"HF_ENDPOINT": hub.address, "NO_PROXY": "*", "TERM": "xterm", "COLUMNS": "120"}
        with Terminal("pull", "hf:o/r/m.gguf", environment=environment) as terminal:
            terminal.wait_for("MB")
            assert terminal.code() == 0


def test_a_model_at_work_is_told_in_plain_lines(tmp_path: Path) -> None:
    """The answer waits until the line has been read."""
    import subprocess

    go = tmp_path / "go"
    script = commands.script(tmp_path, {"pieces": [{"wait_for": str(go)}, "a + b"]})
    source = commands.file(tmp_path, "def add(a, b):\n    return <FILL_ME>\n")
    with subprocess.Popen(
        [*commands.FIMSERVER, "--engine", script, "fill", str(source)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == "The model is at work.\n"
        go.touch()
        assert process.communicate()[0] == "a + b"
