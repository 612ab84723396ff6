"""`fimserver why`: the story of a suggestion."""

import asyncio
from pathlib import Path

from fimserver.bench.editor import Buffer, Editor
from tests.cli import commands
from tests.cli.in_process import run_here

PYTHON = "def add(a, b):\n    return ‸\n"


def test_what_was_written_and_shown(tmp_path: Path) -> None:
    engine = commands.script(tmp_path, {"text": "a + b\n"})
    out = run_here("--engine", engine, "why", commands.drawn_file(tmp_path, PYTHON)).out
    assert "the model wrote   'a + b" in out
    assert "shown             'a + b'" in out


def test_what_was_not_shown_and_the_reason(tmp_path: Path) -> None:
    engine = commands.script(tmp_path, {"text": "a + b\n", "logprob": -9.0})
    place = commands.drawn_file(tmp_path, PYTHON)
    assert "not shown         low-confidence" in run_here("--engine", engine, "why", place).out
    assert "shown             'a + b'" in run_here("--engine", engine, "why", "--by-hand", place).out


def test_json_is_the_journals_entry(tmp_path: Path) -> None:
    engine = commands.script(tmp_path, {"text": "a + b\n"})
    entry = run_here("--engine", engine, "why", "--json", commands.drawn_file(tmp_path, PYTHON)).json
    assert (entry["line"], entry["column"], entry["shown"], entry["reason"]) == (2, 12, "a + b", None)


def test_without_an_editor_there_is_nothing_to_tell() -> None:
    assert run_here("why").out.startswith("No editor has asked for a suggestion yet.")


async def test_without_a_place_it_tells_what_became_of_the_last_requests_of_open_editors(
    tmp_path: Path, home: Path
) -> None:
    engine = commands.script(tmp_path, {"ends": "x = ", "text": "secret + b\n"}, {"text": ""})
    async with Editor((*commands.FIMSERVER, "--engine", engine, "serve")) as editor:
        await editor.initialize({})
        await Buffer(editor, "file:///project/sums.py", "python", "x = ", "\n").suggest()
        await Buffer(editor, "file:///project/none.py", "python", "y = ", "\n").suggest()
        while "none.py" not in (told := await asyncio.to_thread(commands.run, "why")).out:
            pass  # the file is written a second after a request
        shown, refused = told.out.splitlines()
        assert "/project/sums.py:1:5" in shown
        assert "shown, 10 characters from the model" in shown
        assert "not shown: empty." in refused
        [file] = (home / "run").glob("recent-*.json")
        assert "secret" not in file.read_text("utf-8")
    assert not file.exists()
