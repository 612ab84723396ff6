"""Real VS Code: the commands on a selection change the file, and one undo takes it back."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.editors.drive_vscode import CodeServer, Window, browser
from tests.editors.servers import VSIX, scripted, vscode_settings

pytestmark = [pytest.mark.editors, pytest.mark.timeout(240)]

TOTAL = "def total(items):\n    result = 0\n    for item in items:\n        result += item\n    return result\n"
SHORT = "def total(items):\n    return sum(items)\n"
REPLIES = [
    {"when": "make the part simpler", "text": f"```python\n{SHORT}```"},
    {"when": "use a set", "text": "```python\ndef total(items):\n    return sum(set(items))\n```"},
]


@pytest.fixture(scope="module")
def window(programs: Path, home: Path) -> Iterator[Window]:
    """A window in a project."""
    (home / "project" / ".git").mkdir(parents=True)
    server = CodeServer(programs, VSIX, home / "code", vscode_settings(scripted(home, REPLIES)))
    with server.running() as address, browser(programs) as chromium:
        page = chromium.new_page(viewport={"width": 1000, "height": 600})
        yield Window(page, address, home / "project")
        page.close()


def opened(window: Window, home: Path, name: str) -> Path:
    """Open a file with one function, the cursor in it."""
    file = home / "project" / name
    file.write_text(TOTAL, "utf-8")
    window.open(file)
    window.press("Control+Home")
    return file


def palette(window: Window, title: str) -> None:
    """Run a command that asks for something."""
    window.press("F1")
    window.page.wait_for_selector(INPUT).fill(f">{title}")
    window.page.wait_for_selector(f'.quick-input-list .monaco-list-row.focused[aria-label*="{title}"]')
    window.press("Enter")


def pick(window: Window, label: str) -> None:
    """Choose an entry of a list."""
    window.page.wait_for_selector(f'.quick-input-list .monaco-list-row[aria-label*="{label}"]').click()


def answer(window: Window, question: str, words: str) -> None:
    """Answer a question with words."""
    window.page.wait_for_selector(f".quick-input-widget:not(.hidden) .quick-input-message:has-text('{question}')")
    window.page.wait_for_selector(INPUT).fill(words)
    window.press("Enter")


INPUT = ".quick-input-widget:not(.hidden) input[type=text]"


def test_a_function_is_simplified_and_one_undo_takes_it_back(window: Window, home: Path) -> None:
    file = opened(window, home, "simplify.py")
    palette(window, "Explain or Change the Selection")
    pick(window, "Simplify")
    window.wait_until_saved_as(file, SHORT)
    window.page.click(".part.editor .view-lines")
    window.press("Control+z")
    window.wait_until_saved_as(file, TOTAL)


def test_a_function_is_changed_as_one_says(window: Window, home: Path) -> None:
    file = opened(window, home, "instruct.py")
    palette(window, "Change the Selection as I Say")
    answer(window, "What is to be changed?", "use a set")
    window.wait_until_saved_as(file, "def total(items):\n    return sum(set(items))\n")
