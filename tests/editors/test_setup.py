"""What `fimserver setup` writes, read by the real editors: each of them starts the server it names."""

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.editors.servers import FIMSERVER, VSIX
from tests.editors.waiting import until

pytestmark = [pytest.mark.editors, pytest.mark.timeout(600)]


@pytest.fixture
def environment(programs: Path, tmp_path: Path) -> Mapping[str, str]:
    """A user's home without any configuration, the editors on PATH, and a script instead of a model."""
    own = {"HOME": tmp_path, "XDG_CONFIG_HOME": tmp_path / "config", "XDG_DATA_HOME": tmp_path / "share"}
    path = os.pathsep.join([str(programs), "/usr/bin", "/bin"])
    return {**os.environ, "PATH": path, **{name: str(value) for name, value in own.items()}}


def set_up(editor: str, folder: Path, environment: Mapping[str, str]) -> list[dict[str, str]]:
    """Set up one editor and return what was done; a suggestion has come then."""
    script = folder / "replies.jsonl"
    script.write_text('{"text": "rices = {}\\n"}\n')
    options = ["--engine", f"scripted:{script}", "setup", "--yes", "--json", "--editor", editor]
    done = subprocess.run([FIMSERVER, *options], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    steps: list[dict[str, str]] = json.loads(done.stdout)["editors"][editor]
    return steps


def output_of(*command: str | Path, environment: Mapping[str, str]) -> str:
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_neovim_starts_the_server(
    programs: Path, tmp_path: Path, environment: Mapping[str, str], project: Path
) -> None:
    set_up("neovim", tmp_path, environment)
    file = project / "code.py"
    file.write_text("x = 1\n")
    waited = 'lua vim.wait(60000, function() return #vim.lsp.get_clients({ name = "fimserver" }) > 0 end)'
    told = 'lua io.stdout:write(vim.lsp.get_clients({ name = "fimserver" })[1].config.cmd[1])'
    command = (programs / "nvim", "--headless", file, "-c", waited, "-c", told, "-c", "qa!")
    assert output_of(*command, environment=environment).strip() == str(FIMSERVER)


def test_helix_finds_the_server_for_every_language(
    programs: Path, tmp_path: Path, environment: Mapping[str, str]
) -> None:
    set_up("helix", tmp_path, environment)
    for language in ("python", "typescript", "rust", "cpp"):
        health = output_of(programs / "hx", "--health", language, environment=environment)
        assert str(FIMSERVER) in health


def test_emacs_reads_its_init_and_knows_the_server(
    programs: Path, tmp_path: Path, environment: Mapping[str, str]
) -> None:
    set_up("emacs", tmp_path, environment)
    ask = "(progn (require 'eglot) (princ (cdr (assoc 'python-mode eglot-server-programs))))"
    init = tmp_path / ".emacs.d" / "init.el"
    told = output_of(programs / "emacs", "--batch", "-l", init, "--eval", ask, environment=environment)
    assert f"({FIMSERVER} serve)" in told


def test_vs_code_gets_the_extension_and_the_path_of_the_server(
    programs: Path, tmp_path: Path, environment: Mapping[str, str]
) -> None:
    assert VSIX.exists()
    steps = set_up("code-server", tmp_path, environment)
    assert [step["state"] for step in steps] == ["done", "done"]
    until(
        lambda: (
            "fimserver.fimserver" in output_of(programs / "code-server", "--list-extensions", environment=environment)
        ),
        "the extension among those that are installed",
        lambda: list((tmp_path / "share").rglob("package.json"))[:3],
    )
    assert [step["state"] for step in set_up("code-server", tmp_path, environment)] == ["already", "already"]
    settings = tmp_path / "share" / "code-server" / "User" / "settings.json"
    assert json.loads(settings.read_text()) == {"fimserver.server.command": str(FIMSERVER)}
