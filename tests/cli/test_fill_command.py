"""`fimserver fill`: a text goes in with a mark, what belongs there comes out."""

import subprocess
from pathlib import Path

import pytest

from tests.cli import commands
from tests.cli.in_process import run_here

TEXT = "def add(a, b):\n    return <FILL_ME>\n"


def fill(text: str | bytes, *arguments: str) -> commands.Ran:
    """Pipe a text through `fimserver … fill … -`."""
    return run_here(*arguments, text=text)


def test_a_process_is_a_filter(tmp_path: Path) -> None:
    engine = commands.script(tmp_path, {"text": "a + b\n"})
    command = [*commands.FIMSERVER, "--engine", engine, "fill", "--path", "x.py", "-"]
    done = subprocess.run(command, input=TEXT.encode(), capture_output=True, check=True)
    assert (done.stdout, done.stderr) == (b"a + b", b"")


def test_the_middle_is_written(tmp_path: Path) -> None:
    engine = commands.script(tmp_path, {"text": "a + b\n"})
    assert fill(TEXT, "--engine", engine, "fill", "--path", "x.py", "-") == commands.Ran(0, "a + b", "")


def test_the_whole_text_is_written_filled_in(tmp_path: Path) -> None:
    engine = commands.script(tmp_path, {"text": "a + b\n"})
    ran = fill(TEXT, "--engine", engine, "fill", "--whole", "--path", "x.py", "-")
    assert ran.out == "def add(a, b):\n    return a + b\n"


def test_carriage_returns_pass_through(tmp_path: Path) -> None:
    engine = commands.script(tmp_path, {"text": "a + b\n"})
    ran = fill(TEXT.replace("\n", "\r\n"), "--engine", engine, "fill", "--whole", "--path", "x.py", "-")
    assert ran.out == "def add(a, b):\r\n    return a + b\r\n"


def test_a_file_and_another_mark(tmp_path: Path) -> None:
    engine = commands.script(tmp_path, {"text": "a + b\n"})
    path = commands.file(tmp_path, TEXT.replace("<FILL_ME>", "???"))
    assert run_here("--engine", engine, "fill", "--mark", "???", path).out == "a + b"


def test_the_mark_may_stand_before_a_closing_bracket(tmp_path: Path) -> None:
    engine = commands.script(tmp_path, {"text": "total)\n"})
    text = "total = 1\nprint(<FILL_ME>)\n"
    assert fill(text, "--engine", engine, "fill", "--path", "x.py", "-").out == "total"
    assert fill(text, "--engine", engine, "fill", "--whole", "--path", "x.py", "-").out == "total = 1\nprint(total)\n"


WRONG = {
    "no mark": ("a\n", "There is no <FILL_ME>"),
    "two marks": ("<FILL_ME><FILL_ME>", "There is 2 <FILL_ME>"),
    "no text": (b"\xff\xfe", "not UTF-8"),
}


@pytest.mark.parametrize(("text", "why"), WRONG.values(), ids=WRONG.keys())
def test_what_cannot_be_filled_in_is_said(tmp_path: Path, text: str | bytes, why: str) -> None:
    ran = fill(text, "--engine", commands.script(tmp_path, {"text": "x"}), "fill", "-")
    assert (ran.code, ran.out) == (2, "")
    assert why in ran.err


def test_where_the_model_has_nothing_to_say_the_text_is_kept(tmp_path: Path) -> None:
    ran = fill(TEXT, "--engine", commands.script(tmp_path, {"text": ""}), "fill", "--whole", "--path", "x.py", "-")
    assert (ran.code, ran.out) == (2, TEXT)
    assert "Nothing was filled in: empty" in ran.err


def test_the_embedded_model_fills_in() -> None:
    ran = fill("def add(a, b):\n    <FILL_ME>\n\n\nprint(add(1, 2))\n", "fill", "--path", "x.py", "-")
    assert (ran.code == 0 and bool(ran.out.strip())) or "Nothing was filled in" in ran.err
