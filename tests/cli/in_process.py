"""Run the command line in this process: for tables of rows, where a process for each would take too long."""

import sys
from contextlib import chdir
from pathlib import Path

from click.testing import CliRunner

from fimserver.cli.main import run
from tests.cli.commands import Ran


def run_here(*arguments: str | Path, text: str | bytes = "", folder: Path | None = None) -> Ran:
    """Run `fimserver` with a text on standard input, in a folder, and return what it left."""
    with chdir(folder or Path.cwd()), CliRunner().isolation(text) as (out, err, _):
        code = run(list(map(str, arguments)))
        sys.stdout.flush()
    return Ran(code, out.getvalue().decode(), err.getvalue().decode())
