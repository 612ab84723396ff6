"""`fimserver edit`: a part of a file as a diff, in place, or piped through."""

import subprocess
from pathlib import Path

import pytest

from tests.cli import commands
from tests.cli.in_process import run_here

TILL = """import os


def total(prices):
    result = 0
    for price in prices:
        result += price
    return result
"""
SHORT = "def total(prices):\n    return sum(prices)"
ANSWER = {"text": f"```python\n{SHORT}\n```"}


def test_a_diff_shows_what_would_change(tmp_path: Path) -> None:
    path = commands.file(tmp_path, TILL)
    ran = run_here("--engine", commands.script(tmp_path, ANSWER), "edit", "simplify", f"{path}:5")
    assert ran.code == 0
    assert ran.out.startswith("--- a/main.py\n+++ b/main.py\n@@ -2,7 +2,4 @@\n")
    assert "+    return sum(prices)\n" in ran.out
    assert path.read_text() == TILL


def test_with_write_the_file_is_changed(tmp_path: Path) -> None:
    path = commands.file(tmp_path, TILL)
    ran = run_here("--engine", commands.script(tmp_path, ANSWER), "edit", "simplify", f"{path}:4-8", "--write")
    assert (ran.code, path.read_text()) == (0, f"import os\n\n\n{SHORT}\n")


def test_what_is_piped_in_comes_out_changed(tmp_path: Path) -> None:
    engine = commands.script(tmp_path, ANSWER)
    command = [*commands.FIMSERVER, "--engine", engine, "edit", "simplify", "--path", "till.py", "-"]
    done = subprocess.run(command, input=TILL[TILL.index("def") :], capture_output=True, text=True, check=True)
    assert done.stdout == f"{SHORT}\n"


def test_an_explanation_is_written_as_it_comes(tmp_path: Path) -> None:
    engine = commands.script(tmp_path, {"text": "It adds."})
    assert run_here("--engine", engine, "edit", "explain", f"{commands.file(tmp_path, TILL)}:4").out == "It adds.\n"


def test_a_docstring_and_tests_are_written(tmp_path: Path) -> None:
    path = commands.file(tmp_path, TILL, "till.py")
    engine = commands.script(
        tmp_path,
        {"when": "documentation comment", "text": "```\nReturn the sum.\n```"},
        {"text": "```python\ndef test_total():\n    assert True\n```"},
    )
    assert run_here("--engine", engine, "edit", "docstring", f"{path}:4", "--write").code == 0
    assert '"""Return the sum."""' in path.read_text()
    assert run_here("--engine", engine, "edit", "tests", f"{path}:4", "--write").code == 0
    assert (tmp_path / "test_till.py").read_text() == "def test_total():\n    assert True\n"
    assert run_here("--engine", engine, "edit", "tests", f"{path}:4").out.startswith("def test_total")


REFUSED = {
    "new syntax errors": ("def total(:", ("simplify", ":4"), "syntax error"),
    "no lines like that": ("", ("simplify", ":90"), "has 9 lines"),
    "no lines at all": ("", ("simplify", ""), "write FILE:LINE"),
    "an instruction is missing": ("", ("instruct", ":4"), "--instruction"),
    "a diagnostic is missing": ("", ("fix", ":4"), "--diagnostic"),
    "no definition there": ("", ("simplify", ":1"), "Select the code"),
}


@pytest.mark.parametrize(("code", "arguments", "why"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_not_done_is_said_and_nothing_is_changed(
    tmp_path: Path, code: str, arguments: tuple[str, str], why: str
) -> None:
    path = commands.file(tmp_path, TILL)
    engine = commands.script(tmp_path, {"text": f"```\n{code}\n```"})
    ran = run_here("--engine", engine, "edit", arguments[0], f"{path}{arguments[1]}", "--write")
    assert (ran.code, path.read_text()) == (2, TILL)
    assert why in ran.err


def test_force_takes_syntax_errors_into_account(tmp_path: Path) -> None:
    path = commands.file(tmp_path, TILL)
    engine = commands.script(tmp_path, {"text": "```\ndef total(:\n```"})
    assert run_here("--engine", engine, "edit", "simplify", f"{path}:4", "--write", "--force").code == 0
    assert "def total(:" in path.read_text()


def test_without_a_chat_model_it_says_at_once_what_gets_one(tmp_path: Path) -> None:
    ran = run_here("edit", "simplify", f"{commands.file(tmp_path, TILL)}:4")
    assert ran.code == 2
    assert "fimserver pull qwen2.5-coder-7b-instruct" in ran.err
