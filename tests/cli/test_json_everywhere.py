"""Every command that prints a result prints it as JSON, too."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from fimserver.cli.main import COMMANDS, command_line
from fimserver.models.store import embedded_model
from tests.cli import commands
from tests.cli.in_process import run_here
from tests.unit.models.hub_server import HubServer

# The protocol, a text that comes while it is written, and a script for a shell are no results.
WITHOUT = {"serve", "chat", "completion"}


def each_command() -> Iterator[tuple[str, click.Command]]:
    context = click.Context(command_line)
    for row in COMMANDS:
        command = command_line.get_command(context, row.name)
        assert command is not None
        yield from with_children(row.name, command, context)


def with_children(name: str, command: click.Command, context: click.Context) -> Iterator[tuple[str, click.Command]]:
    if isinstance(command, click.Group):
        for child in command.list_commands(context):
            found = command.get_command(context, child)
            assert found is not None
            yield from with_children(f"{name} {child}", found, context)
    else:
        yield name, command


@pytest.mark.parametrize(("name", "command"), list(each_command()), ids=lambda value: str(value))
def test_a_command_has_json_or_a_reason_not_to(name: str, command: click.Command) -> None:
    has_json = any("--json" in parameter.opts for parameter in command.params)
    assert has_json is (name not in WITHOUT)


TILL = "def pay(till, amount):\n    till.money = till.money + amount\n"
SHORTER = "def pay(till, amount):\n    till.money += amount\n"


@pytest.fixture
def answers(tmp_path: Path) -> dict[str, Any]:
    """What each command prints as JSON, of a folder with one file in it."""
    source = commands.file(tmp_path, TILL, "till.py")
    engine = commands.script(tmp_path, {"text": f"```python\n{SHORTER}```\n"})
    path = str(source)

    def asked(*arguments: str | Path) -> Any:
        ran = run_here(*arguments, folder=tmp_path)
        assert ran.code == 0, ran.err
        return json.loads(ran.out)

    return {
        "edit": asked("--engine", engine, "edit", "simplify", f"{path}:1-2", "--json"),
        "edit --write": asked("--engine", engine, "edit", "simplify", f"{path}:1-2", "--json", "--write"),
        "prompts": asked("prompts", "--json"),
        "prompts NAME": asked("prompts", "explain", "--json"),
        "use": asked("use", "embedded", "--json"),
        "engine stop": asked("engine", "stop", "--json"),
        "review --restore": asked("review", "--restore", "--json"),
    }


def test_what_the_commands_print(answers: dict[str, Any], tmp_path: Path) -> None:
    till = tmp_path / "till.py"
    assert answers["edit"] == {"text": SHORTER, "path": str(till), "written": False}
    assert answers["edit --write"] == {"text": SHORTER, "path": str(till), "written": True}
    assert till.read_text() == SHORTER
    explain = next(one for one in answers["prompts"]["prompts"] if one["name"] == "explain")
    assert answers["prompts NAME"] == {**explain, "text": Path(explain["path"]).read_text("utf-8")}
    assert answers["use"]["path"].endswith("tiny-fim.gguf")
    assert answers["engine stop"] == {"stopped": False}
    assert answers["review --restore"] == {"restored": 0}


def test_a_filled_text(tmp_path: Path) -> None:
    engine = commands.script(tmp_path, {"text": "a + b"})
    source = commands.file(tmp_path, "def add(a, b):\n    return <FILL_ME>\n")
    assert json.loads(run_here("--engine", engine, "fill", "--json", source).out) == {"text": "a + b"}


def test_a_pulled_model(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    with HubServer({"o/r/m.gguf": embedded_model().read_bytes()}) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.address)
        ran = commands.run("pull", "hf:o/r/m.gguf", "--json")
    path = str(home / "models" / "o" / "r" / "m.gguf")
    assert ran.json == {"path": path, "name": path}
    assert ran.err.endswith("m.gguf: 100 % of 6.9 MB\n")


def test_a_made_up_model(tmp_path: Path) -> None:
    path = tmp_path / "tiny.gguf"
    ran = run_here("bench", "make-model", "--shape", "tiny", "--json", path)
    assert json.loads(ran.out) == {"path": str(path), "bytes": path.stat().st_size}


def test_a_commits_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    engine = commands.script(tmp_path, {"text": "Add the till"})
    folder = tmp_path / "project"
    folder.mkdir()
    commands.file(folder, TILL)
    for words in (["init", "-q"], ["add", "."]):
        subprocess.run(["git", *words], cwd=folder, check=True)
    ran = run_here("--engine", engine, "commit-message", "--json", folder=folder)
    assert json.loads(ran.out) == {"message": "Add the till"}
