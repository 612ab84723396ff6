"""What the model should not have written is cut, mended or refused, with a reason.

Rows are: where, what the model wrote, and the text after accepting with the cursor drawn at its end, or the reason.
"""

import pytest

from fimserver.complete.filters import refine
from fimserver.values import Reason, Rejection
from tests.unit.complete.landings import becomes, in_place, looked

Row = tuple[str, str, str]

ALREADY_THERE: dict[str, list[Row]] = {
    "python": [
        ("x = ‸\n", "x = 1", "x = 1‸\n"),
        ("    return ‸\n", "return total", "    return total‸\n"),
        ("x = ‸\n", " 1", "x = 1‸\n"),
        ("print(total_pri‸)\n", "total_price)", "print(total_price)‸\n"),
        ("self.na‸\n", "self.name = name", "self.name = name‸\n"),
        ("f(‸, b)\n", "a, b)", "f(a‸, b)\n"),
        ("x = f(‸) + 1\n", "a) + 1", "x = f(a‸) + 1\n"),
        ("def f():\n    ‸\n    return a\n", "    a = 1\n    return a", "def f():\n    a = 1‸\n    return a\n"),
        ("def f():\n    ‸\n    return a\n", "    return a", "repeats-suffix"),
        ("a = 1\n‸\nb = 2\n", "b = 2", "repeats-suffix"),
        ("a = ‸\nb = 2\n", "b = 2", "repeats-suffix"),
        ("b = ‸\nb = 2\n", "2", "repeats-suffix"),
        ("if a:\n    b()\n‸\nelse:\n    c()\n", "else:\n    c()", "repeats-suffix"),
        (
            "def f(items):\n    ‸\n    return compute_total(items, tax_rates, discount)\n",
            "    return compute_total(items, tax_rate, discount)",
            "repeats-suffix",
        ),
        ("x = [\n    1,\n    ‸\n]\n", "    2,\n]", "x = [\n    1,\n    2,‸\n]\n"),
        ("x = 1\n‸\n", "x = 1", "repeats-prefix"),
        ("def f():\n    a()\n    ‸\n", "    a()", "repeats-prefix"),
    ],
    "javascript": [
        ("function f() {\n  a();\n  ‸\n}\n", "  b();\n}", "function f() {\n  a();\n  b();‸\n}\n"),
        ("const x = ‸;\n", "const x = 1;", "const x = 1;‸\n"),
        ("f(‸, b);\n", "a, b);", "f(a‸, b);\n"),
        ("items.map((a) => {\n  ‸\n});\n", "  return a;\n});", "items.map((a) => {\n  return a;‸\n});\n"),
        (
            "if (a) {\n  ‸\n} else {\n  c();\n}\n",
            "  b();\n} else {\n  c();\n}",
            "if (a) {\n  b();‸\n} else {\n  c();\n}\n",
        ),
        ("a();\n‸\nb();\n", "b();", "repeats-suffix"),
        ("const a = /‸/;\n", "x+/;", "const a = /x+‸/;\n"),
    ],
    "typescript": [("let a: Array<‸> = [];\n", "string> = [];", "let a: Array<string‸> = [];\n")],
    "go": [
        ("func f() int {\n\t‸\n}\n", "\treturn 1\n}", "func f() int {\n\treturn 1‸\n}\n"),
        ("func f() {\n\ta()\n\t‸\n\tb()\n}\n", "\tb()", "repeats-suffix"),
        ("func f() {\n\tx := ‸\n}\n", "x := 1", "func f() {\n\tx := 1‸\n}\n"),
    ],
    "rust": [
        ("fn f() {\n    ‸\n}\n", "    g();\n}", "fn f() {\n    g();‸\n}\n"),
        ("fn f() {\n    let x = ‸\n}\n", "let x = 1;", "fn f() {\n    let x = 1;‸\n}\n"),
    ],
    "c": [
        (
            "int f() {\n    ‸\n    return 0;\n}\n",
            "    g();\n    return 0;\n}",
            "int f() {\n    g();‸\n    return 0;\n}\n",
        ),
        ("int a[] = {1, ‸};\n", "2", "int a[] = {1, 2};‸\n"),
    ],
    "cpp": [("std::vector<‸> v;\n", "int> v;", "std::vector<int‸> v;\n")],
    "java": [
        (
            "class A {\n    int f() {\n        ‸\n    }\n}\n",
            "        return 1;\n    }\n}",
            "class A {\n    int f() {\n        return 1;‸\n    }\n}\n",
        ),
    ],
    "csharp": [
        (
            "class A\n{\n    int F()\n    {\n        ‸\n    }\n}\n",
            "        return 1;\n    }\n}",
            "class A\n{\n    int F()\n    {\n        return 1;‸\n    }\n}\n",
        ),
        ("var x = ‸;\n", "var x = 1;", "var x = 1;‸\n"),
        (
            "if (a)\n{\n    ‸\n}\nelse\n{\n    C();\n}\n",
            "    B();\n}\nelse\n{\n    C();",
            "if (a)\n{\n    B();‸\n}\nelse\n{\n    C();\n}\n",
        ),
        ("A();\n‸\nB();\n", "B();", "repeats-suffix"),
    ],
    "php": [
        ("<?php\nfunction f()\n{\n    ‸\n}\n", "    return 1;\n}", "<?php\nfunction f()\n{\n    return 1;‸\n}\n"),
        ("<?php\n$x = ‸;\n", "$x = 1;", "<?php\n$x = 1;‸\n"),
        ("<?php\nf();\n‸\ng();\n", "g();", "repeats-suffix"),
    ],
    "ruby": [("def f\n  ‸\nend\n", "  a\nend", "def f\n  a‸\nend\n")],
    "lua": [("x = ‸\n", "x = 1", "x = 1‸\n")],
}  # fmt: skip

BRACKETS: dict[str, list[Row]] = {
    "python": [
        ("print(‸)\n", "a", "print(a)‸\n"),
        ("print(str(‸))\n", "a)", "print(str(a))‸\n"),
        ("print(f(‸))\n", "a(1)", "print(f(a(1)))‸\n"),
        ("print(a‸\n", "b))", "print(ab)‸\n"),
        ("x = ‸\n", "a)", "x = a‸\n"),
        ('print("‸")\n', "hello", 'print("hello")‸\n'),
        ('print("‸")\n', 'hello"', 'print("hello")‸\n'),
        ('print(f"{‸}")\n', "a", 'print(f"{a}")‸\n'),
        ("if f(‸):\n    pass\n", "a", "if f(a):‸\n    pass\n"),
        ("def f(‸):\n    pass\n", "a, b)", "def f(a, b):‸\n    pass\n"),
        ("def f(‸):\n    pass\n", "a: int) -> int", "def f(a: int) -> int:‸\n    pass\n"),
        ("f(\n    a,\n    ‸\n)\n", "    b)", "f(\n    a,\n    b‸\n)\n"),
        ("x = [‸]\n", "a for a in b", "x = [a for a in b]‸\n"),
        ('"""‸"""\n', "Say it.", '"""Say it."""‸\n'),
        ('x = ")" + ‸\n', '")")', 'x = ")" + ")"‸\n'),
        ("x = f(‸)\n", "a  # )", "syntax-error"),
        ("f(a)\n‸\n", ")", "empty"),
        ("‸\n", "x = ]", "syntax-error"),
    ],
    "javascript": [
        ("f(‸);\n", "a", "f(a);‸\n"),
        ("f(‸);\n", "a)", "f(a);‸\n"),
        ("f(‸);\n", "a).g()", "f(a).g();‸\n"),
        ("if (‸) {\n  a();\n}\n", "x > 0", "if (x > 0) {‸\n  a();\n}\n"),
        ("if (‸) {\n  a();\n}\n", "x > 0)", "if (x > 0) {‸\n  a();\n}\n"),
        ("const s = `${‸}`;\n", "a", "const s = `${a}`;‸\n"),
        ("const a = { b: ‸ };\n", "1", "const a = { b: 1 };‸\n"),
        ("const a = [‸];\n", "1, 2]]", "const a = [1, 2];‸\n"),
        ("f('‸');\n", "a(b", "f('a(b');‸\n"),
    ],
    "javascriptreact": [("const a = <li>‸</li>;\n", "<b>{x}</b>", "const a = <li><b>{x}</b></li>;‸\n")],
    "typescript": [("let a = new Map<‸>();\n", "string, number", "let a = new Map<string, number>();‸\n")],
    "go": [
        ("func f() {\n\tg(‸)\n}\n", "a", "func f() {\n\tg(a)‸\n}\n"),
        ("func f() {\n\tx := a[‸]\n}\n", "i]]", "func f() {\n\tx := a[i]‸\n}\n"),
    ],
    "rust": [
        ("fn f() {\n    println!(‸);\n}\n", '"{}", a', 'fn f() {\n    println!("{}", a);‸\n}\n'),
        ("fn f(x: Option<‸>) {}\n", "u8", "fn f(x: Option<u8‸>) {}\n"),
        ("fn f() -> Vec<‸> {\n    g()\n}\n", "u8", "fn f() -> Vec<u8> {‸\n    g()\n}\n"),
    ],
    "c": [
        ('#include <‸>\n', "stdio.h", "#include <stdio.h>‸\n"),
        ("void f(void) {\n    g(‸);\n}\n", "a))", "void f(void) {\n    g(a);‸\n}\n"),
        ("/* ‸ */\n", "why", "/* why */‸\n"),
        (
            "void f(void) {\n    while (‸) {\n        g();\n    }\n}\n",
            "a < b",
            "void f(void) {\n    while (a < b) {‸\n        g();\n    }\n}\n",
        ),
    ],
    "java": [
        (
            "class A {\n    void f() {\n        g(‸);\n    }\n}\n",
            "a",
            "class A {\n    void f() {\n        g(a);‸\n    }\n}\n",
        ),
    ],
    "csharp": [
        ("void F()\n{\n    G(‸);\n}\n", "a", "void F()\n{\n    G(a);‸\n}\n"),
        ("void F()\n{\n    G(‸);\n}\n", "a))", "void F()\n{\n    G(a);‸\n}\n"),
        ('var s = $"{‸}";\n', "a", 'var s = $"{a}";‸\n'),
        ('var s = "‸";\n', "a(b", 'var s = "a(b";‸\n'),
        ("var s = @‸;\n", '"C:\\";', 'var s = @"C:\\";‸\n'),
        ("/// <summary>‸</summary>\nclass A {}\n", "Why.", "/// <summary>Why.</summary>‸\nclass A {}\n"),
        ("var xs = new List<‸>();\n", "int", "var xs = new List<int>();‸\n"),
    ],
    "php": [
        ("<?php\ng(‸);\n", "$a", "<?php\ng($a);‸\n"),
        ("<?php\ng(‸);\n", "$a))", "<?php\ng($a);‸\n"),
        ("<?php\n$a['‸'];\n", "key", "<?php\n$a['key'];‸\n"),
        ("<?php\n#[Route(‸)]\nfunction f() {}\n", "'/'", "<?php\n#[Route('/')]‸\nfunction f() {}\n"),
        ("<p><?= ‸ ?></p>\n", "$a->b", "<p><?= $a->b ?></p>‸\n"),
        ("<p><?= ‸ ?></p>\n", "f($a) ?></p>", "<p><?= f($a) ?></p>‸\n"),
        ("<?php f(‸); ?>\n", "$a", "<?php f($a); ?>‸\n"),
    ],
    "ruby": [("puts(‸)\n", "a", "puts(a)‸\n"), ("puts(a‸\n", ", b))", "puts(a, b)‸\n")],
}  # fmt: skip

INDENTATION: dict[str, list[Row]] = {
    "python": [
        ("def f():\n    ‸\n", "return 1", "def f():\n    return 1‸\n"),
        ("def f():\n    ‸\n", "a = 1\nreturn a", "def f():\n    a = 1\n    return a‸\n"),
        ("def f():\n    ‸\n", "a = 1\n    return a", "def f():\n    a = 1\n    return a‸\n"),
        ("def f():\n    ‸\n", "if a:\n    b()", "def f():\n    if a:\n        b()‸\n"),
        ("def f():\n    ‸\n", "if a:\n        b()", "def f():\n    if a:\n        b()‸\n"),
        ("def f():\n    a = 1\n    ‸\n    return a\n", "b = 2", "def f():\n    a = 1\n    b = 2‸\n    return a\n"),
        ("def f():\n    a = 1\n    ‸\n", "        b = 2", "def f():\n    a = 1\n    b = 2‸\n"),
        ("def f():\n    a = 1\n    ‸\n", "     b = 2", "def f():\n    a = 1\n    b = 2‸\n"),
        ("def f():\n    a = 1\n    ‸\n", "  b = 2", "def f():\n    a = 1\n    b = 2‸\n"),
        ("class A:\n    def f(self):\n        ‸\n", "    return 1", "class A:\n    def f(self):\n        return 1‸\n"),
        ("if a:\n\tb()\n\t‸\n", "    c()", "if a:\n\tb()\n\tc()‸\n"),
        ("if a:\n    b()\n    ‸\n", "\tc()", "if a:\n    b()\n    c()‸\n"),
        ("def f():\n\tif a:\n\t\t‸\n", "    b()\n    c()", "def f():\n\tif a:\n\t\tb()\n\t\tc()‸\n"),
        ("def f():\n    ‸\n", "else:\n    a()", "empty"),
    ],
    "javascript": [
        ("function f() {\n  ‸\n}\n", "return 1;", "function f() {\n  return 1;‸\n}\n"),
        ("function f() {\n\ta();\n\t‸\n}\n", "    b();", "function f() {\n\ta();\n\tb();‸\n}\n"),
    ],
    "go": [
        ("func f() {\n\t‸\n}\n", "    a()", "func f() {\n\ta()‸\n}\n"),
        ("func f() {\n\t‸\n}\n", "    if a {\n        b()\n    }", "func f() {\n\tif a {\n\t\tb()\n\t}‸\n}\n"),
        ("func f() {‸\n}\n", "\n  if a {\n    b()\n  }", "func f() {\n\tif a {\n\t\tb()\n\t}‸\n}\n"),
    ],
    "java": [
        (
            "class A {\n    int f() {\n        ‸\n    }\n}\n",
            "return 1;",
            "class A {\n    int f() {\n        return 1;‸\n    }\n}\n",
        ),
    ],
    "csharp": [
        (
            "void F()\n{\n    ‸\n}\n",
            "if (a)\n{\n    G();\n}",
            "void F()\n{\n    if (a)\n    {\n        G();\n    }‸\n}\n",
        ),
        ("void F()\n{\n\t‸\n}\n", "    return;", "void F()\n{\n\treturn;‸\n}\n"),
    ],
    "php": [
        ("<?php\nfunction f()\n{\n    ‸\n}\n", "return 1;", "<?php\nfunction f()\n{\n    return 1;‸\n}\n"),
        ("<?php\nif ($a) {\n    ‸\n}\n", "\tf();", "<?php\nif ($a) {\n    f();‸\n}\n"),
    ],
    "c": [("int f() {\n    ‸\n}\n", "\treturn 1;", "int f() {\n    return 1;‸\n}\n")],
    "makefile": [("all:\n\ta\n\t‸\n", "        b", "all:\n\ta\n\tb‸\n")],
}  # fmt: skip

LINE_ENDS: list[Row] = [
    ("def f():\n    ‸\n", "    a = 1\r\n    return a", "def f():\n    a = 1\n    return a‸\n"),
    ("def f():\r\n    ‸\r\n", "    a = 1\n    return a", "def f():\r\n    a = 1\r\n    return a‸\r\n"),
    ("def f():\n    ‸\n", "    a = 1\r    return a", "def f():\n    a = 1\n    return a‸\n"),
    ("x = ‸\n", "1   ", "x = 1‸\n"),
    ("x = ‸\n", "1\r", "x = 1‸\n"),
]

JUNK: list[Row] = [
    ("x = ‸\n", "", "empty"),
    ("x = ‸\n", "   ", "only-white-space"),
    ("def f():\n    ‸\n", "\n\n\n", "only-white-space"),
    ("x = ‸\n", "\t \u200b", "only-white-space"),
    ("‸\n", "# Copyright 2020 The Authors. All rights reserved.", "junk"),
    ("‸\n", "# Licensed under the Apache License", "junk"),
    ("‸\n", "# path: src/main.py", "junk"),
    ("‸\n", "# src/main.py", "junk"),
    ("‸\n", "Sure, here is the code you asked for:", "junk"),
    ("‸\n", "Here's the completed function:\n\ndef f():\n    pass", "junk"),
    ("‸\n", "I'm sorry, but I cannot do that", "junk"),
    ("‸\n", "The following code adds two numbers", "junk"),
    ("def f():\n    ‸\n", "```python\n    return 1\n```\nThis returns one.", "def f():\n    return 1‸\n"),
    ("def f():\n    ‸\n", "    return 1\n```\nThis returns one.", "def f():\n    return 1‸\n"),
    ("x = ‸\n", "```", "junk"),
    ("x = ‸\n", "1\ufffd\ufffd", "x = 1‸\n"),
    ("x = ‸\n", "\ufffd", "empty"),
    ("x = ‸\n", "\x1b[31m1\x1b[0m", "x = 1‸\n"),
    ("x = ‸\n", "\u202e1\u2066", "x = 1‸\n"),
    ("x = ‸\n", "a\u200bb\ufeff", "x = ab‸\n"),
    ("x = ‸\n", "a\U000e0041\U000e0042", "x = a‸\n"),
    ('x = "\u200d"\ny = ‸\n', '"\u200d"', 'x = "\u200d"\ny = "\u200d"‸\n'),
    ("x = ‸\n", "1\x00\x07", "x = 1‸\n"),
    ("x = ‸\n", "<|fim\u200b_middle|>1", "leaked-control-text"),
]

CONTROL_TEXTS = [
    "<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>", "<|fim_pad|>", "<|endoftext|>", "<|file_sep|>",
    "<|repo_name|>", "<|im_start|>", "<|im_end|>", "<|file_separator|>", "<|end_of_text|>", "<|eot_id|>",
    "<|begin_of_text|>", "<|end|>", "<|assistant|>", "<|cursor|>", "<fim_prefix>", "<fim_suffix>", "<fim_middle>",
    "<fim_pad>", "<file_sep>", "<repo_name>", "<jupyter_code>", "<commit_before>", "<empty_output>", " <PRE>",
    " <SUF>", " <MID>", " <EOT>", "[PREFIX]", "[SUFFIX]", "[MIDDLE]", "[INST]", "[/INST]", "</s>", "<end_of_turn>",
    "<start_of_turn>", "<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>", "<｜end▁of▁sentence｜>", "<｜User｜>",
    "<[fim-prefix]>", "<[fim-suffix]>", "<[fim-middle]>", "<[end▁of▁sentence]>", "</think>", "<tool_call>",
]  # fmt: skip

QUOTED_BY_THE_DOCUMENT = ["<|fim_middle|>", "<fim_prefix>", "[INST]", "<｜fim▁begin｜>"]


def every(table: dict[str, list[Row]]) -> list[object]:
    """Return a parameter for each row of a table by language."""
    return [
        pytest.param(language, *row, id=f"{language}: {row[0]!r} + {row[1]!r}"[:120])
        for language, rows in table.items()
        for row in rows
    ]


@pytest.mark.parametrize(("language", "at", "answer", "then"), every(ALREADY_THERE))
async def test_what_stands_there_is_not_written_again(language: str, at: str, answer: str, then: str) -> None:
    assert await becomes(at, answer, language) == then


@pytest.mark.parametrize(("language", "at", "answer", "then"), every(BRACKETS))
async def test_brackets_fit(language: str, at: str, answer: str, then: str) -> None:
    assert await becomes(at, answer, language) == then


@pytest.mark.parametrize(("language", "at", "answer", "then"), every(INDENTATION))
async def test_indentation_fits(language: str, at: str, answer: str, then: str) -> None:
    assert await becomes(at, answer, language) == then


@pytest.mark.parametrize(("language", "at", "answer", "then"), every({"python": LINE_ENDS}))
async def test_line_ends_are_those_of_the_file(language: str, at: str, answer: str, then: str) -> None:
    assert await becomes(at, answer, language) == then


@pytest.mark.parametrize(("language", "at", "answer", "then"), every({"python": JUNK}))
async def test_what_is_no_code_is_not_shown(language: str, at: str, answer: str, then: str) -> None:
    assert await becomes(at, answer, language) == then


@pytest.mark.parametrize("control", CONTROL_TEXTS)
async def test_control_texts_of_every_family_are_cut(control: str) -> None:
    assert await becomes("x = ‸\n", f"a + b{control}c") == "x = a + b‸\n"
    assert await becomes("x = y‸\n", control) == "leaked-control-text"


@pytest.mark.parametrize("control", QUOTED_BY_THE_DOCUMENT)
async def test_a_document_about_control_texts_may_have_them(control: str) -> None:
    at = f'first = "{control}"\nsecond = ‸\n'
    assert await becomes(at, f'"{control}"') == in_place(at, f'"{control}"')


@pytest.mark.parametrize(
    ("at", "text", "reason"),
    [
        pytest.param("a = 1\nb = 2\n‸\n", "a = 1\nb = 2", Reason.REPEATS_PREFIX, id="the lines above"),
        pytest.param("x = ‸\n", "a_function_of(b) + " * 8, Reason.REPEATS_ITSELF, id="one phrase over and over"),
        pytest.param("‸\n", "a()\nb()\na()\nb()\na()\na()\n", Reason.REPEATS_ITSELF, id="mostly one line"),
        pytest.param(
            "def f():\n    a()\n    ‸\n",
            "      b()\n   c()",
            Reason.WRONG_INDENTATION,
            id="lines at depths that nothing opened",
        ),
    ],
)
def test_what_comes_without_stops_is_refused_as_well(at: str, text: str, reason: Reason) -> None:
    outcome, steps = refine(text, looked(at, "python"))
    assert isinstance(outcome, Rejection)
    assert outcome.reason is reason
    assert steps[-1].after == outcome


async def test_ten_thousand_lines_become_a_suggestion() -> None:
    lines = "\n".join(f"    a{number} = {number}" for number in range(10_000))
    kept = "\n".join(f"    a{number} = {number}" for number in range(12))
    assert await becomes("def f():\n    ‸\n", lines) == f"def f():\n{kept}‸\n"
