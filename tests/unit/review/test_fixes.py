"""A replacement is fitted to its place, and refused where it is no code or breaks it."""

import pytest

from fimserver.review.findings import quoted_span
from fimserver.review.fixes import sound_replacement
from fimserver.values import Document

PYTHON = "def total(prices):\n    for price in prices:\n        yield price + 1\n"

FITTED = {
    "a piece of a line": (1, "price in prices", "price in sorted(prices)", "price in sorted(prices)"),
    "a line with its indentation": (2, "yield price + 1", "        yield price", "yield price"),
    "two lines with theirs": (2, "yield price + 1", "        a = 1\n        yield a", "a = 1\n        yield a"),
    "two lines from column 0": (2, "yield price + 1", "a = 1\nyield a\n", "a = 1\n        yield a"),
    "two lines, the first without": (2, "yield price + 1", "if price:\n    yield 1", "if price:\n            yield 1"),
}


@pytest.mark.parametrize(("line", "quote", "replacement", "fitted"), FITTED.values(), ids=FITTED)
def test_a_replacement_is_fitted(line: int, quote: str, replacement: str, fitted: str) -> None:
    document = Document.of(PYTHON)
    span = quoted_span(document, line, quote)
    assert span is not None
    assert sound_replacement(document, span, replacement) == fitted


def test_it_has_the_documents_line_ends() -> None:
    document = Document.of(PYTHON.replace("\n", "\r\n"))
    span = quoted_span(document, 2, "yield price + 1")
    assert span is not None
    assert sound_replacement(document, span, "a = 1\nyield a") == "a = 1\r\n        yield a"


REFUSED = {
    "none": None,
    "the same": "yield price  + 1",
    "a syntax error": "yield (price + 1",
    "prose": "You should use price here.",
    "a control token": "yield price  # <|im_end|>",
    "an invisible character": "yield price\u202e",
    "an escape sequence": "yield price  # \x1b[2J",
    "a whole new file": "yield 1\n" * 41,
}


@pytest.mark.parametrize("replacement", REFUSED.values(), ids=REFUSED)
def test_it_is_refused(replacement: str | None) -> None:
    document = Document.of(PYTHON)
    span = quoted_span(document, 2, "yield price + 1")
    assert span is not None
    assert sound_replacement(document, span, replacement) is None
