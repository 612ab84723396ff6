"""The window around the anchor: within its budget, on good boundaries, and where it was a moment ago."""

from itertools import pairwise

import pytest

from fimserver.context.window import Budget, shares, window_end, window_start
from fimserver.text import line_starts

LINES = "".join(f"line_{number:04} = {number}\n" for number in range(2000))
FUNCTIONS = "".join(f"def function_{number:04}():\n    return {number}\n\n\n" for number in range(500))


def test_a_budget_in_tokens_becomes_characters() -> None:
    assert Budget.of_tokens(window_tokens=1000) == Budget(window_characters=3400, typed_characters=652)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param(9000, 9000, (750, 250), id="three quarters go to the prefix"),
        pytest.param(9000, 0, (1000, 250), id="at the file's end all go to the prefix"),
        pytest.param(0, 9000, (750, 1000), id="at the file's start all go to the suffix"),
        pytest.param(9000, 100, (875, 250), id="what a short suffix leaves goes to the prefix, in steps"),
        pytest.param(9000, 60, (875, 250), id="a few characters do not change it"),
        pytest.param(10, 10, (875, 875), id="a small file fits whole"),
    ],
)
def test_shares(before: int, after: int, expected: tuple[int, int]) -> None:
    assert shares(1000, before, after) == expected


def test_a_small_text_is_taken_whole() -> None:
    assert window_start("a\nb\nc\n", 6, 100) == 0
    assert window_end("a\nb\nc\n", 0, 100) == 6


@pytest.mark.parametrize("split", range(20_000, 24_000, 160))
def test_the_prefix_is_at_least_half_its_budget_and_begins_with_a_line(split: int) -> None:
    start = window_start(LINES, split, 3000)
    assert 1500 <= split - start <= 3000
    assert LINES[start - 1] == "\n"


@pytest.mark.parametrize("split", range(10_000, 12_000, 170))
def test_the_prefix_begins_with_a_definition_where_there_is_one(split: int) -> None:
    assert FUNCTIONS[window_start(FUNCTIONS, split, 3000) :].startswith("def ")


def test_the_prefix_moves_rarely_and_in_big_steps() -> None:
    splits = [split for split in line_starts(LINES) if split > 6000]
    starts = [window_start(LINES, split, 3000) for split in splits]
    assert starts == sorted(starts)
    moves = [later - earlier for earlier, later in pairwise(starts) if later != earlier]
    assert min(moves) >= 800
    assert len(moves) * 50 < len(splits)


@pytest.mark.parametrize("most", [100, 1000, 3001])
def test_the_suffix_ends_with_a_line(most: int) -> None:
    end = window_end(LINES, 500, most)
    assert most - 20 <= end - 500 <= most
    assert LINES[end - 1] == "\n"


def test_a_line_longer_than_the_window_is_cut() -> None:
    text = "x" * 100_000
    assert 1500 <= 50_000 - window_start(text, 50_000, 3000) <= 3000
    assert window_end(text, 50_000, 1000) == 51_000


def test_an_empty_line_at_the_suffixs_start_is_not_all_of_it() -> None:
    assert window_end("a\n" + "b" * 500, 1, 100) == 101


def test_carriage_returns_are_line_ends_too() -> None:
    text = LINES.replace("\n", "\r\n")
    start = window_start(text, 20_007, 3000)
    assert text[:start].endswith("\r\n")
    assert text[:start].count("\r") == text[:start].count("\n")
