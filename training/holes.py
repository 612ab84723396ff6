"""Cut a hole into a text where a user's cursor could stand, and end it where an answer should end.

The kinds and their shares are the table `KINDS`; the README says which measurement chose them.
"""

import random
import re
from collections.abc import Callable
from dataclasses import dataclass

# Nobody waits for the rest of a longer line.
_LONGEST_LINE_CHARACTERS = 160
_LONGEST_BLOCK_LINES = 14


@dataclass(frozen=True, slots=True)
class Hole:
    """`text[start:end]` is wanted at a cursor at `start`; both in characters."""

    start: int
    end: int
    kind: str


@dataclass(frozen=True, slots=True)
class _Place:
    """A line with something in it: all lines, which of them it is, and where it starts."""

    lines: list[str]
    number: int
    start: int

    @property
    def line(self) -> str:
        return self.lines[self.number]

    @property
    def end(self) -> int:
        return self.start + len(self.line)


def cut_hole(chance: random.Random, text: str, likeliest: float = 0.5) -> Hole | None:
    """Return a hole of a random kind, most likely after that share of the text; None where no line has room for one."""
    lines = text.split("\n")
    numbers = [number for number, line in enumerate(lines) if line.strip() and len(line) <= _LONGEST_LINE_CHARACTERS]
    if not numbers:
        return None
    number = numbers[int(len(numbers) * min(chance.triangular(0, 1, likeliest), 0.999))]
    place = _place(lines, number)
    kind = chance.choices(list(KINDS), [share for share, _ in KINDS.values()])[0]
    start, end = KINDS[kind][1](chance, place)
    return Hole(start, max(start, end), kind)


def _place(lines: list[str], number: int) -> _Place:
    return _Place(lines, number, sum(len(line) + 1 for line in lines[:number]))


def cursor_column(chance: random.Random, line: str) -> int:
    """Return where in a line a suggestion may be asked for: at its start, after a token, or at any character.

    At its start is column 0: the model is to write the indentation too, which may be less than the line above has.
    """
    indent, length = _indent(line), len(line)
    where = chance.random()
    if where < 0.17:
        return 0
    if where < 0.55:
        ends = [match.end() for match in re.finditer(r"\w+|[^\w\s]|\s+", line) if indent < match.end() < length]
        if ends:
            return chance.choice(ends)
    return chance.randint(indent, max(indent, length - 1))


def _rest_of_line(chance: random.Random, place: _Place) -> tuple[int, int]:
    return place.start + cursor_column(chance, place.line), place.end


def _inside_line(chance: random.Random, place: _Place) -> tuple[int, int]:
    """From the cursor to a later token of the line, the rest of which is already there."""
    column = cursor_column(chance, place.line)
    ends = [match.end() for match in re.finditer(r"\w+|[^\w\s]", place.line) if column < match.end()]
    return place.start + column, place.start + (chance.choice(ends) if ends else len(place.line))


def _whole_lines(chance: random.Random, place: _Place) -> tuple[int, int]:
    last = min(len(place.lines) - 1, place.number + chance.choice((0, 1, 1, 2, 3, 5)))
    return place.start, _end_of(place, last)


def _block(chance: random.Random, place: _Place) -> tuple[int, int]:
    """To the end of the block the cursor is in; from a header's end, to the end of the block it opens.

    Every other one begins at a header, if the lines that follow have one: a block is asked for there.
    """
    if chance.random() < 0.5:
        headers = [number for number in range(place.number, len(place.lines)) if _is_header(place.lines[number])]
        place = _place(place.lines, headers[0]) if headers else place
    line, lines = place.line, place.lines
    opens = _is_header(line)
    width, last = _indent(line), place.number
    for number in range(place.number + 1, min(len(lines), place.number + _LONGEST_BLOCK_LINES)):
        if lines[number].strip() and _indent(lines[number]) < width + opens:
            break
        last = number
    if opens and last == place.number:
        return _rest_of_line(chance, place)
    column = len(line) if opens else cursor_column(chance, line)
    return place.start + column, _end_of(place, last)


_Cut = Callable[[random.Random, _Place], tuple[int, int]]

# No hole ends where it begins, and only a header's end is followed by a new line: a model that learns from finished
# lines that nothing is missing stops in the middle of unfinished ones.
KINDS: dict[str, tuple[float, _Cut]] = {
    "rest of line": (0.70, _rest_of_line),
    "inside line": (0.03, _inside_line),
    "whole lines": (0.09, _whole_lines),
    "block": (0.18, _block),
}


def _is_header(line: str) -> bool:
    return line.rstrip().endswith(":")


def _end_of(place: _Place, last: int) -> int:
    """Return where line number `last` ends, without empty lines at the end."""
    while last > place.number and not place.lines[last].strip():
        last -= 1
    return place.start + sum(len(line) + 1 for line in place.lines[place.number : last + 1]) - 1


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))
