"""An answer is cut where it is whole, at whatever place its pieces break."""

import pytest

from fimserver.complete.stops import Stopping, stopped
from fimserver.context.cursor import look_around
from fimserver.settings import CompletionSettings
from fimserver.values import Shape
from tests.drawn import drawn
from tests.unit.complete.landings import looked, written

Row = tuple[str, str, str]

# Where, what the model writes, and what of it is kept.
WHOLE: dict[str, list[Row]] = {
    "python": [
        ("x = ‸", "a\nb = 2", "a"),
        ("def f():\n    ‸", "    return 1\n\n\ndef g():", "    return 1"),
        ("def f():\n    ‸", "    if a:\n        b()\n    return 1\nx = 2", "    if a:\n        b()\n    return 1"),
        ("def f():\n    ‸\n    return a\n", "    a = 1\n    return a\n\n", "    a = 1"),
        (
            "def f(a):\n    ‸\n    return None\n",
            "    if a:\n        return None\n    return None\n",
            "    if a:\n        return None",
        ),
        ("def f():\n    ‸", "    a()\n    a()\n    a()\n    a()", "    a()\n    a()"),
        ("def f():\n    ‸", "    a()\n    b()\n    a()\n    b()\n", "    a()\n    b()\n    a()\n    b()"),
        ("x = ‸", "[1, 2]<|endoftext|>more", "[1, 2]<|endoftext|>"),
        ("def f():\n    ‸", "    return 1\n```\nIt returns 1.", "    return 1"),
        ("def f():\n    ‸", "return 1\n\nprint", "return 1"),
        ("def f():\n    ‸", "if a:\n    b()\nreturn 1\n", "if a:\n    b()\nreturn 1"),
        ("try:\n    ‸", "    a()\nexcept E:\n    b()\nc()", "    a()\nexcept E:\n    b()"),
        ("# ‸", "-" * 75 + "\n", "-" * 75),
        ("x = [‸", "0, " * 30 + "0]\n", "0, " * 30 + "0]"),
        ("x = ‸", "a" + "()" * 40, "a()"),
        ("def f():\n    ‸", "    x = '''\na\n'''\n    return x\ny", "    x = '''\na\n'''\n    return x"),
    ],
    "javascript": [
        ("function f() {\n  ‸\n", "  return 1;\n}\n\nfunction g() {", "  return 1;\n}"),
        ("function f() {\n  ‸\n}\n", "  return 1;\n}\n\nf();", "  return 1;"),
        ("items.map((a) => {‸\n", "\n  return a;\n});\nf();", "\n  return a;\n});"),
        ("(function () {‸\n", "\n  a();\n})();\nb();", "\n  a();\n})();"),
        ("if (a) {‸\n", "\n  b();\n}\nc();", "\n  b();\n}"),
        ("a();\n‸\nb();\n", "c();\nb();\n", "c();"),
    ],
    "go": [
        ("func f() {‸\n", "\n\ta()\n}\n\nfunc g() {", "\n\ta()\n}"),
        ("func f() {\n\tdefer func() {‸\n}\n", "\n\t\ta()\n\t}()\n\tb()", "\n\t\ta()\n\t}()"),
        ("func f() {\n\tif a {‸\n}\n", "\n\t\tb()\n\t}\n\tc()", "\n\t\tb()\n\t}"),
    ],
    "rust": [("fn f() -> i32 {‸\n", "\n    1\n}\n\nfn g() {", "\n    1\n}")],
    "c": [
        ("int f() {‸\n", "\n    return 1;\n}\nint g;", "\n    return 1;\n}"),
        (
            "void f() {\n    do {‸\n}\n",
            "\n        a();\n    } while (b);\n    c();",
            "\n        a();\n    } while (b);",
        ),
    ],
    "cpp": [("namespace a {\n\n‸\n\n}\n", "void f() {\n    g();\n}\n\nvoid h() {", "void f() {\n    g();\n}")],
    "java": [("class A {\n    void f() {‸\n}\n", "\n        a();\n    }\n\n    void g() {", "\n        a();\n    }")],
    "csharp": [
        ("class A\n{\n    void F()\n    {‸\n}\n", "\n        G();\n    }\n\n    int H()", "\n        G();\n    }"),
        ("void F()\n{\n    if (‸)\n}\n", "a)\n    {\n        G();\n    }\n    H();", "a)\n    {\n        G();\n    }"),
        ("void F()\n{\n    ‸\n}\n", "    G();\n}\n\nvoid H()", "    G();"),
    ],
    "php": [
        ("<?php\nfunction f() {‸\n", "\n    g();\n}\n\nfunction h() {", "\n    g();\n}"),
        ("<?php\n$a = 1;\n‸\n$c = 3;\n", "$b = 2;\n$c = 3;\n", "$b = 2;"),
    ],
    "ruby": [("def f\n  ‸", "  a\nend\n\ndef g\n", "  a\nend")],
    "typescript": [("interface A {‸\n", "\n  b: string;\n}\n\nconst c", "\n  b: string;\n}")],
}  # fmt: skip


def stopping(at: str, shape: Shape, max_lines: int = 12) -> Stopping:
    document, offset = drawn(at)
    return Stopping(look_around(document, offset, completion=CompletionSettings()), shape, max_lines)


@pytest.mark.parametrize(
    ("language", "at", "answer", "kept"),
    [
        pytest.param(language, *row, id=f"{language}: {row[0]!r} + {row[1]!r}"[:120])
        for language, rows in WHOLE.items()
        for row in rows
    ],
)
async def test_nothing_is_kept_past_the_end(language: str, at: str, answer: str, kept: str) -> None:
    assert (await written(looked(at, language), answer)).text.rstrip() == kept


@pytest.mark.parametrize(
    ("language", "at", "answer"),
    [
        pytest.param(language, at, answer, id=f"{language}: {at!r} + {answer!r}"[:120])
        for language, rows in WHOLE.items()
        for at, answer, _ in rows
    ],
)
async def test_the_size_of_the_pieces_makes_no_difference(language: str, at: str, answer: str) -> None:
    context = looked(at, language)
    token_by_token = await written(context, answer)
    wanted = Stopping(context, context.shape, 12)
    in_one = stopped(answer, len(answer), wanted)
    by_character = (stopped(answer[:end], 1, wanted) for end in range(1, len(answer) + 1))
    stops = (in_one, next((stop for stop in by_character if stop is not None), None))
    if context.shape is Shape.BLOCK or "\n" not in token_by_token.text:
        kept = {answer[: stop[1] if stop else None].rstrip() for stop in stops}
        assert kept == {token_by_token.text.rstrip()}


def test_the_nearest_cut_counts_whichever_stop_it_is() -> None:
    text = "    a = 1\n    b = 2\nx = 1\n" + "y()\n" * 9
    assert stopped(text, len(text), stopping("def f():\n    ‸", Shape.BLOCK)) == ("after_the_block", 19)


@pytest.mark.parametrize(("max_lines", "kept"), [(1, "    a"), (2, "    a\n\n    b"), (3, "    a\n\n    b\n    c")])
def test_the_longest_suggestion_counts_lines_that_say_something(max_lines: int, kept: str) -> None:
    text = "    a\n\n    b\n    c\n    d\n"
    assert stopped(text, len(text), stopping("def f():\n    ‸", Shape.BLOCK, max_lines)) == (
        "after_enough_lines",
        len(kept),
    )


def test_an_endless_piece_is_cut() -> None:
    text = "".join(f"a{number} + " for number in range(100_000))
    assert stopped(text, len(text), stopping("x = ‸", Shape.LINE)) == ("after_enough_characters", 20_000)


def test_documents_with_control_texts_may_go_on_with_them() -> None:
    text = '"<|fim_prefix|>"'
    assert stopped(text, 3, stopping('a = "<|fim_prefix|>"\nb = ‸', Shape.LINE)) is None
