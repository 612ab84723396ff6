"""What is declared is used: settings, errors, reasons, dependencies, names; and there is one word for each thing."""

import ast
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TypeVar

import pytest
from packaging.requirements import Requirement

from fimserver import errors
from fimserver.lsp import names
from fimserver.settings import each_setting
from fimserver.values import Reason

Node = TypeVar("Node", bound=ast.AST)

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "fimserver"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


# Read when the first test asks, not when tests are collected: that is done by every process that runs some of them.


@cache
def text_of_tests() -> str:
    """Return the text of all other tests."""
    return "\n".join(path.read_text("utf-8") for path in (ROOT / "tests").rglob("*.py") if path != Path(__file__))


@cache
def nodes() -> dict[Path, list[ast.AST]]:
    return {path: list(ast.walk(ast.parse(path.read_text("utf-8")))) for path in PACKAGE.rglob("*.py")}


def of(kind: type[Node], *apart_from: str) -> Iterator[Node]:
    """Yield everything of a kind in the package but in these modules."""
    for path, found in nodes().items():
        if path.name not in apart_from:
            yield from (node for node in found if isinstance(node, kind))


@cache
def attributes(*apart_from: str) -> set[str]:
    return {node.attr for node in of(ast.Attribute, *apart_from)}


@cache
def raised() -> set[str]:
    return {node.func.id for node in of(ast.Call, "errors.py") if isinstance(node.func, ast.Name)}


@cache
def imported() -> set[str]:
    names = (
        *(alias.name for node in of(ast.Import) for alias in node.names),
        *(node.module or "" for node in of(ast.ImportFrom)),
    )
    return {name.partition(".")[0] for name in names}


ERRORS = [value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, errors.FimError)]
# These are caught, and one of those below them is raised.
KINDS_OF_ERRORS = [error for error in ERRORS if any(other.__base__ is error for other in ERRORS)]
OWN_ERRORS = [error for error in ERRORS if error not in KINDS_OF_ERRORS]

DEPENDENCIES = [
    Requirement(text)
    for text in (*PROJECT["project"]["dependencies"], *PROJECT["project"]["optional-dependencies"]["llama"])
]
# Installed under one name, imported under another.
IMPORTED_AS = {"llama-cpp-python": "llama_cpp"}


@pytest.mark.parametrize("name", [name for name, _ in each_setting()])
def test_a_setting_is_obeyed_and_tested(name: str) -> None:
    own = name.rpartition(".")[2]
    assert own in attributes("settings.py")
    assert re.search(rf"\b{own}\b", text_of_tests())


@pytest.mark.parametrize("error", OWN_ERRORS, ids=lambda error: error.__name__)
def test_an_error_is_raised_and_tested(error: type[errors.FimError]) -> None:
    assert error.__name__ in raised()
    assert re.search(rf"\b{error.__name__}\b", text_of_tests())


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.__name__)
def test_an_error_stands_in_the_drawing_of_all(error: type[errors.FimError]) -> None:
    assert re.search(rf"^ .*\b{error.__name__}\b", errors.__doc__ or "", re.MULTILINE)


@pytest.mark.parametrize("reason", Reason)
def test_a_reason_is_given_and_tested(reason: Reason) -> None:
    assert reason.name in attributes("values.py")
    assert re.search(rf"\bReason\.{reason.name}\b|\"{reason.value}\"", text_of_tests())


@pytest.mark.parametrize("dependency", DEPENDENCIES, ids=lambda dependency: dependency.name)
def test_a_dependency_is_imported_and_bounded_on_both_sides(dependency: Requirement) -> None:
    module = IMPORTED_AS.get(dependency.name, dependency.name.replace("-", "_"))
    grammars = (PACKAGE / "syntax" / "languages.toml").read_text("utf-8")
    assert module in imported() or f'"{module}"' in grammars
    assert {bound.operator for bound in dependency.specifier} == {">=", "<"}


@pytest.mark.parametrize("command", names.COMMAND_NAMES)
def test_a_command_of_the_server_is_told_of(command: str) -> None:
    told = (ROOT / "docs" / "protocol.md").read_text("utf-8")
    assert f"`{command}`" in told or f'"{command}"' in told


# One word for each thing, and those that would be a second one for it. Prose of others, names and code are not ours.
WORDS = {
    "plug-in": "plugin|extension for Neovim",
    "folder": "directory|directories",
    "engine": "backend|daemon process|inference server",
    "tokeniser, tokenised": "tokeniz",
    "quantisation": "quantiz",
    "suggestion": "autocomplet|proposal|prediction of the next",
    "licence": r"licens(?:e|ed|es)\b",
    "settings": r"config file|preferences file",
    "machine": "workstation",
}
_NOT_PROSE = re.compile(r"^```.*?^```|`[^`]*`|\]\([^)]*\)|https?://\S+|<!--.*?-->", re.MULTILINE | re.DOTALL)


@cache
def prose() -> dict[str, str]:
    """Return our words of each document, by its name."""
    paths = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
    return {str(path.relative_to(ROOT)): _NOT_PROSE.sub("", path.read_text("utf-8")) for path in paths}


@pytest.mark.parametrize("word", WORDS)
def test_documents_have_one_word_for(word: str) -> None:
    other = re.compile(rf"(?i)\b(?:{WORDS[word]})\w*")
    assert {name: found for name, text in prose().items() if (found := other.findall(text))} == {}
