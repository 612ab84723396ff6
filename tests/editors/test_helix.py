"""Real Helix: the suggestion is an entry of the completion menu."""

import os
import re
import tomllib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from tests.editors.drive_terminal import Terminal
from tests.editors.servers import CHECKOUT, embedded, scripted, wait_for_process
from tests.editors.waiting import steady, until

pytestmark = [pytest.mark.editors, pytest.mark.timeout(600)]

REPLIES = [
    {"ends": "def add(", "text": "a, b):\n"},
    {"ends": 'greeting = "héé 😀" + ', "text": "name + mark\n"},
]

BEGUN = "import os\nimport sys\n\n\ndef main(arguments):\n"

# A line of the file, behind its number; of an empty one there is nothing more.
NUMBERED = re.compile(r" *\d+(?:  (.*))?")

ESCAPE, ENTER, NEXT_ENTRY, BACKSPACE = "\x1b", "\r", "\x0e", "\x7f"


@pytest.fixture
def helix(programs: Path, tmp_path: Path, project: Path) -> Iterator[Callable[[Path, Sequence[str]], Terminal]]:
    """Start Helix on a file, in insert mode on a new last line, with a server of this command."""
    started: list[Terminal] = []

    def start(file: Path, command: Sequence[str]) -> Terminal:
        write_configuration(tmp_path / "config" / "helix", command)
        environment = {
            **os.environ,
            "HOME": str(tmp_path),
            "XDG_CONFIG_HOME": str(tmp_path / "config"),
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
            "LANG": "C.UTF-8",
        }
        editor = Terminal([str(programs / "hx"), str(file)], project, environment)
        started.append(editor)
        editor.wait_for(file.name)
        wait_for_process("serve")
        editor.press("g", "e", "o")
        editor.wait_for("INS")
        return editor

    yield start
    for editor in started:
        editor.close()


def write_configuration(folder: Path, command: Sequence[str]) -> None:
    """Write Python's block of the configuration that is documented, with this command."""
    documented = tomllib.loads((CHECKOUT / "editors" / "helix" / "languages.toml").read_text("utf-8"))
    assert documented["language-server"]["fimserver"] == {"command": "fimserver", "args": ["serve"]}
    folder.mkdir(parents=True)
    words = ", ".join(f'"{word}"' for word in command[1:])
    (folder / "languages.toml").write_text(
        f'[language-server.fimserver]\ncommand = "{command[0]}"\nargs = [{words}]\n'
        'config = { completion = { confidence = "off", deadline_ms = 30000 } }\n'
        '[[language]]\nname = "python"\nlanguage-servers = ["fimserver"]\n',
        "utf-8",
    )


def type_last_again(editor: Terminal, key: str) -> Callable[[], None]:
    """Return what makes Helix ask again: it asks when a key is typed, and the server may have come up since."""
    return lambda: editor.press(BACKSPACE, key)


def accept(editor: Terminal, entry: str) -> None:
    """Choose the menu's first entry and take it."""
    editor.press(NEXT_ENTRY)
    editor.wait_for(entry)
    editor.press(ENTER)


def wait_until_saved_as(editor: Terminal, file: Path, text: str) -> None:
    """Leave insert mode and save until the file is this."""
    editor.press(ESCAPE)
    editor.wait_for("NOR")

    def save() -> None:
        editor.press(":", "w", ENTER)

    save()
    until(
        lambda: file.read_text("utf-8") == text,
        f"{file.name} as {text!r}",
        lambda: (file.read_text(), editor.lines()),
        save,
    )


def text_on_screen(editor: Terminal) -> str:
    """Return the file as it is drawn, without the numbers of its lines."""
    drawn = filter(None, map(NUMBERED.fullmatch, editor.lines()))
    return "".join(f"{line[1] or ''}\n" for line in drawn)


def test_a_bracket_closed_by_the_editor_is_not_doubled(
    helix: Callable[[Path, Sequence[str]], Terminal], tmp_path: Path, project: Path
) -> None:
    file = project / "code.py"
    file.write_text("x = 1\n", "utf-8")
    editor = helix(file, scripted(tmp_path, REPLIES))
    editor.type("def add(")
    editor.wait_for("a, b):", type_last_again(editor, "("))
    accept(editor, "def add(a, b):")
    wait_until_saved_as(editor, file, "x = 1\ndef add(a, b):\n")


def test_characters_of_several_bytes_before_the_cursor_shift_nothing(
    helix: Callable[[Path, Sequence[str]], Terminal], tmp_path: Path, project: Path
) -> None:
    file = project / "code.py"
    file.write_text("x = 1\n", "utf-8")
    editor = helix(file, scripted(tmp_path, REPLIES))
    editor.type('greeting = "héé 😀')
    editor.press("\x1b[C")  # over the quotation mark that Helix has closed
    editor.type(" + ")
    editor.wait_for("name + mark", type_last_again(editor, " "))
    accept(editor, '😀" + name + mark')
    wait_until_saved_as(editor, file, 'x = 1\ngreeting = "héé 😀" + name + mark\n')


def test_the_embedded_model_answers(
    helix: Callable[[Path, Sequence[str]], Terminal], tmp_path: Path, project: Path
) -> None:
    """Whatever it writes: what the menu shows is what is accepted."""
    file = project / "code.py"
    file.write_text(BEGUN, "utf-8")
    editor = helix(file, embedded())
    begun = "    for argument in argum"
    editor.type(begun)
    editor.wait_for(begun)

    def code() -> str:
        """Return what stands behind the typed text."""
        return next((line.partition(begun)[2] for line in editor.lines() if begun in line), "")

    def menu() -> str:
        """Return the line below the cursor's, which is the menu's only entry."""
        lines = editor.lines()
        below = (lines[number + 1] for number, line in enumerate(lines[:-1]) if begun in line)
        return next(below, "").removeprefix("    ~").strip()

    until(steady(menu), "an entry of the embedded model", editor.lines, type_last_again(editor, "m"))
    editor.press(NEXT_ENTRY)
    chosen = until(steady(code), "the entry in the text", editor.lines)
    editor.press(ENTER)
    editor.press(ESCAPE)
    editor.wait_for("NOR")
    accepted = until(steady(lambda: text_on_screen(editor)), "the file on the screen", editor.lines)
    assert accepted.startswith(f"{BEGUN}{begun}{chosen}\n")  # the menu may hide more lines
    wait_until_saved_as(editor, file, accepted)
