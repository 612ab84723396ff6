"""Measure what VS Code's user waits for, and print it: FIMSERVER_FIGURES=1 make test-editors. Nothing is judged."""

import os
import statistics
from pathlib import Path
from typing import Any

import pytest

from tests.editors.drive_vscode import GHOST, CodeServer, Window, browser
from tests.editors.servers import VSIX, scripted, vscode_settings
from tests.editors.waiting import until

pytestmark = [
    pytest.mark.editors,
    pytest.mark.timeout(600),
    pytest.mark.skipif("FIMSERVER_FIGURES" not in os.environ, reason="measures: set FIMSERVER_FIGURES=1"),
]

ROUNDS = 5
# Each round another name: what was suggested once comes from memory.
REPLIES = [
    {"ends": f"def add_{number}(", "text": "first_number, second_number, third_number):\n"}
    for number in range(ROUNDS + 1)
]
TYPED_THROUGH = "first_number, second"

# For each key: the milliseconds from the browser's event to the frame in which the ghost text has become another.
WATCH = f"""() => {{
    const ghost = {GHOST};
    window.waited = [];
    addEventListener('keydown', () => {{
        const began = performance.now(), before = ghost();
        const look = () => {{
            const now = ghost();
            if (now !== before && now !== '') window.waited.push(performance.now() - began);
            else if (performance.now() - began < 5000) requestAnimationFrame(look);
        }};
        requestAnimationFrame(look);
    }}, true);
}}"""


def test_what_vscode_users_wait_for(programs: Path, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "project").mkdir()
    file = home / "project" / "sums.py"
    file.touch()
    server = CodeServer(programs, VSIX, home / "code", vscode_settings(scripted(home, REPLIES)))
    with server.running() as address, browser(programs) as chromium:
        window = Window(chromium.new_page(viewport={"width": 1000, "height": 600}), address, file.parent)
        window.open(file)
        window.type(f"def add_{ROUNDS}(")
        until(window.ghost, "ghost text", window.status, window.type_last_again)
        window.page.evaluate(WATCH)
        first, through = [], []
        for number in range(ROUNDS):
            window.press("Escape", "Control+a", "Backspace")
            window.type(f"def add_{number}", delay_ms=100)
            first.append(measured(window, "("))
            through += [measured(window, key) for key in TYPED_THROUGH]
        activation = activation_time(window)
    with capsys.disabled():
        print(f"\nextension: {VSIX.stat().st_size / 1000:.0f} kB, {activation}")
        print(f"key to new ghost text, answered at once: {told(first)}")
        print(f"key to ghost text typed through: {told(through)}")
        print(f"load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")


def measured(window: Window, key: str) -> float:
    """Press a key and return the milliseconds until the ghost text was another."""
    window.page.evaluate("window.waited.length = 0")
    window.press("Space" if key == " " else key)
    waited: list[Any] = until(lambda: window.page.evaluate("window.waited"), f"ghost text after {key!r}", window.ghost)
    return float(waited[0])


def activation_time(window: Window) -> str:
    """Return what VS Code itself says of the extension's start."""
    window.press("F1")
    box = window.page.wait_for_selector(".quick-input-widget:not(.hidden) input[type=text]")
    box.fill(">Show Running Extensions")
    window.page.wait_for_selector('.quick-input-list .monaco-list-row.focused[aria-label*="Show Running Extensions"]')
    window.press("Enter")
    row = window.page.wait_for_selector('.runtime-extensions-editor .extension:has-text("fimserver")')
    return " ".join(row.query_selector(".activation-time").inner_text().split())


def told(waited_ms: list[float]) -> str:
    return (
        f"median {statistics.median(waited_ms):.0f} ms, least {min(waited_ms):.0f}, most {max(waited_ms):.0f} "
        f"({len(waited_ms)} keys)"
    )
