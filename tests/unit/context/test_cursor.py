"""What stands around the cursor: its line, its tail, its scope, and whether it is in a string or comment."""

import pytest

from fimserver.context.cursor import look_around
from fimserver.settings import CompletionSettings
from fimserver.syntax.kept import forget
from fimserver.values import CursorContext, Document, Reason, Shape
from tests.drawn import drawn

SETTINGS = CompletionSettings()


def seen(text: str, language: str = "python", *, invoked: bool = False, **settings: object) -> CursorContext:
    document, offset = drawn(text, language=language)
    forget(document.uri)
    return look_around(document, offset, completion=CompletionSettings(**settings), invoked=invoked)  # type: ignore[arg-type]


def scope_text(context: CursorContext) -> str:
    return context.document.text[context.scope.start : context.scope.end]


def test_the_line_is_cut_at_the_cursor() -> None:
    context = seen("a = 1\n  print(x‸)\nb = 2\n")
    assert (context.line, context.line_start, context.offset) == (1, 6, 15)
    assert (context.line_prefix, context.tail, context.closing_tail) == ("  print(x", ")", True)


@pytest.mark.parametrize(
    ("text", "line_prefix", "tail"),
    [
        pytest.param("a\r\nb‸\r\nc", "b", "", id="a carriage return and line feed end a line"),
        pytest.param("a\rb‸)\rc", "b", ")", id="a carriage return alone ends a line"),
        pytest.param("a\fb‸\u2028c", "a\fb", "\u2028c", id="a form feed and a line separator do not"),
        pytest.param("😀 = '漢‸'", "😀 = '漢", "'", id="wide characters count as one"),
    ],
)
def test_lines_end_as_the_protocol_says(text: str, line_prefix: str, tail: str) -> None:
    context = seen(text)
    assert (context.line_prefix, context.tail) == (line_prefix, tail)


@pytest.mark.parametrize(
    ("offset", "seen_at"),
    [
        pytest.param(-5, 0, id="before the text is its start"),
        pytest.param(99, 8, id="behind the text is its end"),
        pytest.param(6, 5, id="inside a line's terminator is the line's end"),
    ],
)
def test_an_offset_out_of_place_is_moved(offset: int, seen_at: int) -> None:
    document = Document.of("a = 1\r\nb")
    assert look_around(document, offset, completion=SETTINGS).offset == seen_at


@pytest.mark.parametrize(
    ("language", "text", "indent"),
    [
        pytest.param("python", "def f():\n    x = ‸", "    ", id="a line has its own"),
        pytest.param("python", "def f():\n    ‸", "    ", id="what the editor typed counts"),
        pytest.param("python", "def f():\n‸", "    ", id="one step in after a header"),
        pytest.param("python", "class A:\n  x = 1\n  def f(self):\n‸", "    ", id="a step is what the file uses"),
        pytest.param("python", "def f():\n\ta = 1\n\tif a:\n‸", "\t\t", id="a tab where the file has tabs"),
        pytest.param("go", "func f() {\n‸\n}", "\t", id="a tab where the language has tabs"),
        pytest.param("python", "def f():\n    a = 1\n‸\n    return a\n", "    ", id="as deep as what follows"),
        pytest.param("python", "def f():\n    a = 1\n‸", "", id="nothing at the end of a file"),
        pytest.param("javascript", "function f() {\n  if (x) {\n‸\n  }\n}", "    ", id="inside nested braces"),
        pytest.param("ruby", "def f()\n‸\nend", "    ", id="without a grammar"),
    ],
)
def test_expected_indentation(language: str, text: str, indent: str) -> None:
    assert seen(text, language).indent == indent


@pytest.mark.parametrize(
    ("language", "text", "begins", "scope_indent"),
    [
        pytest.param("python", "def f():\n    x = ‸\n", "def f", "", id="a function"),
        pytest.param("python", "class A:\n    def f(self):\n        ‸\n", "def f", "    ", id="a method"),
        pytest.param(
            "python", "class A:\n    def f(self):\n        pass\n\n    ‸\n", "class A", "", id="between methods"
        ),
        pytest.param("python", "def f():\n    for a in b:\n        ‸\n", "for a", "    ", id="a loop"),
        pytest.param("python", "def f():\n    for a in b:\n        pass\n    ‸\n", "def f", "", id="behind a loop"),
        pytest.param("python", "def f():\n    pass\n\n‸\n", "def f", "", id="the whole text at top level"),
        pytest.param("python", "def f():‸\n", "def f", "", id="the function whose header ends here"),
        pytest.param(
            "python", "def f(a, ‸):\n    pass\n", "def f", "", id="inside parameters, what encloses the function"
        ),
        pytest.param("python", "def f(:\n    if x:\n        ‸\n", "if x", "    ", id="a broken header above"),
        pytest.param(
            "javascript", "function f() {\n  if (x) {\n    ‸\n  }\n}\n", "if (x)", "  ", id="a block in braces"
        ),
        pytest.param("javascript", "function f() {\n  a();\n  ‸\n", "function f", "", id="a brace that is not closed"),
        pytest.param("go", "func f() {\n\tfor {\n\t\t‸\n\t}\n}\n", "for", "\t", id="a loop indented by a tab"),
        pytest.param("java", "class A {\n  void f() {\n    ‸\n  }\n}\n", "void f", "  ", id="a method in braces"),
        pytest.param("csharp", "class A\n{\n  void F()\n  {\n    ‸\n  }\n}\n", "void F", "  ", id="a method in C#"),
        pytest.param("csharp", "class A\n{\n  int X\n  {\n    ‸\n  }\n}\n", "int X", "  ", id="a property"),
        pytest.param("csharp", "namespace A;\n\nclass B\n{\n  ‸\n}\n", "class B", "", id="no namespace without braces"),
        pytest.param(
            "php", "<?php\nclass A\n{\n  function f()\n  {\n    ‸\n  }\n}\n", "function f", "  ", id="a method in PHP"
        ),
        pytest.param("php", "<?php\nforeach ($a as $b) {\n  ‸\n}\n", "foreach", "", id="a loop in PHP"),
        pytest.param("ruby", "class A\n  def f\n    ‸\n  end\nend\n", "def f", "  ", id="without a grammar"),
        pytest.param(
            "ruby", "class A\n  def f\n    x\n  end\n\n  ‸\nend\n", "class A", "", id="without one, between methods"
        ),
    ],
)
def test_scope(language: str, text: str, begins: str, scope_indent: str) -> None:
    context = seen(text, language)
    assert scope_text(context).startswith(begins)
    assert context.scope_indent == scope_indent


def test_a_scope_without_a_grammar_ends_with_its_lines() -> None:
    assert scope_text(seen("def f\n  a\n  ‸\n  b\nend\nc\n", "ruby")) == "def f\n  a\n  \n  b"


@pytest.mark.parametrize(
    ("language", "text", "in_string", "in_comment"),
    [
        pytest.param("python", "x = 'a‸'", True, False, id="between quotes"),
        pytest.param("python", "x = '‸'", True, False, id="between quotes that hold nothing"),
        pytest.param("python", "x = 'a'‸", False, False, id="behind the closing quote"),
        pytest.param("python", "x = ‸'a'", False, False, id="before the opening quote"),
        pytest.param("python", "x = 'a‸\ny = 1\n", True, False, id="a string that is not closed"),
        pytest.param("python", '"""\na ‸\n"""\n', True, False, id="a string over several lines"),
        pytest.param("python", "f'{a‸}'", False, False, id="a hole in a string"),
        pytest.param("python", "f'{a} b‸'", True, False, id="behind a hole in a string"),
        pytest.param("python", "x = 1  # don't‸", False, True, id="a comment with an apostrophe"),
        pytest.param("python", "# a‸\nx = 1\n", False, True, id="a comment's end"),
        pytest.param("python", "# a\n‸x = 1\n", False, False, id="under a comment"),
        pytest.param("python", "url = 'http://‸'", True, False, id="slashes in a string"),
        pytest.param("python", "f(‸ 'a'", False, False, id="broken code around a string"),
        pytest.param("c", "/* a ‸ */", False, True, id="a block comment"),
        pytest.param("c", "/* a */‸", False, False, id="behind a block comment"),
        pytest.param("c", "/* a ‸", False, True, id="a block comment that is not closed"),
        pytest.param("javascript", "x = `a ${b‸} c`", False, False, id="a template's hole"),
        pytest.param("javascript", "x = `a ${b} c‸`", True, False, id="behind a template's hole"),
        pytest.param("rust", "fn f<'a>(x: &'a ‸", False, False, id="a lifetime"),
        pytest.param("csharp", 'x = @"C:\\‸";', True, False, id="a verbatim string"),
        pytest.param("csharp", 'x = $"a {b‸} c";', False, False, id="an interpolated string's hole"),
        pytest.param("csharp", 'x = $"a {b} c‸";', True, False, id="behind that hole"),
        pytest.param("csharp", 'x = """\n  a ‸\n  """;', True, False, id="a raw string"),
        pytest.param("csharp", "/// <summary>a‸</summary>\nclass A {}", False, True, id="a documenting comment"),
        pytest.param("csharp", "x = 'a‸';", True, False, id="a character"),
        pytest.param("php", "<?php $x = 'a‸';", True, False, id="a string in PHP"),
        pytest.param("php", '<?php $x = "a {$b->na‸me} d";', False, False, id="a string's hole in PHP"),
        pytest.param("php", '<?php $x = "a {$b} c‸";', True, False, id="behind a string's hole in PHP"),
        pytest.param("php", "<?php\n$x = <<<SQL\n  a ‸\n  SQL;\n", True, False, id="a document in the code"),
        pytest.param("php", "<?php\n$x = <<<'SQL'\n  a ‸\n  SQL;\n", True, False, id="one without holes"),
        pytest.param("php", "<?php # don't‸", False, True, id="a comment after a number sign"),
        pytest.param("php", "<?php #[Don‸]\nfunction f() {}", False, False, id="an attribute"),
        pytest.param("php", "<p>don't‸</p>\n<?php f();", False, False, id="a page's text"),
        pytest.param("lua", "x = 'a‸'", True, False, id="a string without a grammar"),
        pytest.param("lua", "x = 1 -- a‸", False, True, id="a comment without a grammar"),
        pytest.param("plaintext", "I don't know‸", False, False, id="an apostrophe in prose"),
        pytest.param("shellscript", "echo $# ‸", False, False, id="a number sign behind a dollar"),
    ],
)
def test_strings_and_comments(language: str, text: str, in_string: bool, in_comment: bool) -> None:
    context = seen(text, language)
    assert (context.in_string, context.in_comment) == (in_string, in_comment)


@pytest.mark.parametrize(
    ("text", "settings", "expected"),
    [
        pytest.param("x = 'a‸'", {"in_strings": False}, Reason.INSIDE_STRING, id="no strings"),
        pytest.param("x = 'a‸'", {"in_comments": False}, Shape.LINE, id="no comments, in a string"),
        pytest.param("# a‸", {"in_comments": False}, Reason.INSIDE_COMMENT, id="no comments"),
        pytest.param("f'{a‸}'", {"in_strings": False}, Shape.LINE, id="no strings, in a hole"),
        pytest.param("def f():‸", {"shape": "line"}, Shape.LINE, id="lines only"),
        pytest.param("x = ‸", {"shape": "block"}, Shape.BLOCK, id="blocks always"),
        pytest.param("f(‸x)", {"shape": "block"}, Reason.INSIDE_STATEMENT, id="blocks, but not inside a statement"),
    ],
)
def test_settings(text: str, settings: dict[str, object], expected: Shape | Reason) -> None:
    context = seen(text, **settings)
    assert (context.reason or context.shape) == expected


@pytest.mark.parametrize(
    ("language", "text", "settings"),
    [
        pytest.param("python", "f(‸x)", {}, id="inside a statement"),
        pytest.param("c", "int x = 1;‸", {}, id="behind a finished statement"),
        pytest.param("python", "def f():‸\n    return 1\n", {}, id="at a header whose body is there"),
        pytest.param("python", "# a‸", {"in_comments": False}, id="in a comment"),
        pytest.param("python", "x = 'a‸'", {"in_strings": False}, id="in a string"),
    ],
)
def test_who_asks_by_hand_is_refused_nothing(language: str, text: str, settings: dict[str, object]) -> None:
    context = seen(text, language, invoked=True, **settings)
    assert context.shape is not Shape.NOTHING
    assert context.reason is None
