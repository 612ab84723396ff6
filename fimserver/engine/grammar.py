"""Keep an answer within a grammar: which tokens may come next, and which have come."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Row = NDArray[np.float32]
Candidates = NDArray[Any]

# The layout of llama.cpp's llama_token_data.
CANDIDATE = np.dtype([("token", np.int32), ("logit", np.float32), ("probability", np.float32)])


@dataclass(frozen=True, slots=True)
class Grammar:
    """Where an answer stands in its grammar. Only tokens that `allows` may be accepted: llama.cpp aborts on others."""

    vocabulary_size: int
    restrict: Callable[[Candidates], None]  # sets the logits of what is not allowed to minus infinity
    accept: Callable[[int], None]  # goes on by an allowed token, which must not be an end token
    close: Callable[[], None]

    def allows(self, token: int) -> bool:
        """Return whether the answer may go on with a token."""
        return bool(self._restricted(np.array([token]), np.zeros(1, np.float32))[0] == 0)

    def masked(self, row: Row) -> Row:
        """Return a copy of a row of logits in which all that is not allowed is minus infinity."""
        return self._restricted(np.arange(self.vocabulary_size), row)

    def _restricted(self, tokens: NDArray[np.int_], logits: Row) -> Row:
        candidates = np.zeros(len(tokens), CANDIDATE)
        candidates["token"], candidates["logit"] = tokens, logits
        self.restrict(candidates)
        return candidates["logit"].copy()
