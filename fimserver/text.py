r"""Turn positions of the Language Server Protocol into offsets and back.

Offsets and columns are code points. A line ends at ``\n``, ``\r\n`` or ``\r`` and nowhere else: form feed, U+0085
and U+2028 are ordinary characters (LSP 3.18, "Text Documents"), which is why ``str.splitlines`` is not used here.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import overload

_LINE_END = re.compile(r"\r\n|\n|\r")


def line_starts(text: str) -> list[int]:
    r"""Return the offset at which each line begins.

    >>> line_starts("a\r\nb\n")
    [0, 3, 5]
    """
    return [0, *(match.end() for match in _LINE_END.finditer(text))]


@dataclass(frozen=True, slots=True)
class ShiftedStarts(Sequence[int]):
    """Line starts of which those from a line on are shifted: all that most keys do to a text, however long it is.

    >>> list(ShiftedStarts([0, 3, 5], line=2, shift=1))
    [0, 3, 6]
    """

    starts: Sequence[int]
    line: int
    shift: int

    def __len__(self) -> int:
        return len(self.starts)

    @overload
    def __getitem__(self, index: int) -> int: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[int]: ...
    def __getitem__(self, index: int | slice) -> int | Sequence[int]:
        if isinstance(index, slice):
            return list(self)[index]
        start = self.starts[index]
        return start + self.shift if index % len(self.starts) >= self.line else start

    def __iter__(self) -> Iterator[int]:
        yield from self.starts[: self.line]
        yield from [start + self.shift for start in self.starts[self.line :]]


def spliced_line_starts(starts: Sequence[int], text: str, start: int, end: int, inserted: str) -> Sequence[int]:
    r"""Return the line starts of the text in which ``[start, end)`` was replaced by ``inserted``.

    ``starts`` are those before the change and ``text`` is the text after it. A key within a line costs nothing, however
    long the text is; else only the changed lines are scanned. One line before and after the change is scanned again,
    because a lone ``\r`` may have met a ``\n``.
    """
    line = bisect_right(starts, start)
    within_line = line == bisect_right(starts, end) and text[start - 1 : start] != "\r"
    if within_line and _LINE_END.search(inserted) is None:
        return _shifted(starts, line, len(inserted) - (end - start))
    starts = list(starts)
    first = max(0, bisect_right(starts, start) - 2)
    last = bisect_right(starts, end)
    shift = len(inserted) - (end - start)
    scan_from = starts[first]
    scan_to = starts[last + 1] + shift if last + 1 < len(starts) else len(text)
    fresh = [match.end() for match in _LINE_END.finditer(text, scan_from, scan_to)]
    return [*starts[: first + 1], *fresh, *[begin + shift for begin in starts[last + 2 :]]]


def _shifted(starts: Sequence[int], line: int, shift: int) -> ShiftedStarts:
    if isinstance(starts, ShiftedStarts) and starts.line == line:
        return replace(starts, shift=starts.shift + shift)
    return ShiftedStarts(list(starts), line, shift)


def offset_at(text: str, starts: Sequence[int], line: int, column: int) -> int:
    """Return the offset of a position, clamped as the protocol asks: to the line's end, or to the text's end."""
    if line >= len(starts):
        return len(text)
    return min(starts[line] + column, line_end(text, starts, line))


def position_at(starts: Sequence[int], offset: int) -> tuple[int, int]:
    """Return the 0-based line and column of an offset."""
    line = bisect_right(starts, offset) - 1
    return line, offset - starts[line]


def line_end(text: str, starts: Sequence[int], line: int) -> int:
    """Return the offset just before the terminator of a line (the text's end on the last line)."""
    if line + 1 >= len(starts):
        return len(text)
    end = starts[line + 1]
    return end - 2 if text[end - 2 : end] == "\r\n" else end - 1


def main_line_ending(text: str) -> str:
    r"""Return the line ending the text uses first, ``\n`` for a text of one line."""
    match = _LINE_END.search(text)
    return match.group() if match else "\n"


def with_line_ending(text: str, ending: str) -> str:
    """Return the text with every line ending written as ``ending``."""
    return _LINE_END.sub(ending, text)


def leading_blanks(line: str) -> str:
    """Return the spaces and tabs a line begins with."""
    return line[: len(line) - len(line.lstrip(" \t"))]
