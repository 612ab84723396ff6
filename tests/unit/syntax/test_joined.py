"""Parts of a text read as one text: where a character stands in the one and in the other."""

import pytest

from fimserver.syntax.joined import Joined
from fimserver.values import Span

WHOLE = "aaa---bbb---ccc"
JOINED = Joined.of(WHOLE, [(0, 3), (6, 9), (12, 15)])


def test_the_parts_are_one_text() -> None:
    assert JOINED.text == "aaabbbccc"


@pytest.mark.parametrize("outside", [*range(3), *range(6, 9), *range(12, 15)])
def test_a_character_is_found_from_either_side(outside: int) -> None:
    inside = JOINED.inside(outside)
    assert JOINED.text[inside] == WHOLE[outside]
    assert JOINED.outside(Span(inside, inside + 1)) == Span(outside, outside + 1)


@pytest.mark.parametrize(
    ("outside", "inside"),
    [
        pytest.param(4, 3, id="left out"),
        pytest.param(15, 9, id="the end"),
        pytest.param(99, 9, id="behind the end"),
    ],
)
def test_what_is_not_in_it_is_where_it_was_left_out(outside: int, inside: int) -> None:
    assert JOINED.inside(outside) == inside


@pytest.mark.parametrize(
    ("inside", "outside"),
    [
        pytest.param(Span(0, 3), Span(0, 3), id="a part"),
        pytest.param(Span(3, 6), Span(6, 9), id="a later part"),
        pytest.param(Span(2, 4), Span(2, 7), id="over what was left out"),
        pytest.param(Span(3, 3), Span(3, 3), id="nothing, between two parts"),
        pytest.param(Span(9, 9), Span(15, 15), id="nothing, at the end"),
    ],
)
def test_a_span_begins_and_ends_at_characters_that_are_there(inside: Span, outside: Span) -> None:
    assert JOINED.outside(inside) == outside


@pytest.mark.parametrize(
    ("span", "all_of_it"), [(Span(6, 9), True), (Span(7, 7), True), (Span(2, 7), False), (Span(8, 10), False)], ids=str
)
def test_what_was_left_out_is_known(span: Span, all_of_it: bool) -> None:
    assert JOINED.holds_all_of(span) == all_of_it


def test_a_replacement_changes_its_part_only() -> None:
    assert JOINED.replaced(Span(7, 8), "XX") == "aaabXXbccc"


@pytest.mark.parametrize(
    ("replaced", "inserted"),
    [
        pytest.param(Span(7, 7), "x", id="a key"),
        pytest.param(Span(6, 8), "", id="deleted from a part's beginning"),
        pytest.param(Span(1, 2), "x\ny", id="before the others"),
        pytest.param(Span(14, 14), "xx", id="in the last"),
    ],
)
def test_an_edit_within_a_part_moves_the_later_ones(replaced: Span, inserted: str) -> None:
    shift = len(inserted) - (replaced.end - replaced.start)
    parts = [
        (start + shift * (start > replaced.start), end + shift * (end > replaced.start))
        for start, end in [(0, 3), (6, 9), (12, 15)]
    ]
    edited = WHOLE[: replaced.start] + inserted + WHOLE[replaced.end :]
    assert JOINED.edited(replaced, inserted) == Joined.of(edited, parts)


@pytest.mark.parametrize(
    "replaced",
    [
        pytest.param(Span(4, 4), id="in what was left out"),
        pytest.param(Span(2, 5), id="over a part's end"),
        pytest.param(Span(8, 9), id="up to a part's end"),
        pytest.param(Span(15, 15), id="at the very end"),
    ],
)
def test_parts_are_not_told_from_an_edit_that_touches_what_was_left_out(replaced: Span) -> None:
    assert JOINED.edited(replaced, "x") is None


def test_what_stands_before_the_first_part_is_left_out() -> None:
    assert Joined.of(WHOLE, [(6, 9)]).edited(Span(2, 2), "x") is None


def test_of_no_parts_the_text_is_empty() -> None:
    nothing = Joined.of(WHOLE, [])
    assert (nothing.text, nothing.inside(7), nothing.outside(Span(0, 0))) == ("", 0, Span(0, 0))
