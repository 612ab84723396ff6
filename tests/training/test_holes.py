"""Where holes are cut, and where they end."""

import random

import pytest

from training.holes import KINDS, cursor_column, cut_hole

TEXT = '''import os


def area(width, height):
    if width < 0:
        raise ValueError("negative")

    return width * height


class Shape:
    """Something with an area."""

    def __init__(self, width):
        self.width = width
'''


def holes(kind, count=300):
    """Return distinct holes of a kind as (before on its line, missing, after on its line)."""
    found = set()
    for seed in range(count * 30):
        hole = cut_hole(random.Random(seed), TEXT)
        if hole.kind == kind:
            line_start = TEXT.rfind("\n", 0, hole.start) + 1
            found.add((TEXT[line_start : hole.start], TEXT[hole.start : hole.end], TEXT[hole.end :].partition("\n")[0]))
    return found


def test_shares_of_the_kinds_sum_to_one():
    assert sum(share for share, _ in KINDS.values()) == pytest.approx(1.0)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_cut(kind):
    assert holes(kind, 60)


def test_the_rest_of_a_line_ends_with_the_line():
    assert all("\n" not in missing and after == "" for _, missing, after in holes("rest of line", 60))


def test_at_a_lines_start_the_indentation_is_missing_too():
    assert ("", "    return width * height", "") in holes("rest of line")


def test_a_dedent_is_written_from_column_0():
    assert ("", "class Shape:", "") in holes("rest of line")


def test_a_cursor_stands_inside_words_too():
    assert ("    ret", "urn width * height", "") in holes("rest of line")


def test_inside_a_line_something_may_follow():
    assert any(after for _, _, after in holes("inside line", 60))


def test_from_a_headers_end_the_whole_block_is_missing():
    assert ("    if width < 0:", '\n        raise ValueError("negative")', "") in holes("block")


def test_a_block_ends_before_less_indentation():
    bodies = {missing for before, missing, _ in holes("block") if before == "def area(width, height):"}
    assert all(missing.endswith("return width * height") for missing in bodies)
    assert bodies


def test_something_is_always_missing():
    assert all(
        cut_hole(random.Random(seed), TEXT).start < cut_hole(random.Random(seed), TEXT).end for seed in range(300)
    )


def test_a_text_without_a_usable_line_has_no_hole():
    assert cut_hole(random.Random(0), "\n\n" + "x" * 200) is None


def test_the_same_seed_cuts_the_same_hole():
    assert cut_hole(random.Random(5), TEXT) == cut_hole(random.Random(5), TEXT)


@pytest.mark.parametrize("seed", range(20))
def test_a_cursor_stands_before_the_lines_end(seed):
    line = "    return x"
    assert cursor_column(random.Random(seed), line) in {0, *range(4, len(line))}
