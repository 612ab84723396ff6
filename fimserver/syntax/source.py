"""Turn a text into the UTF-8 bytes a parser reads, its code points into byte positions, and two texts into an edit.

For a text that is all ASCII both positions are the same number. For any other, check points along the text make a
conversion cost a few microseconds, wherever it is.
"""

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate

# One check point for this many code points: a conversion encodes half as many in the mean.
_STEP = 2048


@dataclass(frozen=True, eq=False)
class Source:
    """A text and its bytes. A lone surrogate, which editors can send, becomes one question mark: one byte."""

    text: str
    content: bytes = field(repr=False)

    @classmethod
    def of(cls, text: str) -> "Source":
        """Return the source of a text."""
        return cls(text, _encoded(text))

    def byte_of(self, offset: int) -> int:
        """Return the byte at which a code point begins."""
        if len(self.content) == len(self.text):
            return offset
        index = min(offset // _STEP, len(self._check_points) - 1)
        return self._check_points[index] + len(_encoded(self.text[index * _STEP : offset]))

    def offset_of(self, byte: int) -> int:
        """Return the code point that begins at a byte."""
        if len(self.content) == len(self.text):
            return byte
        index = bisect_right(self._check_points, byte) - 1
        behind = self.content[self._check_points[index] : byte]
        return index * _STEP + len(behind.decode("utf-8", "ignore"))

    def point_of(self, byte: int) -> tuple[int, int]:
        """Return the row and the column, in bytes, as tree-sitter counts them."""
        return self.content.count(b"\n", 0, byte), byte - (self.content.rfind(b"\n", 0, byte) + 1)

    def line_of(self, byte: int) -> tuple[int, int]:
        """Return where the line at a byte begins and ends, its terminator included."""
        end = self.content.find(b"\n", byte) + 1
        return self.content.rfind(b"\n", 0, byte) + 1, end or len(self.content)

    @cached_property
    def _check_points(self) -> list[int]:
        pieces = (self.text[start : start + _STEP] for start in range(0, len(self.text), _STEP))
        return list(accumulate((len(_encoded(piece)) for piece in pieces), initial=0))


def difference(old: bytes, new: bytes) -> tuple[int, int, int]:
    """Return where two texts begin to differ, and where the difference ends in each.

    >>> difference(b"a = 1", b"a = 12")
    (5, 5, 6)
    """
    most = min(len(old), len(new))
    start = _longest(most, lambda low, high: old[low:high] == new[low:high])
    end = _longest(most - start, lambda low, high: _from_end(old, low, high) == _from_end(new, low, high))
    return start, len(old) - end, len(new) - end


def _longest(most: int, agree: Callable[[int, int], bool]) -> int:
    """Return how many bytes agree, by halving: each is copied and compared about once, in C."""
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        if agree(low, middle):
            low = middle
        else:
            high = middle - 1
    return low


def _from_end(content: bytes, low: int, high: int) -> bytes:
    return content[len(content) - high : len(content) - low]


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "replace")
