"""Shares, percentiles and groups of what was counted, and the page that shows them."""

import re

import pytest

from fimserver.statistics.events import Taken
from fimserver.statistics.kept import still_stands
from fimserver.statistics.page import page
from fimserver.statistics.store import Row
from fimserver.statistics.summary import percentile, report, summarise

ROWS = [
    Row("2026-01-01", "python", "tiny", 10, 30.0),
    Row("2026-01-02", "go", "tiny", 5, None, Taken.WORD, 2),
    Row("2026-01-02", "python", "tiny", 10, 10.0, Taken.WHOLE, 10, (True, True, None)),
    Row("2026-01-02", "python", '<big> & "new"', 10, 20.0, Taken.WHOLE, 8, (True, False, None)),
]


def test_everything_of_some_suggestions() -> None:
    found = summarise(ROWS)
    assert (found.shown, found.accepted, found.accepted_share, found.saved_characters) == (4, 3, 0.75, 20)
    assert (found.accepted_whole, found.accepted_line, found.accepted_word) == (2, 0, 1)
    assert found.kept_share == {"30": 1.0, "120": 0.5, "300": None}
    assert found.waited_ms == {"50": 20.0, "90": 30.0, "99": 30.0}


def test_of_none_there_are_no_shares() -> None:
    found = summarise([])
    assert (found.shown, found.accepted_share, found.waited_ms["50"]) == (0, None, None)


def test_days_are_in_order_and_languages_with_most_first() -> None:
    found = report(ROWS, days=7)
    assert [(day, group.shown) for day, group in found.by_day.items()] == [("2026-01-01", 1), ("2026-01-02", 3)]
    assert [(name, group.shown) for name, group in found.by_language.items()] == [("python", 3), ("go", 1)]


@pytest.mark.parametrize(
    ("values", "percent", "found"),
    [
        ([], 50, None),
        ([1.0], 99, 1.0),
        ([1.0, 2.0], 50, 1.0),
        ([1.0, 2.0], 51, 2.0),
        ([*map(float, range(100))], 90, 89.0),
    ],
    ids=["none", "one", "half", "more than half", "nine in ten"],
)
def test_percentiles(values: list[float], percent: int, found: float | None) -> None:
    assert percentile(values, percent) == found


def test_the_page_shows_numbers_and_fetches_nothing() -> None:
    written = page(report(ROWS, days=7))
    assert "75 %" in written
    assert "2026-01-02: 3 of 3" in written
    assert "&lt;big&gt; &amp;" in written
    assert not re.search(r"<script|https?:|@import|url\(", written)


def test_the_page_of_nothing_says_so() -> None:
    assert "Nothing has been shown yet." in page(report([], days=7))


KEPT = {
    "as it was accepted": (["a = 1\nb = 2"], "x\na = 1\nb = 2\n", True),
    "indented otherwise": (["a = 1\n    b = 2"], "  a = 1\n  b = 2\n", True),
    "with lines between": (["a = 1\nb = 2"], "a = 1\n\nc\nb = 2", True),
    "windows line ends": (["a = 1\nb = 2"], "a = 1\r\nb = 2\r\n", True),
    "one character changed": (["a = 1\nb = 2"], "a = 1\nb = 3", False),
    "taken away": (["a = 1"], "", False),
    "one piece of two": (["a = 1", "b = 2"], "a = 1", False),
    "blanks alone": (["  \n"], "", True),
}


@pytest.mark.parametrize(("pieces", "text", "kept"), KEPT.values(), ids=KEPT)
def test_what_was_accepted_still_stands(pieces: list[str], text: str, kept: bool) -> None:
    assert still_stands(pieces, text) is kept
