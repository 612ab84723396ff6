"""`fimserver context`: every piece of a prompt with its source, and every file that is kept out with its rule."""

import subprocess
from pathlib import Path

import pytest

from tests.cli import commands
from tests.cli.in_process import run_here

SHELF = "class Shelf:\n    def put(self, book):\n        self.books = [book]\n"
MAIN = "from shelf import Shelf\n\nshelf = Shelf()\nshelf.‸\n"


@pytest.fixture
def project(tmp_path: Path) -> str:
    """A repository of two files, and the place in the one that needs the other."""
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    commands.file(tmp_path, SHELF, "shelf.py")
    return commands.drawn_file(tmp_path, MAIN)


def test_the_file_that_is_imported_stands_before_this_one(project: str) -> None:
    pieces = run_here("context", "--json", project).json["pieces"]
    assert "shelf.py" in [piece["path"] for piece in pieces[:-3]]
    assert [piece["source"] for piece in pieces[-3:]] == ["before the line", "typed on the line", "after the cursor"]
    assert pieces[-2]["text"] == "shelf."
    assert all(piece["score"] is not None for piece in pieces[:-3])


def test_an_excluded_file_is_named_with_its_rule_and_never_shown(project: str, tmp_path: Path) -> None:
    commands.file(tmp_path, "shelf.py\n", ".aiignore")
    shown = run_here("context", "--json", project).json
    assert "shelf.py" not in [piece["path"] for piece in shown["pieces"]]
    assert SHELF not in "".join(piece["text"] for piece in shown["pieces"])


def test_of_a_file_without_suggestions_the_rule_is_all_that_is_shown(project: str, tmp_path: Path) -> None:
    commands.file(tmp_path, "main.py\n", ".aiignore")
    shown = run_here("context", "--json", project).json
    assert (shown["pieces"], [one["rule"] for one in shown["excluded"]]) == ([], [".aiignore:1"])


def test_the_projects_own_settings_narrow_and_what_they_may_not_say_is_told(project: str, tmp_path: Path) -> None:
    commands.file(tmp_path, "[context]\nother_files = false\n[engine]\nurl = 'http://canary'\n", ".fimserver.toml")
    ran = run_here("context", "--json", project)
    assert len(ran.json["pieces"]) == 3
    assert "engine.url cannot be set by a workspace" in ran.err


def test_other_files_can_be_switched_off(project: str, tmp_path: Path) -> None:
    settings = tmp_path / "settings.toml"
    settings.write_text("[context]\nother_files = false\n")
    shown = run_here("--settings", settings, "context", "--json", project).json
    assert (len(shown["pieces"]), shown["excluded"]) == (3, [])


def test_the_text_is_printed_when_asked_for(project: str) -> None:
    assert "class Shelf" not in commands.run("context", project).out
    assert "class Shelf" in commands.run("context", "--text", project).out
