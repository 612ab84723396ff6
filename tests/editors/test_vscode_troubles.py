"""Real VS Code where something is wrong: one message with a button that mends it, and typing is never disturbed.

One window on a folder that is not trusted and wants to choose the server itself; its troubles follow one another.
"""

import json
import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.editors.drive_vscode import CodeServer, Window, browser
from tests.editors.servers import VSIX, embedded, processes, scripted, vscode_settings, wait_for_process
from tests.editors.waiting import steady, until

pytestmark = [pytest.mark.editors, pytest.mark.timeout(600)]

REPLIES = [{"ends": "def add(", "text": "a, b):\n"}]

# What the folder's own settings ask for, and must not get.
WORKSPACE_SETTINGS = {"fimserver.server.command": "/bin/evil", "fimserver.model.completion": "/evil.gguf"}

STARTS_BEFORE_GIVING_UP = 5


@pytest.fixture(scope="module")
def server(programs: Path, home: Path) -> Iterator[CodeServer]:
    """A code-server in which no fimserver is installed, and whose Python is too old to install it."""
    python = program(home / "python", "echo Python 3.8.10")
    without = [folder for folder in os.environ["PATH"].split(":") if not (Path(folder) / "fimserver").exists()]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", ":".join(without))
        settings = {"fimserver.server.python": str(python)}
        yield CodeServer(programs, VSIX, home / "code", settings, trusting=False)


@pytest.fixture(scope="module")
def window(server: CodeServer, programs: Path, home: Path) -> Iterator[Window]:
    project = home / "project"
    (project / ".vscode").mkdir(parents=True)
    (project / ".vscode" / "settings.json").write_text(json.dumps(WORKSPACE_SETTINGS), "utf-8")
    with server.running() as address, browser(programs) as chromium:
        page = chromium.new_page(viewport={"width": 1000, "height": 600})
        yield Window(page, address, project)
        page.close()


def program(path: Path, script: str) -> Path:
    path.write_text(f"#!/bin/sh\n{script}\n", "utf-8")
    path.chmod(0o755)
    return path


def only_message(window: Window, *parts: str) -> None:
    """Wait for a message with these words and buttons, and for no other beside it."""
    told = until(steady(window.messages), f"a message {parts}", window.status)
    assert len(told) == 1, told
    assert all(part in told[0] for part in parts), told


def type_undisturbed(window: Window, home: Path, name: str) -> Path:
    """Type a line, and find it in the file."""
    file = home / "project" / name
    file.touch()
    window.open(file)
    window.type("x = 1\n")
    window.wait_until_saved_as(file, "x = 1\n")
    return file


def test_a_server_that_is_not_installed_cannot_be_installed_with_an_old_python(window: Window, home: Path) -> None:
    only_message(window, "is not installed", "Install…", "Choose Program…")
    type_undisturbed(window, home, "not_installed.py")
    window.answer("Install…")
    window.page.click('.monaco-dialog-box .monaco-button:text-is("Install")')
    only_message(window, "needs Python 3.11 or later", "Show Log", "Restart")
    window.clear_messages()


def test_a_server_that_cannot_start_is_told_once(window: Window, server: CodeServer, home: Path) -> None:
    broken = program(home / "broken", "echo 'SyntaxError: invalid syntax' >&2; exit 1")
    server.use_settings(vscode_settings([str(broken)]))
    only_message(window, "did not start", "Show Log", "Restart")
    type_undisturbed(window, home, "broken.py")
    window.clear_messages()


def test_a_setting_with_a_typo_is_named_and_suggestions_go_on(window: Window, server: CodeServer, home: Path) -> None:
    settings = {"fimserver.completion.confidence": "hihg"}
    server.use_settings(vscode_settings(scripted(home, REPLIES), **settings))
    only_message(window, "confidence", "hihg", "Open Settings")
    suggest(window, type_undisturbed(window, home, "typo.py"))
    window.clear_messages()


def test_an_untrusted_read_only_folder_gets_suggestions_chooses_nothing_and_stays_as_it_is(
    window: Window, server: CodeServer, home: Path
) -> None:
    server.use_settings(vscode_settings(scripted(home, REPLIES)))
    file = type_undisturbed(window, home, "read_only.py")
    assert window.page.query_selector('.statusbar-item:has-text("Restricted Mode")')
    before = names(file.parent)
    with read_only(file.parent):
        suggest(window, file)
    assert not window.messages()
    assert names(file.parent) == before


def test_a_server_that_ends_five_times_stays_stopped_until_it_is_restarted(window: Window, home: Path) -> None:
    killed: Sequence[int] = []
    for _ in range(STARTS_BEFORE_GIVING_UP):
        until(lambda killed=killed: processes("serve") not in ([], killed), "a new server", window.status)
        killed = [wait_for_process("serve")]
        window.wait_for_status("Ready")
        os.kill(killed[0], signal.SIGKILL)
    only_message(window, "ended five times", "Show Log", "Restart")
    file = type_undisturbed(window, home, "killed.py")
    assert processes("serve") == []
    window.answer("Restart")
    window.wait_for_status("Ready")
    suggest(window, file)
    assert not window.messages()


def test_a_model_that_is_missing_is_told_and_another_one_chosen(window: Window, server: CodeServer, home: Path) -> None:
    server.use_settings(vscode_settings(embedded(), **{"fimserver.model.completion": "/nowhere/model.gguf"}))
    only_message(window, "/nowhere/model.gguf", "fimserver models", "Choose Model…", "Restart the Engine")
    type_undisturbed(window, home, "no_model.py")
    window.answer("Choose Model…")
    window.pick("For suggestions")
    window.pick("embedded")
    window.wait_for_status("Ready")
    assert json.loads(server.settings_file.read_text("utf-8"))["fimserver.model.completion"] == "embedded"


def suggest(window: Window, file: Path) -> None:
    """Be suggested something, and accept it."""
    window.type("def add(")
    until(window.ghost, "ghost text", window.status, window.type_last_again)
    window.press("Tab")
    window.wait_until_saved_as(file, "x = 1\ndef add(a, b):")


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    folder.chmod(0o555)
    yield
    folder.chmod(0o755)


def names(folder: Path) -> set[Path]:
    """Return everything below a folder."""
    return set(folder.rglob("*"))
