"""A command is about whole lines: those selected, or the definition at the cursor."""

import pytest

from fimserver.errors import EditRefused
from fimserver.review.selection import is_header, part_at
from fimserver.values import Span
from tests.drawn import drawn

CLASS = """import os


@final
class Till:
    limit = 1

    @property
    def total(self):
        return 1

    def empty(self):
        pass
"""

PYTHON = {
    "in a method": ("        return 1‸", "    @property\n    def total(self):\n        return 1"),
    "on a method's indentation": ("  ‸  def empty", "    def empty(self):\n        pass"),
    "on a decorator": ("    @prop‸erty", "    @property\n    def total(self):\n        return 1"),
    "between methods": ("limit = 1‸", CLASS[CLASS.index("@final") :].removesuffix("\n")),
}


@pytest.mark.parametrize(("place", "part"), PYTHON.values(), ids=PYTHON.keys())
def test_without_a_selection_it_is_the_definition_at_the_cursor(place: str, part: str) -> None:
    assert place.replace("‸", "") in CLASS
    document, offset = drawn(CLASS.replace(place.replace("‸", ""), place))
    found = part_at(document, Span(offset, offset))
    assert document.text[found.start : found.end] == part


OTHERS = {
    "javascript": ("export function f(a) {\n  return ‸a;\n}\nf();\n", "export function f(a) {\n  return a;\n}"),
    "go": ("package p\n\nfunc f() int {\n\treturn ‸1\n}\n", "func f() int {\n\treturn 1\n}"),
    "rust": ("impl A {\n    fn f() -> u8 {\n        ‸1\n    }\n}\n", "    fn f() -> u8 {\n        1\n    }"),
    "c": ("int f(void)\n{\n    return ‸1;\n}\n", "int f(void)\n{\n    return 1;\n}"),
    "csharp": (
        "class A\n{\n    int F()\n    {\n        return ‸1;\n    }\n}\n",
        "    int F()\n    {\n        return 1;\n    }",
    ),
    "php": ("<?php\nfunction f()\n{\n    return ‸1;\n}\n", "function f()\n{\n    return 1;\n}"),
    "java": ("class A {\n    int f() {\n        return ‸1;\n    }\n}\n", "    int f() {\n        return 1;\n    }"),
}


@pytest.mark.parametrize("language", OTHERS)
def test_definitions_of_other_languages_are_found(language: str) -> None:
    text, part = OTHERS[language]
    document, offset = drawn(text, language=language)
    found = part_at(document, Span(offset, offset))
    assert document.text[found.start : found.end] == part


@pytest.mark.parametrize("text", ["import os‸\n", "‸", "\n‸\n", "a plain text‸"])
def test_where_there_is_no_definition_the_user_is_asked_to_select(text: str) -> None:
    document, offset = drawn(text, language="python" if "plain" not in text else "plaintext")
    with pytest.raises(EditRefused, match="Select the code"):
        part_at(document, Span(offset, offset))


def test_the_character_under_a_block_cursor_is_no_selection() -> None:
    document, offset = drawn("a = 1\n\n\ndef f():\n    return ‸1\n")
    found = part_at(document, Span(offset, offset + 1))
    assert document.text[found.start : found.end] == "def f():\n    return 1"


def test_a_selection_is_widened_to_whole_lines() -> None:
    document, offset = drawn("one two\nthree‸ four\nfive\n")
    found = part_at(document, Span(4, offset))
    assert document.text[found.start : found.end] == "one two\nthree four"


HEADERS = {
    "a definition's first line": ("‸    def empty", True),
    "the end of that line": ("    def empty(self):‸", True),
    "its first decorator": ("    @prop‸erty", True),
    "below a decorator": ("    def to‸tal", True),
    "its body": ("        return‸ 1", False),
    "elsewhere": ("import‸ os", False),
}


@pytest.mark.parametrize(("place", "expected"), HEADERS.values(), ids=HEADERS.keys())
def test_where_a_definition_begins_is_known(place: str, expected: bool) -> None:
    document, offset = drawn(CLASS.replace(place.replace("‸", ""), place))
    assert is_header(document, offset) is expected
