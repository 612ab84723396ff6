"""`fimserver completion`: real shells complete with its script, and what they are told needs no command's import."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete

from fimserver.cli.completion import SHELLS
from fimserver.cli.main import COMMANDS, command_line
from tests.cli import commands
from tests.cli.terminal import ENTER, TAB, Terminal

# How each is started without anything of the user's, and how it reads a script as its documentation says.
STARTED = {"bash": ("bash", "--norc", "--noprofile", "-i"), "zsh": ("zsh", "-f", "-i"), "fish": ("fish", "-N", "-i")}
BEFORE = {"bash": "", "zsh": "autoload -U compinit; compinit -u -D; ", "fish": ""}


@pytest.fixture
def path(tmp_path: Path) -> str:
    """A PATH on which `fimserver` is this one."""
    program = tmp_path / "bin" / "fimserver"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m fimserver "$@"\n')
    program.chmod(0o700)
    return f"{program.parent}{os.pathsep}{os.environ['PATH']}"


@pytest.mark.parametrize("shell", SHELLS)
def test_a_real_shell_completes(shell: str, path: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    how = BEFORE[shell] + SHELLS[shell].partition("   ")[0]
    environment = {"PATH": path, "PS1": "ready> ", "INPUTRC": "/dev/null"}
    with Terminal(environment=environment, program=STARTED[shell]) as terminal:
        terminal.wait_for(">")
        terminal.press(f"{how}; echo re''ad{ENTER}")
        terminal.wait_for("\nread")
        terminal.press(f"fimserver recom{TAB}")
        terminal.wait_for("recommend")
        terminal.press(f"--js{TAB}")
        terminal.wait_for("--json")


def completions(shell: str, words: Sequence[str]) -> str:
    """Return what a shell is told when the last of these words is to be completed."""
    variables = {
        "_FIMSERVER_COMPLETE": f"{shell}_complete",
        "COMP_WORDS": " ".join(words) if shell != "fish" else "\n".join(words),
        "COMP_CWORD": str(len(words) - 1) if shell != "fish" else words[-1],
    }
    asked = subprocess.run(
        commands.FIMSERVER, env={**os.environ, **variables}, capture_output=True, text=True, check=False
    )
    assert asked.stderr == ""
    return asked.stdout


@pytest.mark.parametrize("shell", SHELLS)
def test_what_each_shell_is_told(shell: str) -> None:
    told = completions(shell, ["fimserver", "recom"])
    assert "recommend" in told
    assert "review" not in told


@pytest.mark.parametrize(
    ("words", "completed"),
    [
        pytest.param([""], [("plain", row.name) for row in COMMANDS], id="every command"),
        pytest.param(["--vers"], [("plain", "--version")], id="an option"),
        pytest.param(["engine", "sta"], [("plain", "start"), ("plain", "status")], id="a subcommand"),
        pytest.param(["setup", "--editor", "neo"], [("plain", "neovim")], id="an editor"),
        pytest.param(["pull", "qwen2.5-coder-0"], [("plain", "qwen2.5-coder-0.5b")], id="a model"),
        pytest.param(["use", "./mod"], [("file", "./mod")], id="a path is the shell's"),
    ],
)
def test_what_is_completed(words: list[str], completed: list[tuple[str, str]]) -> None:
    shell = ShellComplete(command_line, {}, "fimserver", "_FIMSERVER_COMPLETE")
    found = [(item.type, item.value) for item in shell.get_completions(words[:-1], words[-1])]
    assert found == completed


def test_commands_are_completed_without_importing_them() -> None:
    asked = (
        "import os, sys\n"
        "os.environ.update(_FIMSERVER_COMPLETE='bash_complete', COMP_WORDS='fimserver ', COMP_CWORD='1')\n"
        "from fimserver.cli.main import run\ntry:\n    run([])\nfinally:\n"
        "    print(sorted(name for name in sys.modules if name in ('fimserver.cli.demo', 'asyncio', 'rich')))"
    )
    shown = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=False).stdout
    assert "plain,demo\n" in shown
    assert shown.endswith("[]\n")
