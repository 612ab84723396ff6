r"""Turn positions of the Language Server Protocol into offsets and back.

Offsets and columns are code points. A line ends at ``\n``, ``\r\n`` or ``\r`` and nowhere else: form feed, U+0085
and U+2028 are ordinary characters (LSP 3.18, "Text Documents"), which is why ``str.splitlines`` is not used here.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import overload

_LINE_END = re.compile(r"\r\n|\n|\r")

# Edits so many lines apart are not told from the same text before: it would cost as much as to write all starts anew.
_LONGEST_SPLICE = 1_000


def line_starts(text: str) -> list[int]:
    r"""Return the offset at which each line begins.

    >>> line_starts("a\r\nb\n")
    [0, 3, 5]
    """
    return [0, *(match.end() for match in _LINE_END.finditer(text))]


@dataclass(frozen=True, slots=True)
class SplicedStarts(Sequence[int]):
    """Line starts of an edited text, told from those before: all that a key does to them, however long the text is.

    The first `kept` are as before, then come the `fresh`, then those before from `rest` on, moved by `shift`.

    >>> list(SplicedStarts([0, 3, 5], kept=1, fresh=[2, 4], rest=2, shift=1))
    [0, 2, 4, 6]
    """

    before: list[int]
    kept: int
    fresh: list[int]
    rest: int
    shift: int

    @property
    def end(self) -> int:
        """The first line behind the fresh ones."""
        return self.kept + len(self.fresh)

    def __len__(self) -> int:
        return self.end + len(self.before) - self.rest

    @overload
    def __getitem__(self, index: int) -> int: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[int]: ...
    def __getitem__(self, index: int | slice) -> int | Sequence[int]:
        if isinstance(index, slice):
            return list(self)[index]
        if 0 <= index < self.kept:
            return self.before[index]
        if index < 0:
            return self[range(len(self))[index]]
        if index < self.end:
            return self.fresh[index - self.kept]
        return self.before[index - self.end + self.rest] + self.shift

    def __iter__(self) -> Iterator[int]:
        yield from self.before[: self.kept]
        yield from self.fresh
        yield from [start + self.shift for start in self.before[self.rest :]]

    def spliced(self, kept: int, fresh: list[int], rest: int, shift: int) -> "SplicedStarts":
        """Return these after another edit, told from the same text before; all that lies between the two is fresh."""
        above = [self[line] for line in range(self.kept, kept)]
        below = [self[line] + shift for line in range(rest, self.end)]
        rest = self.rest + max(0, rest - self.end)
        return SplicedStarts(self.before, min(self.kept, kept), [*above, *fresh, *below], rest, self.shift + shift)


def spliced_line_starts(starts: Sequence[int], text: str, start: int, end: int, inserted: str) -> Sequence[int]:
    r"""Return the line starts of the text in which ``[start, end)`` was replaced by ``inserted``.

    ``starts`` are those before the change and ``text`` is the text after it. A key within a line costs nothing, however
    long the line is; else only the changed lines are scanned. One line before and after the change is scanned again,
    because a lone ``\r`` may have met a ``\n``.
    """
    shift = len(inserted) - (end - start)
    line, last = bisect_right(starts, start), bisect_right(starts, end)
    if line == last and text[start - 1 : start] != "\r" and _LINE_END.search(inserted) is None:
        return _spliced(starts, line, [], line, shift)
    first = max(0, line - 2)
    scan_to = starts[last + 1] + shift if last + 1 < len(starts) else len(text)
    fresh = [match.end() for match in _LINE_END.finditer(text, starts[first], scan_to)]
    return _spliced(starts, first + 1, fresh, min(last + 2, len(starts)), shift)


def _spliced(starts: Sequence[int], kept: int, fresh: list[int], rest: int, shift: int) -> Sequence[int]:
    if isinstance(starts, SplicedStarts) and max(rest, starts.end) - min(kept, starts.kept) <= _LONGEST_SPLICE:
        return starts.spliced(kept, fresh, rest, shift)
    return SplicedStarts(list(starts), kept, fresh, rest, shift)


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
