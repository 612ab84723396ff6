"""`fimserver why`: the story of a suggestion."""

from pathlib import Path

from tests.cli import commands

PYTHON = "def add(a, b):\n    return ‸\n"


def test_what_was_written_and_shown(tmp_path: Path) -> None:
    engine = commands.script(tmp_path, {"text": "a + b\n"})
    out = commands.run("--engine", engine, "why", commands.drawn_file(tmp_path, PYTHON)).out
    assert "the model wrote   'a + b" in out
    assert "shown             'a + b'" in out


def test_what_was_not_shown_and_the_reason(tmp_path: Path) -> None:
    engine = commands.script(tmp_path, {"text": "a + b\n", "logprob": -9.0})
    place = commands.drawn_file(tmp_path, PYTHON)
    assert "not shown         low-confidence" in commands.run("--engine", engine, "why", place).out
    assert "shown             'a + b'" in commands.run("--engine", engine, "why", "--by-hand", place).out


def test_json_is_the_journals_entry(tmp_path: Path) -> None:
    engine = commands.script(tmp_path, {"text": "a + b\n"})
    entry = commands.run("--engine", engine, "why", "--json", commands.drawn_file(tmp_path, PYTHON)).json
    assert (entry["line"], entry["column"], entry["shown"], entry["reason"]) == (2, 12, "a + b", None)
