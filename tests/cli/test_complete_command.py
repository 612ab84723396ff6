"""`fimserver complete`: the suggestion drawn in its line, and as JSON."""

from pathlib import Path

import pytest

from tests.cli import commands
from tests.cli.in_process import run_here

PYTHON = "def add(a, b):\n    return ‸\n"


def test_the_suggestion_stands_in_its_line(tmp_path: Path) -> None:
    engine = commands.script(tmp_path, {"text": "a + b\n"})
    ran = run_here("--engine", engine, "complete", commands.drawn_file(tmp_path, PYTHON))
    assert (ran.code, ran.out, ran.err) == (0, "    return a + b\n", "")


def test_json_has_text_range_reason_and_timings(tmp_path: Path) -> None:
    engine = commands.script(tmp_path, {"text": "a + b\n"})
    answer = run_here("--engine", engine, "complete", "--json", commands.drawn_file(tmp_path, PYTHON)).json
    assert answer["text"] == "a + b"
    assert answer["range"] == {"start": {"line": 2, "column": 12}, "end": {"line": 2, "column": 12}}
    assert answer["reason"] is None
    timings = ("prompt_tokens", "reused_tokens", "evaluated_tokens", "generated_tokens", "first_token_ms", "total_ms")
    assert set(timings) <= answer["timings"].keys()
    assert answer["timings"]["generated_tokens"] > 0


def test_where_nothing_is_suggested_the_reason_is_named(tmp_path: Path) -> None:
    engine, place = commands.script(tmp_path, {"text": ""}), commands.drawn_file(tmp_path, PYTHON)
    assert run_here("--engine", engine, "complete", place).out.startswith("Nothing to suggest: empty.")
    answer = run_here("--engine", engine, "complete", "--json", place).json
    assert (answer["text"], answer["range"], answer["reason"]) == ("", None, "empty")


def test_a_workspace_setting_of_the_user_is_followed(tmp_path: Path) -> None:
    settings = tmp_path / "settings.toml"
    settings.write_text('[completion]\ndisabled_languages = ["python"]\n')
    engine = commands.script(tmp_path, {"text": "a + b\n"})
    place = commands.drawn_file(tmp_path, PYTHON)
    answer = run_here("--settings", settings, "--engine", engine, "complete", "--json", place).json
    assert answer["reason"] == "disabled"


def test_the_model_reads_what_the_line_needs_of_other_files(tmp_path: Path) -> None:
    settings = commands.file(tmp_path, "[model]\nprofile = 'qwen2.5-coder'\n", "settings.toml")
    engine = commands.script(tmp_path, {"when": "def put_upright", "text": "put_upright(book)\n"}, {"text": "\n"})
    commands.file(tmp_path, "class Shelf:\n    def put_upright(self, book): ...\n", "shelf.py")
    place = commands.drawn_file(tmp_path, "from shelf import Shelf\n\nshelf = Shelf()\nshelf.‸\n")
    assert run_here("--settings", settings, "--engine", engine, "complete", "--json", place).json["text"] == (
        "put_upright(book)"
    )
    why = run_here("--settings", settings, "--engine", engine, "why", "--by-hand", place).out
    assert "shelf.py (" in why


def test_a_suggestion_cannot_steer_the_terminal(tmp_path: Path) -> None:
    engine = commands.script(tmp_path, {"text": "a\x1b[2J + b\n"})
    ran = run_here("--engine", engine, "complete", commands.drawn_file(tmp_path, PYTHON))
    assert "\x1b" not in ran.out


def test_a_terminal_without_the_characters_shows_question_marks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    engine = commands.script(tmp_path, {"text": "'naïve'\n"})
    assert commands.run("--engine", engine, "complete", commands.drawn_file(tmp_path, PYTHON)).out == (
        "    return 'na?ve'\n"
    )


@pytest.mark.parametrize("name", ["main.py", "main.go", "notes.unheard"])
def test_the_embedded_model_answers_with_text_or_a_named_reason(tmp_path: Path, name: str) -> None:
    answer = commands.run("complete", "--json", commands.drawn_file(tmp_path, PYTHON, name)).json
    assert bool(answer["text"]) != bool(answer["reason"])
    assert answer["timings"]["prompt_tokens"] > 0
