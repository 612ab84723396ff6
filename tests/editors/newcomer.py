"""Open VS Code or Neovim as its user has set it up, type a line, and print the ghost text that appears.

    python tests/editors/newcomer.py code-server|neovim FILE TEXT

Unlike the tests, nothing is given to the editor: what it knows of fimserver stands in its user's own folders.
"""

import os
import sys
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).parents[2]
sys.path.insert(0, str(CHECKOUT))

from tests.editors.drive_neovim import Neovim  # noqa: E402 - a program, started by its path
from tests.editors.drive_vscode import CodeServer, Window, browser  # noqa: E402
from tests.editors.waiting import steady, until  # noqa: E402

PROGRAMS = CHECKOUT / ".editors" / "bin"


class OwnNeovim(Neovim):
    """Neovim with its user's own configuration."""

    def __init__(self) -> None:
        import pynvim

        arguments = [str(PROGRAMS / "nvim"), "--embed", "--headless", "-i", "NONE", "-n"]
        self._nvim = pynvim.attach("child", argv=arguments)


class OwnCodeServer(CodeServer):
    """VS Code with its user's own extensions and settings."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._trust = ["--disable-workspace-trust"]
        self._program = str(PROGRAMS / "code-server")
        self._options: list[str] = []
        self._environment = {**os.environ, "EXTENSIONS_GALLERY": '{"serviceUrl":""}'}


def in_neovim(file: Path, text: str) -> str:
    """Return the ghost text behind a new line at the file's end."""
    editor = OwnNeovim()
    try:
        editor.open(file)
        editor.keys(f"Go{text}")
        return _seen(editor, lambda: editor.keys(f"<BS>{text[-1]}"))
    finally:
        editor.close()


def in_code_server(file: Path, text: str) -> str:
    """Return the ghost text behind a new line at the file's end."""
    with OwnCodeServer(file.parent).running() as address, browser(PROGRAMS) as chromium:
        window = Window(chromium.new_page(viewport={"width": 1000, "height": 600}), address, file.parent)
        window.open(file)
        window.press("Enter")
        window.type(text)
        return _seen(window, window.type_last_again)


def _seen(editor: Any, again: Any) -> str:
    """Return the ghost text once it stands still; the engine may still be loading when it is asked first."""
    return str(until(steady(editor.ghost), "ghost text", None, again))


if __name__ == "__main__":
    name, file, text = sys.argv[1:]
    print((in_code_server if name == "code-server" else in_neovim)(Path(file), text))
