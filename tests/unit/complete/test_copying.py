"""A line that goes on from what is typed, and goes on in one way only, is a candidate."""

import pytest

from fimserver.complete.copying import copied_rest
from fimserver.context.cursor import look_around
from fimserver.settings import CompletionSettings
from fimserver.values import Snippet
from tests.drawn import drawn


def rest(text: str, *snippets: str) -> str | None:
    document, offset = drawn(text)
    context = look_around(document, offset, completion=CompletionSettings())
    return copied_rest(context, [Snippet("other.py", snippet, 1.0, "recent") for snippet in snippets])


@pytest.mark.parametrize(
    ("text", "copied"),
    [
        pytest.param("total = sum(rows)\ntotal = ‸", "sum(rows)", id="a line above"),
        pytest.param("total = ‸\nx = 1\ntotal = sum(rows)\n", "sum(rows)", id="a line below"),
        pytest.param("    return self.rows\n\nretu‸", "rn self.rows", id="indented otherwise"),
        pytest.param("a = f(x)\nb = 2\na = f(x)\na = ‸", "f(x)", id="twice the same is one way"),
        pytest.param("print(rows)\nprint(‸)", "rows)", id="over a bracket the editor closed"),
        pytest.param("a = 1\na = 2\na = ‸", None, id="two ways say nothing"),
        pytest.param("total = \ntotal = ‸", None, id="a line that says no more"),
        pytest.param("a = 1\n‸", None, id="nothing typed yet"),
        pytest.param("a = 1\na = ‸ + 1", None, id="code follows on the line"),
        pytest.param("a = 1\nb = ‸", None, id="no line begins so"),
    ],
)
def test_copied_rest(text: str, copied: str | None) -> None:
    assert rest(text) == copied


def test_other_files_count() -> None:
    assert rest("total = ‸", "    total = sum(rows)\n") == "sum(rows)"
