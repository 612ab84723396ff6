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


def test_of_no_parts_the_text_is_empty() -> None:
    nothing = Joined.of(WHOLE, [])
    assert (nothing.text, nothing.inside(7), nothing.outside(Span(0, 0))) == ("", 0, Span(0, 0))
