"""Make the documents' pictures from a real editor and the embedded model: FIMSERVER_PICTURES=1 make test-editors."""

import os
import shutil
from pathlib import Path

import pytest

from tests.editors.animation import Frame, animated
from tests.editors.drive_vscode import CodeServer, Window, browser
from tests.editors.servers import CHECKOUT, VSIX, embedded, vscode_settings
from tests.editors.waiting import until

pytestmark = [
    pytest.mark.editors,
    pytest.mark.timeout(600),
    pytest.mark.skipif("FIMSERVER_PICTURES" not in os.environ, reason="writes into docs/: set FIMSERVER_PICTURES=1"),
]

IMAGES = CHECKOUT / "docs" / "images"
BEGUN = """def read_lines(path):
    with open(path, encoding="utf-8") as file:
        return file.read().splitlines()


"""
TYPED = "def write_lines(path, lines):\nw"

# Whoever looks at the picture shall see the suggestions, also those that the model is not sure of.
LOOK = {
    "fimserver.completion.confidence": "off",
    "fimserver.completion.deadline_ms": 30000,
    "workbench.colorTheme": "Default Dark Modern",
    "editor.fontSize": 16,
}

# VS Code asks 60 ms after a key; nothing shows that the answer is empty.
SETTLED_MS = 400
KEY_MS, PAUSE_MS = 180, 1600


def test_what_the_documents_show(programs: Path, home: Path) -> None:
    (home / "project").mkdir()
    file = home / "project" / "notes.py"
    file.write_text(BEGUN, "utf-8")
    server = CodeServer(programs, VSIX, home / "code", vscode_settings(embedded(), **LOOK))
    with server.running() as address, browser(programs) as chromium:
        window = Window(chromium.new_page(viewport={"width": 900, "height": 420}), address, file.parent)
        window.press("Control+b")  # no side bar in the picture
        window.open(file)
        frames = record(window)
        IMAGES.mkdir(exist_ok=True)
        (IMAGES / "typing.svg").write_text(animated(frames, "Ghost text follows what is typed in VS Code"), "utf-8")
        window.press("Control+z")
        until(window.ghost, "ghost text", window.status, lambda: window.press("Alt+\\"))
        window.page.screenshot(path=IMAGES / "vscode.png")
        shutil.copy(IMAGES / "vscode.png", CHECKOUT / "editors" / "vscode" / "media" / "ghost-text.png")


def record(window: Window) -> list[Frame]:
    """Type, accept, and return what was on the screen after every key."""
    frames = []
    for key in TYPED:
        window.type(key)
        window.page.wait_for_timeout(SETTLED_MS)
        frames.append(Frame(window.drawn(), KEY_MS))
    shown = until(window.ghost, "ghost text", window.status, lambda: window.press("Alt+\\"))
    frames[-1] = Frame(window.drawn(), PAUSE_MS)
    window.press("Tab")
    until(lambda: not window.ghost().startswith(shown), "the accepted text", window.ghost)
    return [*frames, Frame(window.drawn(), PAUSE_MS)]
