"""`fimserver` alone: what is here, and one command for each thing that is missing."""

from pathlib import Path

import pytest

from fimserver.models.store import embedded_model
from tests.cli.in_process import run_here

MOST_LINES = 12


@pytest.fixture
def editors(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder that is all of PATH, and a home without configuration."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("HOME", str(tmp_path))
    for variable in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "NVIM_APPNAME", "APPDATA", "LOCALAPPDATA"):
        monkeypatch.delenv(variable, raising=False)
    return folder


def install(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).write_text("#!/bin/sh\nexit 1\n")
        (folder / name).chmod(0o700)


def rows(*arguments: str) -> dict[str, str]:
    ran = run_here(*arguments)
    assert (ran.code, ran.err) == (0, "")
    lines = ran.out.splitlines()
    assert len(lines) <= MOST_LINES
    return dict(line.split("  ", 1) for line in lines[2:-2])


def test_each_thing_that_is_missing_has_its_command(editors: Path) -> None:
    install(editors, "nvim", "hx")
    shown = rows()
    assert shown["llama.cpp"].strip() == "installed"
    assert "the embedded demonstrator" in shown["model"]
    assert "fimserver setup --model " in shown["model"] or "fimserver models" in shown["model"]
    assert shown["Neovim"].endswith("fimserver setup --editor neovim")
    assert shown["Helix"].endswith("fimserver setup --editor helix")
    assert "fimserver use --chat" in shown["chat model"]


def test_an_editor_that_is_set_up_needs_no_command(editors: Path) -> None:
    install(editors, "nvim")
    assert run_here("--engine", scripted(editors), "setup", "--yes", "--json").code == 0
    assert rows()["Neovim"].strip() == "set up"


def test_where_no_editor_is_found_its_block_can_be_printed(editors: Path) -> None:
    assert rows()["editor"].endswith("fimserver setup --editor NAME --print")


def test_however_many_editors_there_are_it_stays_short(editors: Path) -> None:
    install(editors, "code", "codium", "code-server", "nvim", "hx", "emacs", "vim", "subl", "kate")
    assert len(rows()) <= MOST_LINES - 4


def test_what_is_chosen_is_named(editors: Path, tmp_path: Path) -> None:
    model = tmp_path / "mine.gguf"
    model.write_bytes(embedded_model().read_bytes())
    assert rows("--model", str(model))["model"].strip() == "mine.gguf"


def test_a_chosen_model_that_is_gone_leads_to_the_set_up(editors: Path) -> None:
    assert rows("--model", "gone.gguf")["model"].endswith("  fimserver setup")


def scripted(folder: Path) -> str:
    script = folder.parent / "replies.jsonl"
    script.write_text('{"text": "rices = {}\\n"}')
    return f"scripted:{script}"


def test_help_is_still_the_help(editors: Path) -> None:
    assert run_here("--help").out.startswith("Usage: fimserver ")
