"""Find the tokens an answer may go on with while it must still say a given text.

Where the cursor stands inside a word, the text before it was cut into tokens the model never saw there. So the prompt
ends before that word, and the answer is forced to begin with what was typed of it: only tokens that agree with the rest
of that text may be chosen, until it is used up. The last one may go beyond it.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from itertools import islice

import numpy as np
from numpy.typing import NDArray

# Tokens are kept by their first two bytes: some thousands of lists, of which one is searched.
_KEY_BYTES = 2

# A step takes some ten milliseconds, so that it keeps nobody waiting.
_STEP_TOKENS = 4096


# What is typed is asked for again and again, and half of a vocabulary begins with a space.
_MOST_FOUND = 64


class PrefixIndex:
    """Every token's bytes, by how they begin. It is made in steps, as a large vocabulary takes half a second."""

    def __init__(self, piece_of: Callable[[int], bytes], vocabulary_size: int) -> None:
        """`piece_of` returns a token's bytes; those of control tokens are empty, and never found."""
        self._by_beginning: defaultdict[bytes, list[tuple[bytes, int]]] = defaultdict(list)
        self._piece_of = piece_of
        self._to_do = iter(range(vocabulary_size))
        self._found: dict[bytes, NDArray[np.intp]] = {}

    def step(self) -> bool:
        """Take some more tokens in; return False once there are none left."""
        tokens = list(islice(self._to_do, _STEP_TOKENS))
        for token in tokens:
            if piece := self._piece_of(token):
                self._by_beginning[piece[:_KEY_BYTES]].append((piece, token))
        return bool(tokens)

    def agreeing(self, forced: bytes) -> NDArray[np.intp]:
        """Return the tokens that begin with the text, or that the text begins with.

        >>> pieces = [b"re", b"return", b"x", b"ret urn", b"r"]
        >>> list(PrefixIndex(pieces.__getitem__, len(pieces)).agreeing(b"ret"))
        [0, 1, 3, 4]
        """
        while self.step():
            pass
        if forced not in self._found:
            self._found[forced] = self._search(forced)
            if len(self._found) > _MOST_FOUND:
                del self._found[next(iter(self._found))]
        return self._found[forced]

    def _search(self, forced: bytes) -> NDArray[np.intp]:
        found = (
            token
            for candidates in self._candidates(forced)
            for piece, token in candidates
            if piece.startswith(forced) or forced.startswith(piece)
        )
        return np.array(sorted(found), dtype=np.intp)

    def _candidates(self, forced: bytes) -> Iterator[list[tuple[bytes, int]]]:
        if len(forced) < _KEY_BYTES:
            yield from (tokens for key, tokens in self._by_beginning.items() if key.startswith(forced))
            return
        for length in range(1, _KEY_BYTES + 1):
            yield self._by_beginning.get(forced[:length], [])


def rest_of(forced: bytes, piece: bytes) -> bytes:
    """Return what remains to be said of the forced text after a token that agrees with it."""
    return forced[len(piece) :]
