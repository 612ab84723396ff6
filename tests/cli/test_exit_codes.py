"""Every exit code that docs/commands.md lists, from a real command; test_interrupted.py has the last one."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fimserver.cli.exit_codes import MEANINGS, ExitCode
from tests.cli import commands
from tests.cli.in_process import run_here

CLAIM = {"line": 1, "quote": "x = 1", "category": "bug", "message": "It is one."}


def nothing_wrong(folder: Path) -> int:
    return run_here("--version").code


def nobody_reads(folder: Path) -> int:
    """As where the output is piped into `head`."""
    command = [*commands.FIMSERVER, "prompts"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    return process.returncode


def a_fault_of_ours(folder: Path) -> int:
    (folder / "replies.jsonl").write_text('{"text": "x"}')
    source = commands.file(folder, "x = <FILL_ME>\n")
    command = [sys.executable, "-c", _BROKEN, "--engine", f"scripted:{folder / 'replies.jsonl'}", "fill", str(source)]
    return subprocess.run(command, check=False, capture_output=True).returncode


_BROKEN = """
import sys
from fimserver.cli import fill, main
fill.filled = fill.middle = lambda *_: 1 / 0
main.main(sys.argv[1:])
"""


def asked_for_what_is_not_there(folder: Path) -> int:
    return run_here("complete", f"{folder / 'none.py'}:1:1").code


def review(severity: str, *arguments: str) -> Callable[[Path], int]:
    def run(folder: Path) -> int:
        claim: dict[str, Any] = {**CLAIM, "severity": severity}
        engine = commands.script(folder, {"text": json.dumps(claim)})
        settings = commands.file(folder, "[context]\nother_files = false\n", "settings.toml")
        commands.file(folder, "x = 1\n")
        ran = run_here("--settings", settings, "--engine", engine, "review", *arguments, "main.py", folder=folder)
        return ran.code

    return run


@pytest.mark.parametrize(
    ("code", "ended"),
    [
        (ExitCode.DONE, nothing_wrong),
        (ExitCode.DONE, review("note")),
        (ExitCode.FAULT, a_fault_of_ours),
        (ExitCode.FAULT, nobody_reads),
        (ExitCode.REFUSED, asked_for_what_is_not_there),
        (ExitCode.NOTE, review("note", "--fail-on", "note")),
        (ExitCode.WARNING, review("warning")),
        (ExitCode.ERROR, review("error")),
    ],
)
def test_a_command_that_ends_so(tmp_path: Path, code: ExitCode, ended: Callable[[Path], int]) -> None:
    assert ended(tmp_path) == code


def test_each_code_has_its_meaning() -> None:
    assert list(MEANINGS) == list(ExitCode)
