"""Drive a real VS Code: code-server on loopback, and Chromium in front of it."""

import json
import os
import re
import subprocess
import urllib.parse
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.editors.animation import Piece
from tests.editors.waiting import PATIENCE_S, until

CHROMIUM_OPTIONS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)

# No list of extensions, no updates, no welcome; and no word-based menu over the ghost text.
QUIET_SETTINGS = {
    "editor.quickSuggestions": {"other": "off", "comments": "off", "strings": "off"},
    "editor.suggestOnTriggerCharacters": False,
    "editor.parameterHints.enabled": False,
    "editor.minimap.enabled": False,
    "editor.cursorBlinking": "solid",
    "extensions.ignoreRecommendations": True,
    "files.autoSave": "off",
    "git.enabled": False,
    "telemetry.telemetryLevel": "off",
    "update.mode": "none",
    "window.restoreWindows": "none",
    "workbench.startupEditor": "none",
    "workbench.tips.enabled": False,
    "workbench.secondarySideBar.defaultVisibility": "hidden",
    "chat.disableAIFeatures": True,
    "editor.fontFamily": "DejaVu Sans Mono",
}

# Taken from the user's settings alone.
UNTRUSTED_SETTINGS = {"security.workspace.trust.startupPrompt": "never", "security.workspace.trust.banner": "never"}

# The first line of ghost text is drawn within the line, around what already stands there; more lie in a zone below.
GHOST = """() => {
    const text = (elements) => [...elements].map((element) => element.textContent);
    const inEditor = (selector) => document.querySelectorAll(`:is(.part.editor, .notebookOverlay) ${selector}`);
    const first = text(inEditor('.view-line [class*=ghost-text-decoration]')).join('');
    const more = text(inEditor('.suggest-preview-text .view-line'));
    return [first, ...more].join('\\n').replaceAll('\\u00a0', ' ').replaceAll('\\u200b', '');
}"""


# Every line on the screen, from top to bottom, in pieces: their text, their colour, and whether they are ghost text.
DRAWN = """() => {
    const top = (element) => element.getBoundingClientRect().top;
    const piece = (span) => {
        const ghost = /ghost-text/.test(span.className) || span.closest('.suggest-preview-text') !== null;
        const text = span.textContent.replaceAll('\\u00a0', ' ').replaceAll('\\u200b', '');
        return [text, getComputedStyle(span).color, ghost];
    };
    const lines = '.part.editor :is(.view-lines, .suggest-preview-text) .view-line';
    return [...document.querySelectorAll(lines)]
        .sort((one, other) => top(one) - top(other))
        .map((line) => [...line.querySelectorAll('span > span')].map(piece));
}"""


class CodeServer:
    """One code-server with the packaged extension in it. Folders that it does not trust it opens without a question."""

    def __init__(
        self, programs: Path, vsix: Path, folder: Path, settings: Mapping[str, Any], *, trusting: bool = True
    ) -> None:
        self.folder = folder
        self._trust = ["--disable-workspace-trust"] if trusting else []
        self._program = str(programs / "code-server")
        self._options = [f"--user-data-dir={folder / 'user'}", f"--extensions-dir={folder / 'extensions'}"]
        self._environment = {
            **os.environ,
            "HOME": str(folder),
            "XDG_CONFIG_HOME": str(folder / "config"),
            "XDG_DATA_HOME": str(folder / "share"),
            "EXTENSIONS_GALLERY": '{"serviceUrl":""}',
        }
        _write_json(folder / "user" / "User" / "settings.json", UNTRUSTED_SETTINGS)
        self.use_settings(settings)
        subprocess.run(
            [self._program, *self._options, "--install-extension", str(vsix)],
            env=self._environment,
            check=True,
            capture_output=True,
        )

    def use_settings(self, settings: Mapping[str, Any]) -> None:
        """Write the machine's settings: those that name a program are taken from nowhere else in a remote window."""
        _write_json(self.settings_file, {**QUIET_SETTINGS, **settings})

    @property
    def settings_file(self) -> Path:
        """The machine's settings."""
        return self.folder / "user" / "Machine" / "settings.json"

    @contextmanager
    def running(self) -> Iterator[str]:
        """Run it; yield its address."""
        log = self.folder / "code-server.log"
        command = [
            self._program,
            "--bind-addr=127.0.0.1:0",  # whichever is free: others may be started beside
            "--auth=none",
            "--disable-telemetry",
            "--disable-update-check",
            "--disable-getting-started-override",
            *self._trust,
            *self._options,
        ]
        with log.open("wb") as output:
            process = subprocess.Popen(command, env=self._environment, stdout=output, stderr=output)
            try:
                yield until(lambda: _address_in(log.read_text()), "code-server", log.read_text)
            finally:
                process.terminate()
                process.wait()


class Window:
    """One window of VS Code, in one page of a browser."""

    def __init__(self, page: Any, address: str, folder: Path) -> None:
        self.page = page
        self._last_typed = ""
        page.set_default_timeout(PATIENCE_S * 1000)
        page.goto(f"{address}/?" + urllib.parse.urlencode({"folder": str(folder)}))
        page.wait_for_selector(".monaco-workbench .explorer-folders-view")
        self.wait_until_started()

    def open(self, file: Path) -> None:
        """Open a file as a user does, by its name, with the cursor at its end."""
        self._open(file)
        self.page.wait_for_selector(".part.editor .monaco-editor.focused .view-line")
        self.press("Control+End")

    def open_cell(self, notebook: Path, number: int) -> None:
        """Open a notebook, with the cursor in one of its cells."""
        self._open(notebook)
        self.page.locator(".notebookOverlay .cell.code .view-lines").nth(number).click()

    def _open(self, file: Path) -> None:
        self.press("Control+p")
        box = self.page.wait_for_selector(".quick-input-widget:not(.hidden) input[type=text]")
        box.fill(str(file))
        self.page.wait_for_selector(f'.quick-input-list .monaco-list-row[aria-label^="{file.name}"]')
        self.press("Enter")
        self.page.wait_for_selector(f'.tab.active[data-resource-name="{file.name}"]')

    def press(self, *keys: str) -> None:
        """Press keys by their names: Control+End."""
        for key in keys:
            self.page.keyboard.press(key)

    def type(self, text: str, delay_ms: float = 20) -> None:
        """Type text like a user, into the editor."""
        self.page.keyboard.type(text, delay=delay_ms)
        self._last_typed = text[-1:]

    def type_last_again(self) -> None:
        """Type the last character once more in its own place.

        VS Code asks once for each text and place: even a command to suggest gets the empty answer of before again.
        """
        self.press("Backspace")
        self.type(self._last_typed)

    def ghost(self) -> str:
        """Return the ghost text that is on the screen."""
        return str(self.page.evaluate(GHOST))

    def drawn(self) -> list[list[Piece]]:
        """Return every line on the screen, as it is drawn."""
        return [[Piece(*piece) for piece in line] for line in self.page.evaluate(DRAWN)]

    def wait_for_ghost(self, text: str) -> None:
        """Wait until this ghost text is on the screen, and no other."""
        until(lambda: self.ghost() == text, f"the ghost text {text!r}", lambda: (self.ghost(), self.status()))

    def wait_until_saved_as(self, file: Path, text: str) -> None:
        """Save until the file is this, line ends and all: a save may come before the edit that it was meant for.

        A save may also come late, and empties the file before it writes: nothing but this method may read it.
        """

        def saved() -> bool:
            if self.page.query_selector(".tab.active.dirty"):
                self.press("Control+s")
                return False
            return file.read_bytes().decode() == text

        until(saved, f"{file.name} as {text!r}", lambda: (file.read_bytes().decode(), self.messages()))

    def command(self, title: str) -> None:
        """Run a command from the palette."""
        self.press("F1")
        box = self.page.wait_for_selector(".quick-input-widget:not(.hidden) input[type=text]")
        box.fill(f">{title}")
        self.page.wait_for_selector(f'.quick-input-list .monaco-list-row.focused[aria-label*="{title}"]')
        self.press("Enter")
        self.page.wait_for_selector(".part.editor .monaco-editor.focused")

    def pick(self, label: str) -> None:
        """Choose an entry of a list."""
        self.page.wait_for_selector(f'.quick-input-list .monaco-list-row[aria-label*="{label}"]').click()

    def status(self) -> str:
        """Return what the status item says."""
        item = self.page.query_selector('[id="fimserver.fimserver.status"] a')
        return (item.get_attribute("aria-label") or "") if item else ""

    def wait_for_status(self, text: str) -> None:
        """Wait until the status item says this."""
        until(lambda: text in self.status(), f"the status {text!r}", self.status)

    def wait_until_started(self) -> None:
        """Wait until the server has said something of itself."""
        unborn = ("", "fimserver: Not running.", "fimserver: Starting.", "fimserver: Stopped.")
        until(lambda: self.status() not in unborn, "the server", self.status)

    def messages(self) -> list[str]:
        """Return the messages that VS Code shows its user."""
        return [element.inner_text() for element in self.page.query_selector_all(".notification-toast-container")]

    def answer(self, button: str) -> None:
        """Press a button of the message that is shown."""
        self.page.click(f'.notifications-list-container .monaco-button:text-is("{button}")')

    def clear_messages(self) -> None:
        """Take all messages away."""
        self.command("Notifications: Clear All Notifications")
        until(lambda: not self.messages(), "an empty screen", self.messages)


@contextmanager
def browser(programs: Path, options: Sequence[str] = CHROMIUM_OPTIONS) -> Iterator[Any]:
    """Run Chromium without a screen."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=str(programs / "chromium"), args=list(options))
        try:
            yield chromium
        finally:
            chromium.close()


def _write_json(path: Path, value: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value), "utf-8")


def _address_in(log: str) -> str:
    """Return where code-server says that it listens; nothing before it does."""
    said = re.search(r"HTTP server listening on (http://[0-9.:]+)", log)
    return said[1] if said else ""
