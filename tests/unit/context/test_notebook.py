"""A notebook as one document: what stands in it, seen from a cell, and where the cell's own text begins."""

import pytest

from fimserver.context.notebook import whole_notebook
from fimserver.values import Document, Span

PYTHON = ("python", "x = 1")
PROSE = ("markdown", "# Title\n\nsaid so")
SQL = ("sql", "select 1")

# Cells from top to bottom as (language, text); the one that is asked is drawn with its cursor.
ROWS = {
    "a cell alone": ([("python", "y‸")], "y‸"),
    "cells in the same language stand as they are, an empty line between": (
        [PYTHON, ("python", "y‸"), ("python", "z = 3\n")],
        "x = 1\n\ny‸\n\nz = 3\n",
    ),
    "prose stands as comments": ([PROSE, ("python", "y‸")], "# # Title\n#\n# said so\n\ny‸"),
    "in that language's comments": ([PROSE, ("javascript", "y‸")], "// # Title\n//\n// said so\n\ny‸"),
    "other languages are left out": ([SQL, ("python", "y‸"), SQL], "y‸"),
    "empty cells are left out": ([("python", " \n"), ("python", "y‸"), ("python", "")], "y‸"),
    "prose sees prose only": ([PYTHON, PROSE, ("markdown", "so‸")], "# Title\n\nsaid so\n\nso‸"),
    "a language without syntax here sees its own cells": ([PROSE, SQL, ("sql", "select‸")], "select 1\n\nselect‸"),
}


@pytest.mark.parametrize(("cells", "expected"), ROWS.values(), ids=ROWS)
def test_seen_from_a_cell(cells: list[tuple[str, str]], expected: str) -> None:
    here = next(index for index, (_, text) in enumerate(cells) if "‸" in text)
    cursor = cells[here][1].index("‸")
    documents = [Document.of(text.replace("‸", ""), language=language) for language, text in cells]
    whole = whole_notebook("file:///a.ipynb", documents[:here], documents[here], documents[here + 1 :])
    text, at = whole.document.text, whole.start + cursor
    assert text[:at] + "‸" + text[at:] == expected
    assert (whole.document.uri, whole.document.language) == ("file:///a.ipynb", documents[here].language)


def test_a_span_goes_in_and_comes_out_the_same() -> None:
    whole = whole_notebook("file:///a.ipynb", [Document.of("x = 1")], Document.of("y = 2"), [])
    assert whole.inside(Span(4, 5)) == Span(11, 12)
    assert whole.outside(Span(11, 12)) == Span(4, 5)
