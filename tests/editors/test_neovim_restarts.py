"""Real Neovim: a server or an engine that ends, or is restarted, costs nothing that was typed."""

import os
import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.editors.drive_neovim import Neovim
from tests.editors.servers import embedded, processes, scripted, wait_for_process
from tests.editors.waiting import steady, until

pytestmark = [pytest.mark.editors, pytest.mark.timeout(600)]


@pytest.fixture
def neovim(programs: Path, tmp_path: Path, project: Path) -> Iterator[Neovim]:
    """A Neovim of the test's own, in an empty Python file."""
    editor = Neovim(programs, tmp_path, scripted(tmp_path, [{"ends": "def add(", "text": "a, b):\n"}]))
    editor.open(project / "code.py")
    yield editor
    complaints = editor.complaints()
    editor.close()
    assert not complaints


def test_a_killed_server_is_started_again_and_typing_goes_on(neovim: Neovim) -> None:
    old = wait_for_process("serve")
    os.kill(old, signal.SIGKILL)
    neovim.keys("ix = 1<CR>")
    neovim.wait_for_text("x = 1\n")
    until(lambda: "quit with" in neovim.messages(), "Neovim's word on the end of the server", neovim.messages)
    neovim.wait_for_server()
    neovim.keys("def add(")
    until(lambda: neovim.ghost() == "a, b):", "ghost text", neovim.text, lambda: neovim.keys("<BS>("))
    assert wait_for_process("serve") != old


def test_a_server_restarted_by_command_sees_what_is_typed(neovim: Neovim) -> None:
    neovim.keys("ix = 1<CR>")
    neovim.wait_for_text("x = 1\n")
    neovim.leave_insert()
    neovim.command("FimRestart")
    neovim.keys("odef add(")
    until(lambda: neovim.ghost() == "a, b):", "ghost text", neovim.text, lambda: neovim.keys("<Esc>A"))


# The line to write is the same in every file, so that the embedded model has something to say in each.
BEGUN = "import os\nimport sys\n\n\ndef main(arguments):\n"
BEGUN_LINE = "    for argument in argum"


def test_two_windows_share_one_engine_and_survive_its_death(programs: Path, tmp_path: Path, project: Path) -> None:
    settings = {"completion": {"confidence": "off", "deadline_ms": 30000}}
    first, second, third = (project / f"{name}.py" for name in ("first", "second", "third"))
    for file in (first, second, third):
        file.write_text(BEGUN, "utf-8")
    windows = []
    for file in (first, second):
        (tmp_path / file.stem).mkdir()
        windows.append(Neovim(programs, tmp_path / file.stem, embedded(), settings=settings))
        begin_line(windows[-1], file)
        accept_from_embedded_model(windows[-1], file)
    until(lambda: len(processes("serve")) == 2, "two servers", lambda: processes("serve"))
    engine = wait_for_process("fimserver.engine")

    os.kill(engine, signal.SIGSTOP)  # it dies in the middle of what the next line asks
    begin_line(windows[0], third)
    os.kill(engine, signal.SIGKILL)
    accept_from_embedded_model(windows[0], third)
    assert wait_for_process("fimserver.engine") != engine
    for window in windows:
        window.close()


def begin_line(editor: Neovim, file: Path) -> None:
    editor.open(file)
    editor.keys(f"Go<C-u>{BEGUN_LINE}")  # <C-u>: not where the language would indent to
    editor.wait_for_text(BEGUN + BEGUN_LINE)


def accept_from_embedded_model(editor: Neovim, file: Path) -> None:
    """Accept what the embedded model suggests, whatever that is; type through it where that is no key's name."""
    ask_again = partial(editor.keys, "<Esc>A")
    shown = until(steady(editor.ghost), "ghost text of the embedded model", editor.messages, ask_again)
    if shown[:2].isalnum() and len(shown) > 1:
        editor.keys(shown[0])
        editor.wait_for_text(BEGUN + BEGUN_LINE + shown[0])
        editor.wait_for_ghost(shown[1:])
    editor.keys("<Tab>")
    editor.wait_for_text(BEGUN + BEGUN_LINE + shown)
    editor.leave_insert()
    assert editor.saved(file) == BEGUN + BEGUN_LINE + shown + "\n"
