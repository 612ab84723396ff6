"""What a suggestion may replace behind the cursor."""

import pytest

from fimserver.syntax.closing import is_closing


@pytest.mark.parametrize(
    "tail",
    [
        pytest.param("", id="nothing"),
        pytest.param("  ", id="blanks"),
        pytest.param(")", id="a bracket"),
        pytest.param("))]}", id="several brackets"),
        pytest.param("):", id="a bracket and a colon"),
        pytest.param('");', id="a string's end, a bracket, a semicolon"),
        pytest.param("'],", id="a string's end in a list"),
        pytest.param("`;", id="a template's end"),
        pytest.param(") {", id="the end of a condition"),
        pytest.param(" {", id="the brace of a header"),
        pytest.param(" */", id="the end of a comment"),
        pytest.param("</li>", id="an end tag"),
        pytest.param(" ?></p>", id="the end of code in a page"),
        pytest.param("></Shelf.Item>);", id="an end tag with a dot, and more"),
        pytest.param(">();", id="the end of a type and an empty call"),
        pytest.param(")?;", id="the end of a call whose error is handed on"),
        pytest.param("\n}", id="a bracket on the next line"),
        pytest.param("\n    });\n", id="closers on the next line"),
    ],
)
def test_closing_punctuation_is_replaced(tail: str) -> None:
    assert is_closing(tail)


@pytest.mark.parametrize(
    "tail",
    [
        pytest.param("x", id="a name"),
        pytest.param(", b)", id="another argument"),
        pytest.param(" + 1", id="an operator"),
        pytest.param("()", id="a call's brackets alone"),
        pytest.param(") and x:", id="more of the condition"),
        pytest.param("  # in euros", id="a comment"),
        pytest.param("{ x }", id="braces with something in them"),
        pytest.param(") => {", id="an arrow"),
        pytest.param("?", id="a question mark alone"),
        pytest.param("é", id="a letter that is not ASCII"),
    ],
)
def test_anything_else_stays(tail: str) -> None:
    assert not is_closing(tail)


def test_a_long_tail_is_judged_at_once() -> None:
    assert is_closing(")" * 100_000)
    assert not is_closing(")" * 100_000 + "x")
    assert not is_closing("</" * 50_000)
