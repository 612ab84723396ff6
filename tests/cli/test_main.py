"""The command line as a whole: what it lists, how it ends, what it loads."""

import subprocess
import sys
from pathlib import Path
from types import ModuleType

import click
import pytest

from fimserver import __version__
from fimserver.cli import main
from fimserver.cli.exit_codes import ExitCode
from tests.cli import commands
from tests.cli.in_process import run_here

# Each costs an editor that starts the server, or a person who asks for help, a noticeable time.
HEAVY = ("pygls", "lsprotocol", "rich", "llama_cpp", "huggingface_hub", "tree_sitter", "numpy", "asyncio")


def test_version() -> None:
    assert commands.run("--version").out == f"fimserver {__version__}\n"


def test_help_lists_every_command_with_its_sentence() -> None:
    shown = " ".join(commands.run("--help").out.split())
    assert all(f"{row.name} {row.sentence}" in shown for row in main.COMMANDS)


@pytest.mark.parametrize("row", main.COMMANDS, ids=lambda row: row.name)
def test_a_command_explains_itself_and_says_what_the_list_says(row: main.Row) -> None:
    command = main.command_line.get_command(click.Context(main.command_line), row.name)
    assert command is not None
    assert " ".join((command.help or "").split()).startswith(row.sentence)


def test_help_loads_nothing_heavy() -> None:
    asked = (
        "import sys\nfrom fimserver.cli.main import run\n"
        f"run(['--help'])\nprint('loaded:', [name for name in {HEAVY} if name in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True).stdout
    assert shown.endswith("loaded: []\n")


def test_serving_loads_the_protocol_library_only_when_asked_to() -> None:
    asked = "import sys\nimport fimserver.cli.serve\nprint([n for n in ('pygls', 'lsprotocol') if n in sys.modules])"
    assert subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True).stdout == "[]\n"


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(("fly",), id="an unknown command"),
        pytest.param(("--fly", "status"), id="an unknown option"),
        pytest.param(("complete",), id="a missing argument"),
        pytest.param(("complete", "main.py"), id="a place without line and column"),
        pytest.param(("serve", "--tcp", "0"), id="a port that is none"),
        pytest.param(("--engine", "magic", "status"), id="an engine that is none"),
        pytest.param(("--engine", "scripted:missing.jsonl", "status"), id="a script that is not there"),
    ],
)
def test_a_wrong_command_line_ends_with_code_2_and_says_so(arguments: tuple[str, ...]) -> None:
    ran = run_here(*arguments)
    assert ran.code == ExitCode.REFUSED
    assert ran.out == ""
    assert ran.err
    assert "Traceback" not in ran.err


def test_a_fault_of_ours_is_one_sentence_and_its_details_stand_in_the_log(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    @click.command("broken")
    def broken_command() -> None:
        raise ZeroDivisionError("one by nought")

    module = ModuleType("fimserver.cli.broken")
    module.broken_command = broken_command  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "fimserver.cli.broken", module)
    monkeypatch.setattr(main.command_line, "rows", (main.Row("broken", "broken", "Break."),))

    assert main.run(["broken"]) == ExitCode.FAULT
    assert capsys.readouterr().err.count("\n") == 1
    assert "one by nought" in (home / "state" / "cli.log").read_text("utf-8")
