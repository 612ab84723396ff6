"""Real VS Code: the commands on a selection change the file, one undo takes it back, and findings are acted upon."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.editors.drive_vscode import CodeServer, Window, browser
from tests.editors.servers import VSIX, scripted, vscode_settings
from tests.editors.waiting import until

pytestmark = [pytest.mark.editors, pytest.mark.timeout(600)]

TOTAL = "def total(items):\n    result = 0\n    for item in items:\n        result += item\n    return result\n"
SHORT = "def total(items):\n    return sum(items)\n"
DOCUMENTED = TOTAL.replace(":\n", ':\n    """Return the sum."""\n', 1)

# A review of this text finds two things.
REVIEWED = f"{TOTAL}# reviewed\n"
TOO_LOW = {"line": 2, "quote": "result = 0", "category": "bug", "severity": "error", "message": "It starts too low."}
SLOW = {
    "line": 4,
    "quote": "result += item",
    "category": "performance",
    "severity": "warning",
    "message": "It is slow.",
}

REPLIES = [
    {"when": "The finding, on line 4", "text": "It adds **one by one**."},
    {"when": "# reviewed", "text": json.dumps({**TOO_LOW, "replacement": "result = 1"}) + "\n" + json.dumps(SLOW)},
    {"when": "documentation comment", "text": "```\nReturn the sum.\n```"},
    {"when": "take for ever", "pieces": ["```python\n", {"wait_for": "/no/such/file"}, "```"]},
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


def opened(window: Window, home: Path, name: str, text: str = TOTAL) -> Path:
    """Open a file with one function, the cursor in it."""
    file = home / "project" / name
    file.write_text(text, "utf-8")
    window.open(file)
    window.press("Control+Home")
    return file


def palette(window: Window, title: str) -> None:
    """Run a command that asks for something."""
    window.press("F1")
    window.page.wait_for_selector(INPUT).fill(f">{title}")
    window.page.wait_for_selector(f'.quick-input-list .monaco-list-row.focused[aria-label*="{title}"]')
    window.press("Enter")


def answer(window: Window, question: str, words: str) -> None:
    """Answer a question with words."""
    window.page.wait_for_selector(f".quick-input-widget:not(.hidden) .quick-input-message:has-text('{question}')")
    window.page.wait_for_selector(INPUT).fill(words)
    window.press("Enter")


PROGRESS = '[id="status.progress"]'
INPUT = ".quick-input-widget:not(.hidden) input[type=text]"


def test_a_function_is_simplified_and_one_undo_takes_it_back(window: Window, home: Path) -> None:
    file = opened(window, home, "simplify.py")
    palette(window, "Explain or Change the Selection")
    window.pick("Simplify")
    window.wait_until_saved_as(file, SHORT)
    window.page.click(".part.editor .view-lines")
    window.press("Control+z")
    window.wait_until_saved_as(file, TOTAL)


def test_a_function_is_changed_as_one_says(window: Window, home: Path) -> None:
    file = opened(window, home, "instruct.py")
    palette(window, "Change the Selection as I Say")
    answer(window, "What is to be changed?", "use a set")
    window.wait_until_saved_as(file, "def total(items):\n    return sum(set(items))\n")


def test_documentation_is_written_into_a_function(window: Window, home: Path) -> None:
    file = opened(window, home, "docstring.py")
    palette(window, "Explain or Change the Selection")
    window.pick("Write its documentation")
    window.wait_until_saved_as(file, DOCUMENTED)


def test_a_command_that_is_cancelled_changes_nothing_and_says_nothing(window: Window, home: Path) -> None:
    file = opened(window, home, "cancel.py")
    palette(window, "Change the Selection as I Say")
    answer(window, "What is to be changed?", "take for ever")
    window.page.click(f"{PROGRESS} a")
    window.answer("Cancel")
    until(lambda: not window.page.query_selector(PROGRESS), "its end", window.messages)
    window.page.click(".part.editor .view-lines")
    window.press("Control+End")
    window.type("x = 1")
    window.wait_until_saved_as(file, f"{TOTAL}x = 1")
    assert not window.messages()


def test_findings_of_a_review_are_fixed_explained_and_dismissed(window: Window, home: Path) -> None:
    file = opened(window, home, "reviewed.py", REVIEWED)
    palette(window, "Review…")
    window.pick("The file")
    until(lambda: len(problems(window)) == 2, "two findings", window.messages)

    act(window, 2, f"Fix: {TOO_LOW['message']}")
    window.page.click(".bulk-edit-panel .edit-checkbox")  # the edit is shown before it is made
    window.page.click('.monaco-button:has-text("Apply")')
    window.wait_until_saved_as(file, REVIEWED.replace("result = 0", "result = 1"))

    act(window, 4, f"Explain: {SLOW['message']}")
    window.page.wait_for_selector('.tab[aria-label*="Preview"]')
    act(window, 4, f"Dismiss: {SLOW['message']}")
    until(lambda: not problems(window), "no findings", lambda: problems(window))


def problems(window: Window) -> list[str]:
    """Return what the list of problems says."""
    rows = window.page.query_selector_all(".markers-panel .monaco-list-row")
    return [text for row in rows if "fimserver" in (text := row.inner_text())]


def act(window: Window, line: int, title: str) -> None:
    """Choose what VS Code offers on a line; the list of problems may take the focus away just then."""

    def ask() -> None:
        window.page.click(".part.editor .view-lines")
        window.press("Escape", "Control+Home", *["ArrowDown"] * (line - 1), "Control+.")

    action = f'.action-widget .monaco-list-row:has-text("{title}")'
    ask()
    until(lambda: window.page.query_selector(action), f"the action {title}", ask_again=ask)
    window.page.click(action)
