"""Each recipe of docs/architecture.md, followed to the letter in a copy of the package: what it adds works."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from itertools import product
from pathlib import Path

import pytest

from tests.docs.blocks import ROOT, Block, blocks_of

RECIPES = [block for block in blocks_of(ROOT / "docs" / "architecture.md") if block.title]


class Copy:
    """A copy of the package, and what its command line says."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copytree(ROOT / "fimserver", folder / "fimserver")

    def follow(self, heading: str) -> None:
        """Do what every block below a heading says."""
        for block in RECIPES:
            if block.heading == heading:
                path = self.folder / block.title
                path.write_text(with_block(path.read_text("utf-8") if path.exists() else "", block), "utf-8")

    def run(self, *arguments: str) -> str:
        """Run Python in the copy and return what it prints."""
        command = [sys.executable, *arguments]
        ran = subprocess.run(command, capture_output=True, text=True, check=False, cwd=self.folder, timeout=200)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    def fimserver(self, *arguments: str) -> str:
        """Run the copy's command line."""
        return self.run("-m", "fimserver", *arguments)

    def file(self, name: str, text: str) -> Path:
        """Write a file of a workspace that holds little else."""
        path = self.folder / "workspace" / name
        (path.parent / ".git").mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        return path

    def answer(self, reply: str, *options: str) -> str:
        """Return what is said on the blank line of a file where a model would write `reply`: that, or why it is not."""
        script = self.file("replies.jsonl", json.dumps({"text": reply}))
        place = f"{self.file('main.py', f'x = 1{chr(10)}')}:2:1"
        said = self.fimserver(*options, "--engine", f"scripted:{script}", "complete", "--typed", "--json", place)
        return str(json.loads(said)["text"] or json.loads(said)["reason"])


def with_block(text: str, block: Block) -> str:
    """Return a file with a block put where the recipes' first paragraph says."""
    if not text or block.title.endswith(".toml"):
        return f"{text}\n{block.text}" if text else block.text
    lines = block.text.splitlines()
    ends = sorted(product(range(len(lines)), range(1, len(lines) + 1)), key=lambda span: span[0] - span[1])
    for start, end in ends:  # the longest run first
        known = "\n".join(["", *lines[start:end], ""])
        if any(lines[start:end]) and text.count(known) == 1:
            return text.replace(known, f"\n{block.text}")
    pytest.fail(f"{block.name}: none of its lines stands in {block.title}, or several times.")


def a_language(copy: Copy) -> None:
    program = """
from fimserver.retrieval.outline import outline_of
from fimserver.syntax.languages import language_of_path
from fimserver.syntax.kept import parse
from fimserver.values import Document
language = language_of_path("macros.bzl")
tree = parse(Document.of("def macro(name): pass", language=language.id))
print(language.id, *outline_of(tree).definitions[0].names)
"""
    assert copy.run("-c", program) == "starlark macro\n"


def a_family_of_models(copy: Copy) -> None:
    program = """
from fimserver.engine.interface import ModelFacts
from fimserver.prompt.profile import profile_for
tokens = frozenset({"<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>", "<|endoftext|>"})
facts = ModelFacts(name="Nightingale 1B", path="", architecture="llama", context_tokens=4096, control_texts=tokens)
print(profile_for(facts).id)
"""
    assert copy.run("-c", program) == "nightingale\n"


def a_model_to_pull(copy: Copy) -> None:
    assert "nightingale-1b" in [model["name"] for model in json.loads(copy.fimserver("models", "--json"))]


def a_setting(copy: Copy) -> None:
    settings = copy.file("settings.toml", "completion.blank_lines = false\n")
    assert copy.answer("y = 2\n", "--settings", str(settings)) == "disabled"


def a_filter(copy: Copy) -> None:
    assert copy.answer("y = 2  # TODO\n") == "junk"


def a_source_of_context(copy: Copy) -> None:
    copy.file("GLOSSARY.txt", "basket: what a customer has taken\n")
    place = f"{copy.file('main.py', 'basket = ')}:1:10"
    pieces = json.loads(copy.fimserver("context", "--json", place))["pieces"]
    assert (pieces[0]["path"], pieces[0]["source"]) == ("GLOSSARY.txt", "glossary")


def a_command(copy: Copy) -> None:
    assert "List the languages whose syntax is known." in copy.fimserver("--help")
    assert copy.fimserver("languages").startswith("python, javascript")


def a_command_of_the_language_server(copy: Copy) -> None:
    program = """
import asyncio
from fimserver.lsp.commands import CommandParams, execute_command
from fimserver.lsp.names import COMMAND_NAMES
assert "fimserver.languages" in COMMAND_NAMES
print(asyncio.run(execute_command(None, CommandParams("fimserver.languages")))[0])
"""
    assert copy.run("-c", program) == "python\n"


PROOFS: Mapping[str, Callable[[Copy], None]] = {
    "A language": a_language,
    "A family of models": a_family_of_models,
    "A model to pull": a_model_to_pull,
    "A setting": a_setting,
    "A filter": a_filter,
    "A source of context": a_source_of_context,
    "A command": a_command,
    "A command of the language server": a_command_of_the_language_server,
}


def test_every_recipe_has_a_proof() -> None:
    assert list(dict.fromkeys(block.heading for block in RECIPES)) == list(PROOFS)


@pytest.mark.parametrize("heading", PROOFS)
def test_what_a_recipe_adds_works_and_did_not_before(
    heading: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIMSERVER_HOME", str(tmp_path / "home"))
    copy = Copy(tmp_path)
    with pytest.raises(AssertionError):
        PROOFS[heading](copy)
    copy.follow(heading)
    PROOFS[heading](copy)
