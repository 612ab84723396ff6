"""Turn a text into what a parser reads: UTF-16, in which every code point takes two bytes.

So a parser's position is twice the offset, for any text, and nothing has to be counted. A code point that would need
four bytes (an emoji, mostly) is handed over as U+FFFD: no grammar tells them apart, and texts are cut from `text`.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

ENCODING = "utf-16-le"
BYTES_PER_CODE_POINT = 2

# Texts are compared in pieces that stay in the processor's cache.
_STEP = 16_384

# Where two texts begin to differ, and where the difference ends in the older and in the newer.
Edit = tuple[int, int, int]

_WIDE = re.compile(r"[\U00010000-\U0010ffff]")


@dataclass(frozen=True, eq=False)
class Source:
    """A text and the bytes a parser reads of it, whatever it holds: lone surrogates are characters like others."""

    text: str

    @cached_property
    def content(self) -> bytes:
        """The bytes; made when they are read, for of most texts a key leaves behind nobody reads them."""
        content = self.text.encode(ENCODING, "surrogatepass")
        if len(content) == len(self.text) * BYTES_PER_CODE_POINT:
            return content
        return _WIDE.sub("\ufffd", self.text).encode(ENCODING, "surrogatepass")

    def line_of(self, offset: int) -> tuple[int, int]:
        """Return where the line around an offset begins and ends, its terminator included."""
        end = self.text.find("\n", offset) + 1
        return self.text.rfind("\n", 0, offset) + 1, end or len(self.text)


def difference(old: str, new: str) -> Edit:
    """Return where two texts begin to differ, and where the difference ends in each.

    >>> difference("a = 1", "a = 12")
    (5, 5, 6)
    """
    most = min(len(old), len(new))
    start = _longest(most, lambda low, high: new.startswith(old[low:high], low))
    end = most - start
    if not new.endswith(_from_end(old, 0, end)):  # as it does where something was put in, or taken out
        end = _longest(end, lambda low, high: new.endswith(_from_end(old, low, high), 0, len(new) - low))
    return start, len(old) - end, len(new) - end


def _longest(most: int, agree: Callable[[int, int], bool]) -> int:
    """Return how many characters agree: in steps of some thousand, and by halving in the step that does not."""
    low = 0
    while low < most and agree(low, min(most, low + _STEP)):
        low = min(most, low + _STEP)
    high = min(most, low + _STEP)
    while low < high:
        middle = (low + high + 1) // 2
        if agree(low, middle):
            low = middle
        else:
            high = middle - 1
    return low


def _from_end(text: str, low: int, high: int) -> str:
    return text[len(text) - high : len(text) - low]
