"""The walk-through does what the documents say today, and its log tells nothing of the machine it ran on."""

import re
import runpy
from pathlib import Path

import pytest

from tests.docs.blocks import ROOT

WALK = runpy.run_path(str(ROOT / "scripts" / "walkthrough.py"))
README = (ROOT / "README.md").read_text("utf-8")
EDITORS = (ROOT / "docs" / "editors.md").read_text("utf-8")
LOG = (ROOT / "docs" / "walkthrough.md").read_text("utf-8")


@pytest.mark.parametrize(
    ("document", "heading", "command"),
    [
        pytest.param(README, "# fimserver", "make demo", id="install it, and see it work"),
        pytest.param(README, "## Pick your editor", ".venv/bin/fimserver setup", id="set up the editors"),
        pytest.param(EDITORS, "## VS Code", "cd editors/vscode", id="build the extension"),
    ],
)
def test_what_is_done_is_what_stands_there(document: str, heading: str, command: str) -> None:
    assert WALK["first_command"](document, heading) == command


def test_the_log_is_of_these_commands() -> None:
    for command in ("make demo", ".venv/bin/fimserver setup", "npm run package", "newcomer.py code-server", "neovim"):
        assert re.search(rf"^\$ .*{re.escape(command)}", LOG, re.MULTILINE), command


def test_the_log_names_no_folder_of_the_machine_and_no_address() -> None:
    assert re.findall(r"https?://\S+|(?<![\w~.…])/(?:home|root|tmp|usr|opt|var|Users|work)\b", LOG) == []


@pytest.mark.parametrize(
    ("printed", "shown"),
    [
        pytest.param("in /walk/new/shop", "in ~/shop", id="the newcomer's own folder"),
        pytest.param("from https://example.org/simple/", "from …", id="an address"),
        pytest.param("at /usr/lib/python3", "at …", id="a folder of the system"),
        pytest.param("\n".join(map(str, range(20))), "…\n" + "\n".join(map(str, range(6, 20))), id="the last lines"),
    ],
)
def test_what_a_step_printed_is_shown(printed: str, shown: str) -> None:
    step = WALK["Step"]("do", "README", "make demo")
    taken = WALK["Taken"](step, 1.0, 1.0, printed)
    assert WALK["_shown"](taken, Path("/walk/new")) == f"$ make demo\n{shown}"
