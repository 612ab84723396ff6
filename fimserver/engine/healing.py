"""Find the tokens an answer may go on with while it must still say a given text.

Where the cursor stands inside a word, the text before it was cut into tokens the model never saw there. So the prompt
ends before that word, and the answer is forced to begin with what was typed of it: only tokens that agree with the rest
of that text may be chosen, until it is used up. The last one may go beyond it.
"""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray


class PrefixIndex:
    """Every token's bytes, in order."""

    def __init__(self, pieces: Sequence[bytes]) -> None:
        """Index the pieces of all tokens; those of control tokens are empty and never found."""
        self._order = sorted((token for token, piece in enumerate(pieces) if piece), key=lambda token: pieces[token])
        self._sorted = [pieces[token] for token in self._order]
        self._longest = max(map(len, self._sorted), default=0)

    def agreeing(self, forced: bytes) -> NDArray[np.intp]:
        """Return the tokens that begin with the text, or that the text begins with.

        >>> list(PrefixIndex([b"re", b"return", b"x", b"ret urn"]).agreeing(b"ret"))
        [1, 3, 0]
        """
        longer = self._order[bisect_left(self._sorted, forced) : bisect_left(self._sorted, after(forced))]
        beginnings = accumulate(forced[index : index + 1] for index in range(min(len(forced) - 1, self._longest)))
        shorter = [token for beginning in beginnings for token in self._equal(beginning)]
        return np.array([*longer, *shorter], dtype=np.intp)

    def _equal(self, piece: bytes) -> list[int]:
        start = bisect_left(self._sorted, piece)
        end = start
        while end < len(self._sorted) and self._sorted[end] == piece:
            end += 1
        return self._order[start:end]


def after(text: bytes) -> bytes:
    r"""Return a text that sorts behind all that begin with the given one, and before all others behind it.

    >>> after(b"ab"), after(b"a\xff")
    (b'ac', b'b')
    """
    stem = text.rstrip(b"\xff")
    return stem[:-1] + bytes([stem[-1] + 1]) if stem else b"\xff" * (len(text) + 64)


def rest_of(forced: bytes, piece: bytes) -> bytes:
    """Return what remains to be said of the forced text after a token that agrees with it."""
    return forced[len(piece) :]
