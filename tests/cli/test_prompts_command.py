"""`fimserver prompts` and `fimserver commit-message`."""

import subprocess
from pathlib import Path

from fimserver.review.prompts import prompt_names
from tests.cli import commands
from tests.cli.in_process import run_here


def test_every_prompt_is_listed_and_where_ones_own_go(home: Path) -> None:
    ran = run_here("prompts")
    assert ran.code == 0
    assert [line.split()[0] for line in ran.out.splitlines()[:-1]] == list(prompt_names())
    assert str(home / "config" / "prompts") in ran.out.splitlines()[-1]


def test_one_is_written_as_it_is_and_makes_a_beginning_of_ones_own(home: Path) -> None:
    text = run_here("prompts", "explain").out
    own = home / "config" / "prompts" / "explain.md"
    own.parent.mkdir(parents=True)
    own.write_text(text.replace("Explain the part.", "Explain it to a pirate."))
    ran = run_here("prompts")
    assert "yours" in next(line for line in ran.out.splitlines() if line.startswith("explain "))
    engine = commands.script(home, {"when": "to a pirate", "text": "Arr."}, {"text": "It adds."})
    assert run_here("--engine", engine, "edit", "explain", f"{commands.file(home, 'a = 1')}:1-1").out == "Arr.\n"


def test_a_wrong_one_is_named_with_its_line_and_never_used(home: Path) -> None:
    own = home / "config" / "prompts" / "explain.md"
    own.parent.mkdir(parents=True)
    own.write_text("Explain!\n")
    (own.parent / "explian.md").write_text("")
    ran = run_here("prompts")
    assert ran.code == 2
    assert f"{own}:1: " in ran.out
    assert "explian.md: no prompt has this name" in ran.out
    engine = commands.script(home, {"text": "It adds."})
    used = run_here("--engine", engine, "edit", "explain", f"{commands.file(home, 'a = 1')}:1-1")
    assert (used.code, used.out) == (2, "")
    assert f"{own}:1: " in used.err


def test_a_commit_message_is_written(tmp_path: Path) -> None:
    commands.file(tmp_path, "limit = 42\n", "till.py")
    for arguments in (("init", "-q"), ("add", "till.py")):
        subprocess.run(["git", *arguments], cwd=tmp_path, check=True)
    engine = commands.script(tmp_path, {"when": "+limit = 42", "text": "Begin the till"})
    command = [*commands.FIMSERVER, "--engine", engine, "commit-message"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == "Begin the till\n"


def test_without_a_repository_there_is_no_message(tmp_path: Path) -> None:
    ran = run_here("--engine", commands.script(tmp_path, {"text": "x"}), "commit-message", folder=tmp_path)
    assert (ran.code, ran.out) == (2, "")
    assert "git refuses: not a git repository" in ran.err
