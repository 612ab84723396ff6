"""Real VS Code with the packaged extension: what is drawn, what is accepted, and what then stands in the file."""

import json
import os
import random
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.editors.drive_vscode import CodeServer, Window, browser
from tests.editors.servers import VSIX, embedded, processes, scripted, vscode_settings, wait_for_process
from tests.editors.waiting import steady, until

pytestmark = [pytest.mark.editors, pytest.mark.timeout(600)]

MOST_BYTES = 300_000

BLOCK = "    result = 0\n    for item in items:\n        result += item\n    return result"
TOTAL = f"def total(items):\n{BLOCK}"

# The long form, a thousand, takes some minutes.
ACCEPTS = int(os.environ.get("FIMSERVER_ACCEPTS", "10"))

REPLIES: list[dict[str, Any]] = [
    *({"ends": f"value_{n} = call(", "text": f"a{n}, b{n})\n"} for n in range(ACCEPTS)),
    {"ends": "def add(", "text": "a, b):\n"},
    {"ends": "def total(items):", "text": f"{BLOCK}\n"},
    {"ends": "if ready:\n    start()", "text": "else:\n"},
    {"ends": 'greeting = "héé 😀" + ', "text": "name + mark\n"},
    {"ends": "return factorial", "text": "(n - 1)\n"},
    {"ends": "radius = 2\n\narea = ", "text": "radius * radius\n"},
]


@pytest.fixture(scope="module")
def chromium(programs: Path) -> Iterator[Any]:
    with browser(programs) as chromium:
        yield chromium


@pytest.fixture(scope="module")
def server(programs: Path, home: Path) -> CodeServer:
    """A code-server with the extension, whose language server answers from the script."""
    return CodeServer(programs, VSIX, home / "code", vscode_settings(scripted(home, REPLIES)))


@pytest.fixture(scope="module")
def address(server: CodeServer) -> Iterator[str]:
    with server.running() as address:
        yield address


@pytest.fixture(scope="module")
def shared_window(chromium: Any, address: str, home: Path) -> Iterator[Window]:
    """One window for all tests that do not disturb it: each opens a file of its own."""
    (home / "project" / ".git").mkdir(parents=True)
    page = chromium.new_page(viewport={"width": 1000, "height": 600})
    window = Window(page, address, home / "project")
    first = home / "project" / "first_of_all.py"
    first.touch()
    window.open(first)
    window.type("def add(")
    # VS Code brings its ghost text up when it finds the time, some seconds after the window: until then no key asks.
    until(window.ghost, "ghost text", window.status, window.type_last_again)
    yield window
    page.close()


@pytest.fixture
def file(home: Path, request: pytest.FixtureRequest) -> Path:
    """An empty Python file, named like the test."""
    file = home / "project" / f"{request.node.name}.py"
    file.parent.mkdir(exist_ok=True)
    file.touch()
    return file


@pytest.fixture
def window(shared_window: Window, file: Path) -> Iterator[Window]:
    shared_window.open(file)
    yield shared_window
    shared_window.press("Escape", "Escape")
    assert not shared_window.messages()


def test_the_package_is_small() -> None:
    assert VSIX.stat().st_size <= MOST_BYTES


def test_typed_through_and_accepted_it_is_in_the_file(window: Window, file: Path) -> None:
    window.type("def sum(a, b): return a + b")
    window.press("Enter")
    window.type("def add(")
    window.wait_for_ghost("a, b:")  # the bracket that VS Code has closed stands between, and is not grey
    window.type("a, ")
    window.wait_for_ghost("b:")
    window.press("Tab")
    window.wait_until_saved_as(file, "def sum(a, b): return a + b\ndef add(a, b):")


def test_a_bracket_closed_by_the_editor_is_not_doubled(window: Window, file: Path) -> None:
    window.type("def add(")
    window.wait_for_ghost("a, b:")
    window.press("Tab")
    window.wait_until_saved_as(file, "def add(a, b):")


def test_a_block_is_suggested_whole(window: Window, file: Path) -> None:
    window.type("def total(items):\n")
    window.wait_for_ghost(BLOCK.removeprefix("    "))
    window.press("Tab")
    window.wait_until_saved_as(file, TOTAL)


def test_a_dedent_takes_the_indentation_away(window: Window, file: Path) -> None:
    window.type("if ready:\nstart()\n")
    window.wait_for_ghost("else:")
    window.press("Tab")
    window.wait_until_saved_as(file, "if ready:\n    start()\nelse:")


def test_a_file_with_windows_line_ends_keeps_them(shared_window: Window, file: Path) -> None:
    file.write_bytes(b"x = 1\r\n\r\n")
    shared_window.open(file)
    shared_window.type("def total(items):\n")
    shared_window.wait_for_ghost(BLOCK.removeprefix("    "))
    shared_window.press("Tab")
    shared_window.wait_until_saved_as(file, f"x = 1\n\n{TOTAL}".replace("\n", "\r\n"))


def test_characters_of_two_units_before_the_cursor_shift_nothing(window: Window, file: Path) -> None:
    window.type('greeting = "héé 😀" + ')
    window.wait_for_ghost("name + mark")
    window.press("Tab")
    window.wait_until_saved_as(file, 'greeting = "héé 😀" + name + mark')


def test_with_the_suggest_widget_open_it_goes_on_from_the_selected_entry(window: Window, file: Path) -> None:
    window.type("factorial = 1\nreturn fac")
    window.press("Control+Space")
    window.page.wait_for_selector('.suggest-widget.visible .monaco-list-row.focused[aria-label^="factorial"]')
    until(lambda: window.ghost().endswith("(n - 1)"), "the selected entry and what follows", window.ghost)
    window.press("Tab")  # the widget's entry
    window.wait_for_ghost("(n - 1)")
    window.press("Tab")
    window.wait_until_saved_as(file, "factorial = 1\nreturn factorial(n - 1)")


def test_a_word_and_a_line_are_accepted_alone(window: Window, file: Path) -> None:
    window.type("def total(items):\n")
    window.wait_for_ghost(BLOCK.removeprefix("    "))
    window.press("Control+ArrowRight")
    window.wait_until_saved_as(file, "def total(items):\n    result")
    window.press("Control+Alt+ArrowRight")
    window.press("Control+Alt+ArrowRight")
    window.wait_until_saved_as(file, "def total(items):\n    result = 0\n    for item in items:\n")


def test_one_undo_takes_the_suggestion_and_leaves_what_was_typed(window: Window, file: Path) -> None:
    window.type("def total(items):\n")
    window.wait_for_ghost(BLOCK.removeprefix("    "))
    window.press("Tab")
    window.wait_until_saved_as(file, TOTAL)
    window.press("Control+z")
    window.wait_until_saved_as(file, "def total(items):\n    ")


@pytest.mark.timeout(3600)
def test_no_character_is_left_over_however_fast_one_accepts(window: Window, file: Path) -> None:
    dice = random.Random(1)
    for number in range(ACCEPTS):
        window.press("Control+End")
        window.type(f"{'' if number == 0 else chr(10)}value_{number} = call(", delay_ms=0)
        # VS Code closes the bracket by itself, unless it is not done with colouring the line: then that is suggested.
        whole = (f"a{number}, b{number}", f"a{number}, b{number})")
        until(lambda whole=whole: window.ghost() in whole, f"the ghost text {whole[0]!r}", window.ghost)
        window.type(f"a{number}, "[: dice.randrange(4)], delay_ms=0)
        window.press("Tab")
        until(lambda: not window.ghost(), "the accepted text", window.ghost)
    expected = "\n".join(f"value_{number} = call(a{number}, b{number})" for number in range(ACCEPTS))
    window.wait_until_saved_as(file, expected)


def test_a_cell_of_a_notebook_is_completed_in_sight_of_the_cell_above(shared_window: Window, home: Path) -> None:
    notebook = home / "project" / "areas.ipynb"
    cells = [{"cell_type": "code", "metadata": {}, "outputs": [], "source": source} for source in ("radius = 2", "")]
    python = {"language_info": {"name": "python"}}
    notebook.write_text(json.dumps({"cells": cells, "metadata": python, "nbformat": 4, "nbformat_minor": 5}), "utf-8")
    shared_window.open_cell(notebook, 1)
    shared_window.type("area = ")
    shared_window.wait_for_ghost("radius * radius")
    shared_window.press("Tab")
    shared_window.press("Control+s")
    expected = "area = radius * radius"
    until(lambda: expected in notebook.read_text("utf-8"), expected, lambda: notebook.read_text("utf-8"))


def test_snoozed_nothing_is_drawn_and_the_status_says_so(window: Window) -> None:
    window.command("Silence for 5 Minutes")
    window.wait_for_status("Silent")
    window.type("def add(")
    window.press("Escape")
    assert window.ghost() == ""
    window.command("Silence for 5 Minutes")
    window.press("Control+End", "Enter")
    window.type("def add(")
    until(window.ghost, "ghost text", window.status)


def test_what_was_dismissed_comes_again_when_it_is_asked_for(window: Window) -> None:
    window.type("def add(")
    until(window.ghost, "ghost text", window.status)
    window.press("Escape")
    until(lambda: not window.ghost(), "no ghost text", window.ghost)
    window.press("Alt+\\")
    until(window.ghost, "ghost text", window.status)


def test_why_is_told(window: Window) -> None:
    window.type("def add(")
    window.wait_for_ghost("a, b:")
    window.command("Why Is Nothing Suggested?")
    until(lambda: any("The last suggestion was shown" in text for text in window.messages()), "why", window.messages)
    window.clear_messages()


def test_a_killed_server_is_started_again_and_typing_goes_on(window: Window, file: Path) -> None:
    old = wait_for_process("serve")
    os.kill(old, signal.SIGKILL)
    window.type("x = 1\n")
    until(lambda: processes("serve") not in ([], [old]), "a new server")
    window.wait_for_status("Ready")
    window.type("def add(")
    window.wait_for_ghost("a, b:")
    window.press("Tab")
    window.wait_until_saved_as(file, "x = 1\ndef add(a, b):")


def test_a_program_that_is_missing_is_told_once_with_buttons_and_the_settings_are_followed(
    shared_window: Window, file: Path, server: CodeServer, home: Path
) -> None:
    shared_window.open(file)
    server.use_settings(vscode_settings(["/nowhere/fimserver"]))
    told = until(shared_window.messages, "a message", shared_window.status)
    assert len(told) == 1
    assert all(text in told[0] for text in ("/nowhere/fimserver", "Install…", "Choose Program…"))
    shared_window.type("x = 1\n")
    shared_window.wait_until_saved_as(file, "x = 1\n")
    server.use_settings(vscode_settings(scripted(home, REPLIES)))
    shared_window.wait_for_status("Ready")
    shared_window.type("def add(")
    shared_window.wait_for_ghost("a, b:")
    shared_window.clear_messages()


# The line to write is the same in every file, so that the embedded model has something to say in each.
BEGUN = "import os\nimport sys\n\n\ndef main(arguments):\n"
BEGUN_LINE = "    for argument in argum"


def test_two_windows_share_one_engine_and_survive_its_death(
    chromium: Any, server: CodeServer, shared_window: Window, address: str, home: Path
) -> None:
    """The last test: it changes the settings of all windows to the embedded model."""
    settings = {"fimserver.completion.confidence": "off", "fimserver.completion.deadline_ms": 30000}
    server.use_settings(vscode_settings(embedded(), **settings))
    first, second, third = (home / "project" / f"{name}.py" for name in ("first", "second", "third"))
    for file in (first, second, third):
        file.write_text(BEGUN, "utf-8")
    begin_line(shared_window, first)
    accept_from_embedded_model(shared_window, first)
    window = Window(chromium.new_page(viewport={"width": 1000, "height": 600}), address, second.parent)
    begin_line(window, second)
    accept_from_embedded_model(window, second)
    engine = wait_for_process("fimserver.engine")

    os.kill(engine, signal.SIGSTOP)  # it dies in the middle of what the next line asks
    begin_line(window, third)
    os.kill(engine, signal.SIGKILL)
    until(lambda: any("Restart the Engine" in text for text in window.messages()), "a message", window.status)
    accept_from_embedded_model(window, third)
    assert wait_for_process("fimserver.engine") != engine


def begin_line(window: Window, file: Path) -> None:
    window.open(file)
    window.type(BEGUN_LINE)
    window.wait_until_saved_as(file, BEGUN + BEGUN_LINE)


def accept_from_embedded_model(window: Window, file: Path) -> None:
    """Accept what the embedded model suggests, whatever that is; type through it where that is no bracket or quote."""
    shown = until(steady(window.ghost), "ghost text of the embedded model", window.status, window.type_last_again)
    if shown[:2].isalnum() and len(shown) > 1:
        window.type(shown[0])
        window.wait_for_ghost(shown[1:])
    window.press("Tab")
    window.wait_until_saved_as(file, BEGUN + BEGUN_LINE + shown)
