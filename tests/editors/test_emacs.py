"""Real Emacs with lsp-mode: what is drawn, what is accepted, and what then stands in the file."""

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from tests.editors.drive_terminal import Terminal
from tests.editors.servers import CHECKOUT, embedded, scripted
from tests.editors.waiting import until

pytestmark = [pytest.mark.editors, pytest.mark.timeout(600)]

INIT = Path(__file__).parent / "emacs_init.el"
BLOCK = "    result = 0\n    for item in items:\n        result += item\n    return result"
TOTAL = f"def total(items):\n{BLOCK}"

REPLIES = [
    {"ends": "def add(", "text": "a, b):\n"},
    {"ends": "def total(items):", "text": f"{BLOCK}\n"},
    {"ends": 'greeting = "héé 😀" + ', "text": "name + mark\n"},
]

TAB, END_OF_BUFFER, SAVE, UNDO = "\t", "\x1b>", "\x18\x13", "\x1f"


@pytest.fixture
def emacs(programs: Path, tmp_path: Path, project: Path) -> Iterator[Callable[[Path, Sequence[str]], Terminal]]:
    """Start Emacs on a file, with a server of this command."""
    started: list[Terminal] = []

    def start(file: Path, command: Sequence[str]) -> Terminal:
        environment = {
            **os.environ,
            "HOME": str(tmp_path),
            "TERM": "xterm-256color",
            "LANG": "C.UTF-8",
            "TEST_FOLDER": str(tmp_path),
            "FIMSERVER_EL": str(CHECKOUT / "editors" / "emacs"),
            "FIMSERVER_COMMAND": "({})".format(" ".join(f'"{word}"' for word in command)),
        }
        editor = Terminal([str(programs / "emacs"), "-nw", "-Q", "-l", str(INIT), str(file)], project, environment)
        started.append(editor)
        editor.wait_for("initialized successfully")
        editor.press(END_OF_BUFFER)
        return editor

    yield start
    for editor in started:
        editor.close()


def wait_until_saved_as(editor: Terminal, file: Path, text: str) -> None:
    """Save until the file is this."""

    def saved() -> str:
        editor.press(SAVE)
        return file.read_bytes().decode()

    until(lambda: saved() == text, f"{file.name} as {text!r}", lambda: (saved(), editor.lines()))


def test_typed_through_and_accepted_it_is_in_the_file(
    emacs: Callable[[Path, Sequence[str]], Terminal], tmp_path: Path, project: Path
) -> None:
    file = project / "code.py"
    file.write_text("x = 1\n\n", "utf-8")
    editor = emacs(file, scripted(tmp_path, REPLIES))
    editor.type("def add(")
    editor.wait_for("def add(a, b):")
    editor.type("a")
    # Until Emacs comes to the key the line reads the same, but the letter is part of the suggestion.
    until(lambda: editor.pale() == ", b):", "the rest of the suggestion", editor.lines)
    editor.wait_for("Accept: [")
    editor.wait_for("def add(a, b):")
    editor.press(TAB)
    wait_until_saved_as(editor, file, "x = 1\n\ndef add(a, b):\n")


def test_a_block_in_a_file_with_windows_line_ends_keeps_them(
    emacs: Callable[[Path, Sequence[str]], Terminal], tmp_path: Path, project: Path
) -> None:
    file = project / "windows.py"
    file.write_bytes(b"x = 1\r\n\r\n")
    editor = emacs(file, scripted(tmp_path, REPLIES))
    editor.type("def total(items):\r")
    editor.wait_for("return result")
    editor.press(TAB)
    wait_until_saved_as(editor, file, f"x = 1\n\n{TOTAL}\n".replace("\n", "\r\n"))


def test_one_undo_takes_the_suggestion_and_leaves_what_was_typed(
    emacs: Callable[[Path, Sequence[str]], Terminal], tmp_path: Path, project: Path
) -> None:
    file = project / "code.py"
    file.write_text("x = 1\n\n", "utf-8")
    editor = emacs(file, scripted(tmp_path, REPLIES))
    editor.type("def total(items):\r")
    editor.wait_for("return result")
    editor.press(TAB)
    editor.wait_until_gone("Accept: [")
    editor.wait_for("return result")
    editor.press(UNDO)
    editor.wait_until_gone("return result")
    assert editor.shows("def total(items):")


def test_characters_of_several_units_before_the_cursor_shift_nothing(
    emacs: Callable[[Path, Sequence[str]], Terminal], tmp_path: Path, project: Path
) -> None:
    file = project / "code.py"
    file.write_text('greeting = "héé 😀" +', "utf-8")
    editor = emacs(file, scripted(tmp_path, REPLIES))
    editor.type(" ")
    editor.wait_for("name + mark")
    editor.press(TAB)
    wait_until_saved_as(editor, file, 'greeting = "héé 😀" + name + mark\n')


def test_the_embedded_model_answers(
    emacs: Callable[[Path, Sequence[str]], Terminal], tmp_path: Path, project: Path
) -> None:
    """Whatever it writes: what is drawn is what is accepted."""
    file = project / "code.py"
    file.write_text("import os\nimport sys\n\n\ndef main(arguments):\n", "utf-8")
    editor = emacs(file, embedded())
    begun = "    for argument in argum"
    editor.type(begun)

    def ask_again() -> None:
        editor.press(" ", "\x7f")

    def shown() -> str:
        """Return what stands behind the typed text: Emacs names the keys once it draws a suggestion."""
        line = next((line for line in editor.lines() if begun in line), "")
        return line.partition(begun)[2] if editor.shows("Accept: [") else ""

    suggestion = until(shown, "ghost text of the embedded model", editor.lines, ask_again)
    editor.press(TAB)
    until(
        lambda: file.read_text("utf-8").startswith(
            f"import os\nimport sys\n\n\ndef main(arguments):\n{begun}{suggestion}"
        ),
        "the accepted suggestion in the file",
        editor.lines,
        lambda: editor.press(SAVE),
    )
