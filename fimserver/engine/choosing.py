"""Choose the tokens of one answer: forced text first, then within the grammar, until the text should end."""

from collections.abc import Callable, Collection
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fimserver.engine.grammar import Grammar
from fimserver.engine.healing import PrefixIndex, rest_of
from fimserver.engine.sampling import Row, draw, likeliest, log_denominator, nth_likeliest, only, should_end


class Choice(NamedTuple):
    """A token, and the natural logarithm of its probability among those that were allowed."""

    token: int
    logprob: float


class Chooser:
    """What one request asks of its tokens, and how far its forced text and its grammar have come."""

    def __init__(
        self,
        *,
        ends: Collection[int],
        piece_of: Callable[[int], bytes],
        index: PrefixIndex,
        forced: bytes = b"",
        grammar: Grammar | None = None,
        judges_end: bool = False,
        temperature: float = 0.0,
        first_choice: int = 0,
        chance: np.random.Generator,
    ) -> None:
        """`judges_end` is for filling in the middle: see `sampling.should_end`."""
        self.ends: NDArray[np.intp] = np.array(sorted(ends), dtype=np.intp)
        self._end_set = frozenset(ends)
        self._piece_of, self._index = piece_of, index
        self._grammar, self._judges_end = grammar, judges_end
        self._temperature, self._rank, self._chance = temperature, first_choice, chance
        self.forced = forced

    @property
    def plain(self) -> bool:
        """Whether every choice is the likeliest token, so that a draft can be checked against it."""
        return not (self.forced or self._grammar or self._temperature or self._rank)

    def choose(self, row: Row, scratch: Row) -> Choice | None:
        """Return the next token, None where the answer ends. Raises EngineRefused where the row is no numbers."""
        best = likeliest(row)
        if self.forced:
            row = only(row, self._index.agreeing(self.forced))
            best = likeliest(row)
        top = row[best]
        denominator = log_denominator(row, top, scratch)
        if self._judges_end and not self.forced and not self._rank and should_end(row, top, self.ends, denominator):
            return None
        token = self._pick(row, best)
        if token in self._end_set:
            return None
        self._rank = 0
        self.forced = rest_of(self.forced, self._piece_of(token)) if self.forced else b""
        if self._grammar:
            self._grammar.accept(token)
        return Choice(token, float(row[token]) - denominator)

    def _pick(self, row: Row, best: int) -> int:
        if self._temperature:
            token = draw(row, self._temperature, self._chance)
        elif self._rank:
            token = nth_likeliest(row, self._rank, self.ends)
        else:
            token = best
        if self._grammar is None or self._grammar.allows(token):
            return token
        return likeliest(self._grammar.masked(row))  # the whole vocabulary is tried only where the best one fails
