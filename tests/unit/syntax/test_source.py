"""Texts as a parser reads them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fimserver.syntax.source import Source, difference

# Few characters, so that two texts have something in common.
TEXTS = st.text(alphabet="ab\né漢😀\ud800")


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        pytest.param("abc", "abc", (3, 3, 3), id="nothing"),
        pytest.param("abc", "abxc", (2, 2, 3), id="a key"),
        pytest.param("abxc", "abc", (2, 3, 2), id="a key taken back"),
        pytest.param("aaa", "aaaa", (3, 3, 4), id="one of many alike"),
        pytest.param("abc", "axc", (1, 2, 2), id="a replacement"),
        pytest.param("", "abc", (0, 0, 3), id="a text from nothing"),
        pytest.param("abc", "", (0, 3, 0), id="nothing from a text"),
        pytest.param("abc", "xyz", (0, 3, 3), id="everything"),
    ],
)
def test_difference(old: str, new: str, expected: tuple[int, int, int]) -> None:
    assert difference(old, new) == expected


@given(TEXTS, TEXTS)
def test_a_difference_leaves_equal_ends_and_no_shorter_one_would(old: str, new: str) -> None:
    start, old_end, new_end = difference(old, new)
    assert old[:start] == new[:start]
    assert old[old_end:] == new[new_end:]
    assert old[start : start + 1] != new[start : start + 1] or old_end == start or new_end == start


@given(TEXTS)
def test_a_code_point_is_two_bytes(text: str) -> None:
    assert len(Source(text).content) == 2 * len(text)


def test_a_difference_is_found_in_a_text_of_many_steps() -> None:
    old = "ab\n" * 40_000
    assert difference(old, old[:70_001] + "x" + old[70_001:]) == (70_001, 70_001, 70_002)


@pytest.mark.parametrize(
    ("offset", "line"),
    [
        pytest.param(0, (0, 2), id="at its start"),
        pytest.param(1, (0, 2), id="at its end"),
        pytest.param(2, (2, 5), id="at the next one's start"),
        pytest.param(5, (5, 6), id="on the last"),
        pytest.param(6, (5, 6), id="at the text's end"),
    ],
)
def test_the_line_of_an_offset(offset: int, line: tuple[int, int]) -> None:
    assert Source("a\nbc\nd").line_of(offset) == line
