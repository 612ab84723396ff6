"""A claim becomes a finding where its line is asked about and its quote stands there."""

import pytest

from fimserver.review.findings import Category, Claim, Dropped, Finding, Severity, checked, quoted_span, relocated
from fimserver.text import position_at
from fimserver.values import Document, Span

TEXT = (
    "def mean(values):\n    total = 0\n    for value in values:\n"
    "        total += value\n    return total / len( values )\n"
)
ALL = (range(6),)


def claim(line: int, quote: str, **more: str) -> Claim:
    return Claim(line=line, quote=quote, category=Category.BUG, severity=Severity.ERROR, message="Wrong.", **more)


FOUND = {
    "a piece of the line": (5, "total / len( values )", "total / len( values )"),
    "white space does not count": (5, "return total/len(values)", "return total / len( values )"),
    "a quote of two lines": (
        3,
        "for value in values:\n total += value",
        "for value in values:\n        total += value",
    ),
    "a number copied from the listing": (5, "    5+|     return total", "return total"),
    "one line too high": (4, "return total", "return total"),
    "two lines too low": (5, "for value", "for value"),
    "the nearest line that holds it": (1, "total = 0", "total = 0"),
}


@pytest.mark.parametrize(("line", "quote", "quoted"), FOUND.values(), ids=FOUND)
def test_what_is_quoted_is_found(line: int, quote: str, quoted: str) -> None:
    finding = checked(claim(line, quote), Document.of(TEXT), ALL)
    assert isinstance(finding, Finding)
    assert finding.quoted == quoted


DROPPED = {
    "a line before the range": (1, "def mean", (range(1, 3),), Dropped.OUTSIDE),
    "a line behind the range": (5, "return total", (range(1, 3),), Dropped.OUTSIDE),
    "line 0": (0, "def mean", ALL, Dropped.OUTSIDE),
    "a line far beyond the text": (99_999, "def mean", ALL, Dropped.OUTSIDE),
    "a quote that runs out of the range": (3, "for value in values: total += value", (range(1, 3),), Dropped.OUTSIDE),
    "a quote of a line near by that is not asked about": (3, "total += value", (range(1, 3),), Dropped.NOT_QUOTED),
    "a quote of a line far away": (1, "return total", ALL, Dropped.NOT_QUOTED),
    "a quote of nothing": (1, " \n", ALL, Dropped.NOT_QUOTED),
    "a quote of brackets only": (1, "(", ALL, Dropped.NOT_QUOTED),
    "an invented quote": (1, "def median(values):", ALL, Dropped.NOT_QUOTED),
}


@pytest.mark.parametrize(("line", "quote", "asked", "why"), DROPPED.values(), ids=DROPPED)
def test_what_is_not_quoted_or_not_asked_about_is_dropped(
    line: int, quote: str, asked: tuple[range, ...], why: Dropped
) -> None:
    assert checked(claim(line, quote), Document.of(TEXT), asked) is why


def test_a_line_that_is_one_bracket_can_be_quoted() -> None:
    assert quoted_span(Document.of("{\n}\n"), 1, "}") == Span(2, 3)


def test_line_ends_of_every_kind_are_white_space() -> None:
    document = Document.of("a = 1\r\nb = 2\rc = 3\n")
    assert quoted_span(document, 1, "b=2 c=3") == Span(7, 18)


MOVED = {
    "nothing changed": (TEXT, 4),
    "lines came before it": ("import os\n\n" + TEXT, 6),
    "lines went before it": (TEXT.replace("    total = 0\n", ""), 3),
    "its line was edited": (TEXT.replace("return total", "return sum"), None),
    "something was typed behind it on its line": (TEXT.replace("len( values )", "len( values ) or 1"), None),
    "all is gone": ("", None),
    "it stands there twice: the nearer one": (TEXT + "    pass\n" * 9 + TEXT.split("\n")[4] + "\n", 4),
}


@pytest.mark.parametrize(("text", "line"), MOVED.values(), ids=MOVED)
def test_a_finding_follows_its_lines(text: str, line: int | None) -> None:
    finding = checked(claim(5, "total / len"), Document.of(TEXT), ALL)
    assert isinstance(finding, Finding)
    moved = relocated(finding, Document.of(text, version=2))
    assert (moved and moved.line) == line
    if moved:
        assert (moved.quoted, moved.document.version) == ("total / len", 2)
        assert position_at(moved.document.starts, moved.span.start)[1] == 11
