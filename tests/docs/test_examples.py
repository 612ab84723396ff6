"""Every example in the documents: commands are run, data is read by what it is meant for, and what cannot be is listed.

Commands run in a folder with a repository and two files to speak of, and are answered from a script. What the text
calls FILE, ID or FOLDER is something there.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from typing import NamedTuple

import click
import pytest
import yaml

from fimserver.cli.main import command_line
from fimserver.cli.reference import MARK
from fimserver.engine.fake import ScriptedEngine
from fimserver.models.store import embedded_model
from fimserver.settings import Settings, read_settings
from tests.cli.in_process import measured_briefly, run_here
from tests.docs.blocks import DOCUMENTS, ROOT, Block, every_block

# The generated part of docs/commands.md is compared with the program itself.
BLOCKS = [block for block in every_block() if block.document != "docs/commands.md"]

LANGUAGES = {"elisp", "json", "lua", "python", "sh", "text", "toml", "vim", "yaml"}

# Commands that are not run here, by how they begin, and why.
NOT_RUN = {
    "cd editors/vscode": "tests/editors/run.sh builds the extension",
    "npm": "tests/editors/run.sh builds the extension",
    "code": "tests/editors/test_vscode.py installs it into VS Code",
    "make": "each is one of this project's own commands, and is run by .ci/run",
    "pip install": "it needs the network",
    "fimserver pull": "it needs the network; tests/unit/models/test_download.py asks a server of its own",
    "fimserver use qwen2.5-coder-1.5b": "it needs the file that `fimserver pull` gets",
    "fimserver use --chat": "it needs the file that `fimserver pull` gets",
    "fimserver demo": "tests/cli/test_demo.py runs it",
    "fimserver bench": "it measures for minutes; tests/unit/bench has its parts",
    "fimserver --model": "it measures a model of the reader's own, beside a program of theirs",
    "llama-server": "it is another program, and wants a GPU",
    "vllm": "it is another program, and wants a GPU",
    "strace": "tests/faults/test_privacy.py runs it, and reads what it says",
}

GROUPS = {group.name for group in fields(Settings)}

# What stands for something of the reader's own.
STAND_INS = {
    "FILE:LINE:COLUMN": "till.py:18:9",
    "FOLDER": ".",
    "ID": "qwen2.5-coder-1.5b",
    "PACKAGE…": "package",
    "~": "home",
    ".venv/bin/fimserver": "fimserver",
}

TILL = '''"""A till."""

import os


def shop() -> str:
    return os.name




def total(prices):
    """Add up."""
    result = 0
    for price in prices:
        result += price

    for price in prices:
        if price < 0:
            raise ValueError(price)








    # Everything was looked at.
    return result
'''
REPLIES = (
    {"when": "Report findings", "text": "{}"},
    {"text": "```python\ndef total(prices):\n    return sum(prices)\n```"},
)

WORDS_OF_GIT = ("-c", "user.name=ada", "-c", "user.email=ada@example.org", "-c", "init.defaultBranch=main")


class Line(NamedTuple):
    """A command, and where it stands."""

    block: Block
    text: str


def lines_of(block: Block) -> Iterator[Line]:
    """Yield the commands of a block, one for each line; a script is one command."""
    if block.text.startswith("#!"):
        yield Line(block, block.text)
        return
    for line in block.text.replace("\\\n", " ").splitlines():
        command = re.sub(r"\s+# .*|\A#.*", "", line).strip()
        yield from (Line(block, part) for part in command.split(" && ") if part)


def written_in(language: str) -> list[Block]:
    """Return the blocks in a language; those with a title are followed by tests/docs/test_recipes.py."""
    return [block for block in BLOCKS if block.language == language and not block.title]


LINES = [line for block in written_in("sh") for line in lines_of(block)]
RUN = [line for line in LINES if not line.text.startswith(tuple(NOT_RUN))]

# Commands in the middle of a sentence or a table.
INLINE = [
    (path.name, command)
    for path in DOCUMENTS
    for command in re.findall(r"`(fimserver [a-z][^`…]*)`", path.read_text("utf-8").partition(MARK)[0])
]


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.name)
def test_every_block_says_what_it_is_written_in(block: Block) -> None:
    assert block.language in LANGUAGES


@pytest.mark.parametrize("beginning", NOT_RUN)
def test_nothing_is_excepted_that_is_not_there(beginning: str) -> None:
    assert any(line.text.startswith(beginning) for line in LINES)


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with a branch, a file that is staged and one that is not, and a home of its own."""
    for name, value in {
        "FIMSERVER_HOME": tmp_path / "own",
        "HOME": tmp_path / "home",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "PATH": f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}",
    }.items():
        monkeypatch.setenv(name, str(value))
    (tmp_path / "replies.jsonl").write_text("\n".join(map(json.dumps, REPLIES)), "utf-8")
    stage = tmp_path / "stage"
    (stage / "home" / "models").mkdir(parents=True)
    shutil.copy(embedded_model(), stage / "home" / "models" / "mine.gguf")
    (stage / "src").mkdir()
    for name in ("till.py", "main.py", "src/shelf.py"):
        (stage / name).write_text(TILL, "utf-8")
    for words in (("init",), ("add", "till.py", "src"), ("commit", "-m", "Begin."), ("add", "main.py")):
        subprocess.run(["git", *WORDS_OF_GIT, *words], cwd=stage, check=True, capture_output=True)
    program = tmp_path / "bin" / "fimserver"
    program.parent.mkdir()
    program.write_text(
        f'#!/bin/sh\nexec "{sys.executable}" -m fimserver --engine "scripted:{tmp_path}/replies.jsonl" "$@"\n', "utf-8"
    )
    program.chmod(0o755)
    return stage


@pytest.mark.parametrize("line", RUN, ids=lambda line: f"{line.block.name} {line.text[:60]}")
def test_a_command_does_what_is_said_of_it(line: Line, stage: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    measured_briefly(monkeypatch)
    command = filled_in(line.text)
    if command.startswith("fimserver ") and not re.search(r"[|>&;]", command):
        ran = run_here("--engine", f"scripted:{stage.parent}/replies.jsonl", *shlex.split(command)[1:], folder=stage)
        assert ran.code == 0, ran.err
        assert ran.out or ran.err
    else:
        arguments = ["message"] if command.startswith("#!") else []
        shell = ["sh", "-eu", "-c", command, "sh", *arguments, ""]
        done = subprocess.run(shell, cwd=stage, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")


def test_the_hook_writes_the_message_of_a_commit(stage: Path) -> None:
    hook = next(line for line in RUN if "prepare-commit-msg" in line.text)
    path = stage / ".git" / "hooks" / "prepare-commit-msg"
    path.write_text(hook.text, "utf-8")
    path.chmod(0o755)
    commit = ["git", *WORDS_OF_GIT, "-c", "core.editor=true", "commit", "--quiet"]
    subprocess.run(commit, cwd=stage, check=True, capture_output=True)
    told = subprocess.run(["git", "log", "-1", "--format=%B"], cwd=stage, check=True, capture_output=True, text=True)
    assert "return sum(prices)" in told.stdout


def filled_in(text: str) -> str:
    """Return a command with something of the stage where the text speaks of something of the reader's."""
    for name, stand_in in STAND_INS.items():
        text = re.sub(rf"(?<![\w-]){re.escape(name)}(?!\w)", stand_in, text)
    return text


COMMANDS = [(line.block.name, line.text) for line in LINES if line.text.startswith("fimserver ")] + INLINE


@pytest.mark.parametrize(("where", "command"), COMMANDS, ids=lambda value: value[:80])
def test_the_program_knows_the_command_and_its_options(where: str, command: str) -> None:
    words = re.sub(r"\|\S+| [|>&-](?: .*|\Z)", "", filled_in(command)).replace('"', "").split()[1:]
    node: click.Command = command_line
    while isinstance(node, click.Group) and words:
        context = click.Context(node, info_name="fimserver")
        with suppress(click.BadOptionUsage):  # in a sentence, an option stands without its value
            _, words, _ = node.make_parser(context).parse_args(words)
        if words:
            child = node.get_command(context, words.pop(0))
            assert child is not None, where
            node = child
    with suppress(click.BadOptionUsage):
        node.make_parser(click.Context(node)).parse_args(words)


@pytest.mark.parametrize("block", written_in("json"), ids=lambda block: block.name)
def test_json_is_what_its_reader_takes(block: Block, tmp_path: Path) -> None:
    value = json.loads(block.text)
    if isinstance(value, list):
        return
    if value.keys() <= {"ends", "when", "text"}:
        script = tmp_path / "script.jsonl"
        script.write_text(block.text, "utf-8")
        assert ScriptedEngine.from_file(script)
    if value.keys() <= GROUPS:
        assert read_settings(value)[1] == []


@pytest.mark.parametrize(
    "block", [one for one in BLOCKS if one.language == "toml" and not one.title], ids=lambda block: block.name
)
def test_toml_is_toml_and_settings_are_taken(block: Block) -> None:
    value = tomllib.loads(block.text)
    if value.keys() <= GROUPS:
        assert read_settings(value)[1] == []


@pytest.mark.parametrize("block", written_in("yaml"), ids=lambda block: block.name)
def test_yaml_names_hooks_of_ours(block: Block) -> None:
    ours = {hook["id"] for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))}
    named = {hook["id"] for repository in yaml.safe_load(block.text)["repos"] for hook in repository["hooks"]}
    assert named <= ours
