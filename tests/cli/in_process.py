"""Run the command line in this process: for tables of rows, where a process for each would take too long."""

import sys
from contextlib import chdir
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner

from fimserver.cli import models, recommend
from fimserver.cli.main import run
from fimserver.models.hardware import this_machine
from tests.cli.commands import Ran


def run_here(*arguments: str | Path, text: str | bytes = "", folder: Path | None = None) -> Ran:
    """Run `fimserver` with a text on standard input, in a folder, and return what it left."""
    with chdir(folder or Path.cwd()), CliRunner().isolation(text) as (out, err, _):
        code = run(list(map(str, arguments)))
        sys.stdout.flush()
    return Ran(code, out.getvalue().decode(), err.getvalue().decode())


def measured_briefly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let commands in this process measure the machine for a moment: for tests that ask nothing of its speed."""
    monkeypatch.setattr(recommend, "this_machine", partial(this_machine, 0.05))
    monkeypatch.setattr(models, "_PROBE_S", 0.05)
