"""The table of languages is complete, and says only what the grammars know."""

import subprocess
import sys
from pathlib import PurePosixPath, PureWindowsPath

import pytest
import tree_sitter

from fimserver.syntax.languages import Language, every_language, language_id, language_named, language_of_path
from fimserver.syntax.tree import parse_text

EVERY = [pytest.param(language, id=language.id) for language in every_language()]
TYPES = ("strings", "holes", "comments", "blocks", "scopes", "compound", "prelude")


@pytest.mark.parametrize(
    "name",
    [
        "python", "javascript", "javascriptreact", "typescript", "typescriptreact", "go", "rust", "c", "cpp", "java",
        "csharp", "php",
    ],
)  # fmt: skip
def test_a_language_has_the_name_editors_use(name: str) -> None:
    language = language_named(name)
    assert language is not None
    assert language.id == name == language_id(name)


@pytest.mark.parametrize(("name", "id"), [("cs", "csharp"), ("c-sharp", "csharp"), ("cobol", "cobol"), ("", "")])
def test_a_language_goes_by_one_name_here(name: str, id: str) -> None:  # noqa: A002 - what a row is named by
    assert language_id(name) == id


def test_an_unknown_language_has_no_row() -> None:
    assert language_named("cobol") is None
    assert language_of_path("main.cob") is None
    assert language_of_path("Makefile") is None


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("a/b.py", "python"),
        ("a.pyi", "python"),
        ("a.mjs", "javascript"),
        ("a.jsx", "javascriptreact"),
        ("a.ts", "typescript"),
        ("a.tsx", "typescriptreact"),
        ("a.go", "go"),
        ("a.rs", "rust"),
        ("a.h", "c"),
        ("a.hpp", "cpp"),
        ("A.java", "java"),
        ("A.cs", "csharp"),
        ("a.php", "php"),
        ("a.phtml", "php"),
        ("A.PY", "python"),
        (PurePosixPath("/a/b.c"), "c"),
        (PureWindowsPath("C:\\a\\b.cc"), "cpp"),
    ],
)
def test_a_file_name_tells_the_language(path: str, name: str) -> None:
    language = language_of_path(path)
    assert language is not None
    assert language.id == name


@pytest.mark.parametrize("language", EVERY)
def test_the_grammar_knows_every_node_type_of_the_row(language: Language) -> None:
    tree = parse_text("", language)
    assert tree is not None
    grammar: tree_sitter.Language = tree.parsed.language
    named = {kind for field in TYPES for kind in getattr(language, field)}
    assert not {kind for kind in named if grammar.id_for_node_kind(kind, True) is None}


@pytest.mark.parametrize("language", EVERY)
def test_a_row_says_enough(language: Language) -> None:
    assert language.suffixes
    assert language.line_comment
    assert language.opens in (":", "{")
    for field in ("headers", "strings", "comments", "blocks", "scopes", "compound", "quotes"):
        assert getattr(language, field), field


def test_no_two_languages_claim_a_name() -> None:
    names = [name for language in every_language() for name in (language.id, *language.also)]
    assert len(names) == len(set(names))


def test_no_two_languages_claim_a_suffix() -> None:
    suffixes = [suffix for language in every_language() for suffix in language.suffixes]
    assert len(suffixes) == len(set(suffixes))


def test_a_grammar_is_imported_when_a_document_needs_it() -> None:
    program = """
import sys
from fimserver.syntax.languages import language_named
from fimserver.syntax.tree import parse_text
before = {name for name in sys.modules if name.startswith("tree_sitter_")}
parse_text("x", language_named("go"))
after = {name for name in sys.modules if name.startswith("tree_sitter_") and "." not in name}
print(sorted(before), sorted(after))
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[] ['tree_sitter_go']"
