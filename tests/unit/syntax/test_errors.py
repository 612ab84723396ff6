"""A suggestion is judged by the syntax errors it adds or mends."""

import pytest

from fimserver.syntax.errors import error_count, errors_added
from fimserver.syntax.kept import forget, parse
from fimserver.values import Document
from tests.drawn import drawn
from tests.unit.syntax.samples import long_text


@pytest.mark.parametrize(
    ("language", "text", "suggestion", "expected"),
    [
        pytest.param("python", "def f(x):\n    return ‸\n", "x + 1", "none before, none after", id="a value"),
        pytest.param("python", "def f(x):\n    return ‸\n", "x + )", "more after", id="a bracket too many"),
        pytest.param("python", "x = ‸\n", "f(1)", "fewer after", id="a statement is finished"),
        pytest.param("python", "print(‸\n", "a)", "fewer after", id="a bracket is closed"),
        pytest.param("python", "if x:‸\n", "\n    y()", "none before, none after", id="a body"),
        pytest.param("python", "if x:‸\n", "\n    y(\n", "more after", id="a body that breaks off"),
        pytest.param("javascript", "function f() {‸", "\n  return 1;\n}", "fewer after", id="a brace is closed"),
        pytest.param("javascript", "function f() {\n  ‸\n}", "return 1;\n}", "more after", id="a brace comes twice"),
        pytest.param("go", "package a\n\nfunc f() {\n\t‸\n}\n", "x := ", "more after", id="half a statement"),
        pytest.param("rust", "fn f() {\n    ‸\n}\n", "let x = 1;", "none before, none after", id="a binding"),
        pytest.param("java", "class A {\n    int x = ‸\n}\n", "1;", "fewer after", id="a semicolon"),
        pytest.param("csharp", "class A\n{\n    int x = ‸\n}\n", "1;", "fewer after", id="a semicolon in C#"),
        pytest.param("csharp", "class A\n{\n    int X => y‸;\n}\n", " + (", "more after", id="a property's value"),
        pytest.param("php", "<?php\n$x = ‸\n", "[1];", "fewer after", id="a semicolon in PHP"),
        pytest.param("php", "<?php\nfunction f() {\n    ‸\n}\n", "g(", "more after", id="an open call in PHP"),
        pytest.param("php", "<p>‸</p>\n", "if (((", "none before, none after", id="a page's text outside of the code"),
        pytest.param("c", "int f(void) {\n    ‸\n}\n", "return 1;", "none before, none after", id="a return"),
        pytest.param("cpp", "int f() {\n    ‸\n}\n", "auto g = [&] {", "more after", id="an open lambda"),
        pytest.param("typescript", "let x: ‸;\n", "Array<string>", "fewer after", id="a type"),
        pytest.param("typescriptreact", "const a = <li>‸;\n", "x</li>", "fewer after", id="an end tag"),
        pytest.param("ruby", "def f(‸\n", "))))", "none before, none after", id="no grammar to judge by"),
    ],
)
def test_error_count(language: str, text: str, suggestion: str, expected: str) -> None:
    document, offset = drawn(text, language=language)
    forget(document.uri)
    before, after = error_count(document, offset, offset, suggestion)
    assert errors_added(document, offset, offset, suggestion) == (after - before if after else 0)
    found = "more after" if after > before else "fewer after" if after < before else f"{before} before, {after} after"
    assert found.replace("0", "none") == expected


def test_what_is_replaced_does_not_count() -> None:
    document = Document.of("f(a))\n")
    forget(document.uri)
    assert error_count(document, 3, 5, ")") == (1, 0)


@pytest.mark.parametrize("language", ["python", "javascript", "java", "cpp", "php"])
def test_in_a_long_file_the_neighbourhood_decides(language: str) -> None:
    text = long_text(language, 60_000) + "\n" + long_text(language, 60_000)
    offset = text.index("put(", 60_000) + len("put(")
    document = Document.of(text, uri="file:///long", language=language)
    parse(document)
    assert error_count(document, offset, offset, " ") == (0, 0)
    before, after = error_count(document, offset, offset, "@@")
    assert after > before == 0


def test_a_suggestion_on_an_empty_line_of_a_long_file_counts() -> None:
    text = long_text("python", 60_000)
    offset = text.index("\n\n\ndef total", 30_000) + 1
    document = Document.of(text, uri="file:///long", language="python")
    parse(document)
    assert error_count(document, offset, offset, "x = 1") == (0, 0)
    before, after = error_count(document, offset, offset, "x = = 1")
    assert after > before == 0
