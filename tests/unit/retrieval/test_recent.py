"""The places edited last: where they stand, which are kept, and that one of two that say the same is enough."""

import pytest

from fimserver.retrieval.recent import Ring, after_edit, edited_span, similarity
from fimserver.values import Document, Span


def edit(ring: Ring, before: str, after: str, uri: str = "file:///a.py") -> Ring:
    return after_edit(ring, Document.of(before, uri=uri), Document.of(after, uri=uri))


def text(first: int, last: int, **changed: str) -> str:
    return "".join(f"{changed.get(f'line_{number}', f'word{number} = {number}')}\n" for number in range(first, last))


@pytest.mark.parametrize(
    ("before", "after", "span"),
    [
        ("a = 1", "a = 12", (5, 6)),
        ("a = 12", "a = 1", (5, 5)),
        ("abc", "abc", (3, 3)),
        ("", "abc", (0, 3)),
        ("aaa", "aaaa", (3, 4)),
        ("one two", "one three two", (5, 11)),
    ],
)
def test_what_was_edited(before: str, after: str, span: tuple[int, int]) -> None:
    assert edited_span(before, after) == Span(*span)


def test_a_place_is_some_lines_around_the_edit() -> None:
    [place] = edit((), text(0, 40), text(0, 40, line_20="new = 1"))
    assert (place.first, place.last) == (14, 26)
    assert "new = 1" in place.text


def test_an_edit_in_the_same_place_replaces_what_is_known_of_it() -> None:
    ring = edit((), text(0, 40), text(0, 40, line_20="new = 1"))
    ring = edit(ring, text(0, 40, line_20="new = 1"), text(0, 40, line_20="newer = 2"))
    assert ["newer = 2" in place.text for place in ring] == [True]


def test_a_place_moves_with_the_lines_above_it() -> None:
    ring = edit((), text(0, 90), text(0, 90, line_60="new = 1"))
    longer = "import os\nimport sys\n" + text(0, 90, line_60="new = 1")
    ring = edit(ring, text(0, 90, line_60="new = 1"), longer)
    assert [(place.first, place.last) for place in ring] == [(56, 68), (0, 8)]


def test_of_two_places_that_say_the_same_the_newer_is_kept() -> None:
    for_one = edit((), text(0, 9), text(0, 9, line_4="x = 1"), uri="file:///one.py")
    ring = edit(for_one, text(0, 9), text(0, 9, line_4="x = 1"), uri="file:///two.py")
    assert [place.uri for place in ring] == ["file:///two.py"]


def test_the_oldest_go_where_there_are_too_many() -> None:
    ring: Ring = ()
    for number in range(30):
        ring = edit(ring, "", text(number * 100, number * 100 + 5), uri=f"file:///{number}.py")
    assert len(ring) == 16
    assert ring[-1].uri == "file:///29.py"


def test_a_change_of_nothing_is_no_edit() -> None:
    assert edit((), "a = 1\n", "a = 1\n") == ()


def test_a_paste_is_cut() -> None:
    [place] = edit((), "", text(0, 500))
    assert place.last - place.first + 1 == 32


@pytest.mark.parametrize(("one", "other", "share"), [("a b", "a b", 1.0), ("a b", "c d", 0.0), ("", "", 1.0)])
def test_similarity(one: str, other: str, share: float) -> None:
    assert similarity(one, other) == share
