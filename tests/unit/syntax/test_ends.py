"""Where a suggestion is complete. `⟩` marks the end in what the model writes; without one, more is needed."""

import pytest

from fimserver.syntax.ends import finished_at
from fimserver.values import Shape
from tests.drawn import drawn

END = "⟩"

Row = tuple[str, str, str]

LINES: dict[str, tuple[Row, ...]] = {
    "python": (
        ("the end of the line", "x = ‸\n", "1⟩\ny = 2\n"),
        ("not before the line ends", "x = ‸\n", "compute(a"),
        ("nothing more on the line", "x = compute(y)‸\n", "⟩\nz = 1\n"),
        ("a bracket that goes over several lines", "x = ‸\n", "f(\n    a,\n    b,\n)⟩\ny\n"),
        ("a bracket that is still open", "x = ‸\n", "f(\n    a,\n"),
        ("a string over several lines", "x = ‸\n", '"""a\nb"""⟩\ny\n'),
        ("a bracket in a string does not count", "x = ‸\n", "'('⟩\ny\n"),
        ("a bracket in a comment does not count", "x = ‸\n", "1  # (⟩\ny"),
        ("the editor's closer is written again", "print(‸)\n", "a, b)⟩\n"),
        ("the editor's closer is left out", "print(‸)\n", "a, b⟩\ny\n"),
        ("the model closes the bracket lines later", "print(‸\n", "\n    a,\n)⟩\ny\n"),
        ("the arguments stand below", "f(‸\n    a,\n)\n", "⟩\n    b,\n"),
        ("an argument of a call over several lines", "f(\n    a,\n    ‸\n)\n", "    b,⟩\n    c,\n"),
        ("a blank line: empty lines before do not count", "‸\n", "\n\nx = 1⟩\ny\n"),
        ("a dedent", "if a:\n    b\n    ‸\n", "else:⟩\n    c\n"),
        ("carriage returns are not part of it", "x = ‸\r\n", "1⟩\r\ny\r\n"),
    ),
    "javascript": (
        ("the end of the line", "const a = ‸", "1;⟩\nconst b"),
        ("an object over several lines", "const a = ‸", "{\n  x: 1,\n};⟩\nb"),
        ("a function over several lines", "const a = ‸", "() => {\n  b();\n};⟩\nc"),
        ("a template over several lines", "const a = ‸", "`x\ny`;⟩\nb"),
    ),
    "csharp": (
        ("the end of the line", "var x = ‸", "1;⟩\nvar y"),
        ("a query over several lines", "var x = F(‸", "y => y,\n    1);⟩\nG();"),
        ("a verbatim string over several lines", "var x = ‸", '@"C:\\\n(";⟩\ny'),
        ("an expression's member", "public int X => ‸", "x + 1;⟩\n\npublic"),
        ("carriage returns are not part of it", "var x = ‸\r\n", "1;⟩\r\nF();\r\n"),
    ),
    "php": (
        ("the end of the line", "$x = ‸", "1;⟩\n$y"),
        ("an array over several lines", "$x = ‸", "[\n    'a' => 1,\n];⟩\n$y"),
        ("a document in the code", "$x = ‸", "<<<SQL\n    SELECT a, (\n    SQL;⟩\n$y"),
        ("a document in the code that is still open", "$x = ‸", "<<<SQL\n    SELECT a\n"),
        ("the other syntax's header is a line", "<?php ‸", "if ($x):⟩\n    f();"),
        ("code in a page", "<p><?= ‸ ?></p>", "$x ?></p>⟩\n<p>"),
        ("a number sign's bracket does not count", "$x = ‸", "1; # (⟩\n$y"),
        ("carriage returns are not part of it", "$x = ‸\r\n", "1;⟩\r\nf();\r\n"),
    ),
    "ruby": (
        ("the end of the line", "total = ‸", "1⟩\nb"),
        ("a bracket over several lines", "total = ‸", "[\n  1,\n]⟩\nb"),
    ),
}

BLOCKS: dict[str, tuple[Row, ...]] = {
    "python": (
        ("a dedent to the header", "def f():‸\n", "\n    return 1⟩\n\n\ndef g():\n"),
        ("a dedent is seen before its line is whole", "def f():‸\n", "\n    return 1⟩\n\nd"),
        ("no dedent yet", "def f():‸\n", "\n    a = 1\n    "),
        ("an empty line is no dedent", "def f():‸\n", "\n    a = 1\n\n    b = 2\n"),
        ("a blank line in the body", "def f():\n    ‸\n", "    return 1⟩\n\nprint(f())\n"),
        ("a method", "class A:\n    def f(self):\n        ‸\n", "        return 1⟩\n\n    def g(self):\n"),
        ("nested blocks belong to it", "def f():\n    ‸\n", "    if a:\n        b()\n    return c⟩\nf()"),
        ("a bracket's lines may stand further left", "def f():\n    ‸\n", "    a = [\n1,\n]\n    b\n"),
        ("a string's lines may stand further left", "def f():\n    ‸\n", '    a = """\nb\n"""\n    c\n'),
        ("a comment at the margin ends it", "def f():\n    ‸\n", "    a⟩\n# next\n"),
        ("else ends an if's block", "if ‸\n", "x:\n    a()⟩\nelse:\n    b()\n"),
        ("except belongs to try", "try:‸\n", "\n    a()\nexcept E:\n    b()⟩\nc()\n"),
        ("except belongs to try on the line above", "try:\n    ‸\n", "    a()\nexcept E:\n    b()⟩\nc()\n"),
        ("except stands in the document", "try:\n    ‸\nexcept E:\n    b()\n", "    a()⟩\nexcept E:\n"),
        ("a line that opens no block is a statement", "x = ‸\n", "1⟩\n\ny\n"),
        ("what a comment describes ends at an empty line", "# the sum\n‸\n", "total = 0\nadd(total)⟩\n\nx = 1\n"),
        ("a function a comment describes", "# the sum\n‸\n", "def total():\n    a\n\n    b⟩\n\nx"),
        ("in a function too", "def f():\n    # the sum\n    ‸\n", "    total = 0⟩\n\n    x = 1\n"),
        ("the first line stands outside", "def f():\n    ‸\n", "⟩\ndef g():\n    pass\n"),
        ("tabs", "def f():\n\t‸\n", "\tif a:\n\t\tb\n\tc⟩\nd"),
        ("carriage returns", "def f():‸\r\n", "\r\n    a⟩\r\n\r\nb"),
    ),
    "javascript": (
        ("the brace is written too", "function f() {‸", "\n  return 1;\n}⟩\n\nfunction g"),
        ("the brace that the suggestion replaces", "function f() {‸}", "\n  return 1;\n}⟩\n\nfunction g"),
        ("the brace that stands below is left out", "function f() {\n  ‸\n}", "  return 1;⟩\n}\n\nfunction g"),
        ("the brace below belongs to something else", "{\n  function f() {\n    ‸\n}", "    a();\n  }⟩\n}\n"),
        ("closers behind the brace", "rows.map((row) => {‸})", "\n  a();\n});⟩\nb"),
        ("closers behind the brace stand below", "rows.map((row) => {\n  ‸\n});", "  a();⟩\n});\nb"),
        ("a whole block on one line", "if (x) {‸}", " return; }⟩\nb"),
        ("the brace alone may get a semicolon", "const f = () => {‸", "\n  a();\n}"),
        ("nested braces belong to it", "function f() {‸", "\n  if (a) {\n    b();\n  }\n}⟩\n"),
        ("a brace in a string does not count", "function f() {‸", "\n  a('}');\n}⟩\n"),
        ("a brace in a template's hole does not count", "function f() {‸", "\n  a(`${b}`);\n}⟩\n"),
        ("else ends an if's block", "if (x) {‸", "\n  a();\n}⟩ else {\n  b();\n}\n"),
        ("catch belongs to try", "try {‸", "\n  a();\n} catch (e) {\n  b();\n}⟩\nd"),
        ("finally belongs to try", "try {‸", "\n  a();\n} catch {\n  b();\n} finally {\n  c();\n}⟩\nd"),
        ("the header is finished by the model", "if (‸) {", "x) {\n  a();\n}⟩\nb"),
        ("a dedent without a brace", "function f() {\n  ‸\n", "  a();⟩\nfunction g() {"),
        ("a blank line in a class", "class A {\n  ‸\n}", "  f() {\n    a();\n  }\n\n  g() {\n    b();\n  }⟩\n}\n"),
    ),
    "java": (
        ("a method", "class A {\n  void f() {\n    ‸\n  }\n}", "    a();⟩\n  }\n}\n"),
        ("a method without its brace", "class A {\n  void f() {\n    ‸\n}", "    a();\n  }⟩\n\n  void g"),
        ("a case ends at the next", "  switch (x) {\n  case 1:‸\n  }", "\n    a();\n    break;⟩\n  case 2:\n"),
        ("a case ends with its switch", "  switch (x) {\n    case 1:\n      ‸\n  }", "      a();⟩\n  }\n}\n"),
        ("a case that is begun", "  switch (x) {\n    ca‸\n  }", "se 1:\n      a();⟩\n    case 2:\n"),
    ),
    "typescript": (
        ("an interface", "interface A {‸}", "\n  x: number;\n}⟩\n\n"),
        ("an interface whose brace stands below", "interface A {\n  ‸\n}", "  x: number;⟩\n}\n"),
    ),
    "go": (
        ("cases stand at the switch's own indentation", "func f() {\n\tswitch x {‸", "\n\tcase 1:\n\t\ta()\n\t}⟩\n}\n"),
        ("a function that is called at once", "\tdefer func() {‸", "\n\t\tclose(done)\n\t}()⟩\n\tb()"),
        ("a function", "func f() {‸", "\n\treturn\n}⟩\n\nfunc g"),
        ("a raw string at the margin", "func f() {‸", "\n\ta(`\n}\n`)\n}⟩\n"),
    ),
    "rust": (
        ("a function", "fn f() -> i32 {‸}", "\n    1\n}⟩\n\nfn g"),
        ("a lifetime is no quote", "fn f() {‸", "\n    let x: &'a str = y;\n}⟩\n"),
        ("a match", "    match x {\n        ‸\n    }", "        1 => a(),\n        _ => b(),⟩\n    }\n}"),
    ),
    "c": (
        ("a function", "int f(void) {‸", "\n    return 1;\n}⟩\n\nint g"),
        ("the preprocessor's lines stand at the margin", "int f(void) {‸", "\n#ifdef A\n    a();\n#endif\n}⟩\n"),
        ("a structure and its semicolon", "struct a {‸", "\n    int x;\n};⟩\nint"),
        ("while belongs to do", "do {‸", "\n    a();\n} while (x);⟩\nb"),
    ),
    "cpp": (
        ("labels stand at the class's own indentation", "class A {‸", "\npublic:\n  int x;\n};⟩\n"),
        ("what a namespace holds is not indented", "namespace a {\n\n‸\n\n}\n", "void f() {\n  g();\n}⟩\n\nvoid h"),
        ("a lambda", "auto f = [&] {‸};", "\n  a();\n};⟩\nb"),
    ),
    "csharp": (
        ("a method", "class A\n{\n    void F()\n    {\n        ‸\n    }\n}", "        G();⟩\n    }\n}\n"),
        (
            "a method without its brace",
            "class A\n{\n    void F()\n    {\n        ‸\n}",
            "        G();\n    }⟩\n\n    int",
        ),
        ("a block of its own", "void F()\n{\n    ‸\n}", "    if (x)\n    {\n        G();\n    }\n    H();⟩\n}\n"),
        ("a header's brace on the next line", "if (‸)", "x)\n{\n    F();\n}⟩\n\nG();"),
        ("a header whose brace may still come", "if (‸)", "x)\n    "),
        ("what was a header's beginning is none", "int X‸", " => 3;⟩\n\nint"),
        ("a header without braces", "if (‸)", "x)\n    F();⟩\nG();"),
        ("a header that a comment ends", "if (‸)", "x) // all\n{\n    F();\n}⟩\nG();"),
        ("catch belongs to try, braces on their own lines", "try‸", "\n{\n    F();\n}\ncatch (E)\n{\n    G();\n}⟩\nH"),
        ("and below a brace on its own line", "try\n{\n    ‸", "    F();\n}\ncatch (E)\n{\n    G();\n}⟩\nH"),
        ("else stands behind an if's block", "if (‸)", "x)\n{\n    F();\n}⟩\nelse\n{\n    G();\n}\n"),
        ("an accessor", "int X\n{\n    get {‸}\n}", " return x; }⟩\n    set"),
        ("all accessors", "int X\n{\n    ‸\n}", "    get { return x; }\n    set { x = value; }⟩\n}\n"),
        ("a lambda", "rows.ForEach(row => {‸});", "\n    F(row);\n});⟩\nG"),
        ("the arms of a switch", "var k = x switch\n{\n    ‸\n};", "    1 => a,\n    _ => b,⟩\n};\n"),
        ("a case ends at the next", "switch (x)\n{\n    case 1:‸\n}", "\n        F();\n        break;⟩\n    case 2:\n"),
        ("while belongs to do", "do {‸", "\n    F();\n} while (x);⟩\nG"),
        ("catch belongs to try", "try {‸", "\n    F();\n} catch (E e) {\n    G();\n}⟩\nH"),
        ("a raw string at the margin", "void F() {‸", '\n    G("""\n}\n""");\n}⟩\n'),
        ("a verbatim string's brace", "void F() {‸", '\n    G(@"\\");\n}⟩\nH'),
        ("carriage returns", "void F()\r\n{\r\n    ‸\r\n}", "    G();⟩\r\n}\r\n"),
    ),
    "php": (
        ("a function", "function f()\n{\n    ‸\n}", "    return 1;⟩\n}\n\nfunction g"),
        (
            "a method without its brace",
            "class A\n{\n    function f()\n    {\n        ‸\n}",
            "        g();\n    }⟩\n\n    f",
        ),
        ("elseif ends an if's block", "if ($x) {‸", "\n    f();\n}⟩ elseif ($y) {\n"),
        ("catch belongs to try", "try {‸", "\n    f();\n} catch (E $e) {\n    g();\n}⟩\nh"),
        ("a closure and its brackets", "usort($a, function ($b) {‸});", "\n    f($b);\n});⟩\ng"),
        ("the arms of a match", "$k = match ($x) {\n    ‸\n};", "    1 => 'a',\n    default => 'b',⟩\n};\n"),
        ("a brace in a string does not count", "function f() {‸", '\n    g("{$x}");\n}⟩\n'),
        ("nor in a document in the code", "function f() {‸", "\n    g(<<<A\n}\n    A);\n}⟩\n"),
        ("nor in a comment", "function f() {‸", "\n    g(); # }\n}⟩\n"),
        ("carriage returns", "function f()\r\n{\r\n    ‸\r\n}", "    g();⟩\r\n}\r\n"),
    ),
    "ruby": (
        ("end is written too", "def f(x)‸\n", "\n  x\nend⟩\n\ndef g"),
        ("end stands below", "def f(x)\n  ‸\nend", "  x⟩\nend\n"),
        ("a block in braces", "rows.each {‸", "\n  a\n}⟩\nb"),
    ),
    "lua": (("end and a bracket", "f(function()‸", "\n  a()\nend)⟩\nb"),),
}


def rows(tables: dict[str, tuple[Row, ...]]) -> list[object]:
    return [pytest.param(name, *row[1:], id=f"{name}: {row[0]}") for name, table in tables.items() for row in table]


def end_in(language: str, text: str, written: str, shape: Shape) -> int | None:
    document, offset = drawn(text, language=language)
    return finished_at(document, offset, written.replace(END, ""), shape, scope_indent(document.text[:offset]))


def scope_indent(before: str) -> str:
    """Return the indentation of the nearest line above that is indented less: what `CursorContext` says."""
    *above, line = before.replace("\r", "").split("\n")
    depth = len(line) - len(line.lstrip())
    shallower = [text for text in above if text.strip() and len(text) - len(text.lstrip()) < depth]
    return shallower[-1][: len(shallower[-1]) - len(shallower[-1].lstrip())] if shallower else ""


def marked_end(written: str) -> int | None:
    return written.index(END) if END in written else None


@pytest.mark.parametrize(("language", "text", "written"), rows(LINES))
def test_a_line_ends(language: str, text: str, written: str) -> None:
    assert end_in(language, text, written, Shape.LINE) == marked_end(written)


@pytest.mark.parametrize(("language", "text", "written"), rows(BLOCKS))
def test_a_block_ends(language: str, text: str, written: str) -> None:
    assert end_in(language, text, written, Shape.BLOCK) == marked_end(written)


@pytest.mark.parametrize(("language", "text", "written"), [row for row in rows(BLOCKS) if END in row.values[2]])  # type: ignore[attr-defined]
def test_a_block_does_not_end_before_its_end(language: str, text: str, written: str) -> None:
    """Whatever is written so far, cut anywhere, never ends before the place where the whole ends."""
    whole = written.replace(END, "")
    end = written.index(END)
    for length in range(len(whole)):
        found = end_in(language, text, whole[:length], Shape.BLOCK)
        assert found is None or found == end, whole[:length]
