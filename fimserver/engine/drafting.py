"""Guess what comes next by looking up where the last tokens stood before, so that one batch can check many tokens.

Code repeats itself: where an answer copies what stands elsewhere in the prompt, the tokens that followed there are a
good guess. The model checks a draft in one batch and keeps what it would have chosen itself; the answer is the same
with and without. On a CPU a batch of nine tokens costs six times as much as one token, so only long drafts that are
almost sure pay; on a GPU nearly every one does. Both is measured while the engine runs: what batches cost, and how
many tokens of a draft were right of late.
"""

from array import array
from collections.abc import Callable, Sequence
from typing import NamedTuple

from fimserver.engine.kv import common_length

# So many tokens must have stood together before. Fewer are found everywhere in code: `) :\n` says little.
_LEAST_MATCH_TOKENS = 4

# A longer match makes a better guess. Each kind keeps its own record.
_LONGER_MATCHES_TOKENS = (8, 16)

# What is believed of each kind of match before anything was tried, and how many trials that belief weighs.
_FIRST_SHARES = (0.7, 0.85, 0.95)
_BELIEF_TRIALS = 8.0

# Old trials fade: what is being written changes.
_FADING = 0.98

# Lengths of drafts. The longest, with the token before it, is the most rows of logits that one batch can have.
DRAFT_TOKENS = (4, 8, 16, 32)

# A draft must promise this much more than plain decoding: its cost is known less well than one token's.
_LEAST_GAIN = 1.15

Cost = Callable[[int], float | None]


class Match(NamedTuple):
    """The tokens that followed the latest of the longest matches, and how long that match was."""

    following: list[int]
    matched: int


class Lookup:
    """Finds where the end of a text stood before in it."""

    def __init__(self, tokens: Sequence[int]) -> None:
        self._tokens = array("i", tokens)

    def extend(self, tokens: Sequence[int]) -> None:
        """Note that the text goes on."""
        self._tokens.extend(tokens)

    def __len__(self) -> int:
        return len(self._tokens)

    def match(self, most: int) -> Match | None:
        """Return at most `most` tokens that followed where the text's end stood before.

        >>> Lookup([1, 2, 3, 4, 5, 6, 9, 1, 2, 3, 4]).match(3)
        Match(following=[5, 6, 9], matched=4)
        """
        tokens, width = self._tokens, self._tokens.itemsize
        end = len(tokens)
        content, pattern = tokens.tobytes(), tokens[end - _LEAST_MATCH_TOKENS :].tobytes()
        best: Match | None = None
        before = len(content) - 1  # so that the end is not found itself
        while end > _LEAST_MATCH_TOKENS and (found := content.rfind(pattern, 0, before)) >= 0:
            before = found + len(pattern) - 1
            if found % width:
                continue
            follows = found // width + _LEAST_MATCH_TOKENS
            matched = self._matched_before(follows)
            if best is None or matched > best.matched:
                best = Match(list(tokens[follows : follows + most]), matched)
            if matched >= _LONGER_MATCHES_TOKENS[-1]:
                break
        return best

    def _matched_before(self, follows: int) -> int:
        """Return how many tokens before `follows` equal those at the text's end, as far as that matters."""
        tokens, end, most = self._tokens, len(self._tokens), _LONGER_MATCHES_TOKENS[-1]
        length = 0
        while length < min(most, follows) and tokens[follows - 1 - length] == tokens[end - 1 - length]:
            length += 1
        return length


class Record:
    """How many drafted tokens were right of late, for each kind of match."""

    def __init__(self) -> None:
        self._right = [share * _BELIEF_TRIALS for share in _FIRST_SHARES]
        self._tried = [_BELIEF_TRIALS] * len(_FIRST_SHARES)

    def share(self, matched: int) -> float:
        """Return the share of single tokens that are right after a match of this length."""
        kind = _kind_of(matched)
        return self._right[kind] / self._tried[kind]

    def note(self, matched: int, drafted: int, accepted: int) -> None:
        """Take a checked draft into account. What follows the first wrong token was not tried."""
        kind, tried = _kind_of(matched), min(drafted, accepted + 1)
        self._right[kind] = self._right[kind] * _FADING + accepted
        self._tried[kind] = self._tried[kind] * _FADING + tried


class Drafter:
    """Drafts for one answer. A draft that was not worth a batch is compared all the same with what then came."""

    def __init__(self, tokens: Sequence[int], record: Record, cost: Cost) -> None:
        """`cost` is that of checking so many tokens in one batch, relative to decoding one; None if not known."""
        self._lookup, self._record, self._cost = Lookup(tokens), record, cost
        self._guess: Match | None = None
        self._guessed_at = 0

    def draft(self, tokens: Sequence[int], most: int) -> list[int]:
        """Return what to check next, at most `most` tokens; nothing where plain decoding is as fast."""
        self._lookup.extend(tokens[len(self._lookup) :])
        if self._guess and not self._compare(tokens[self._guessed_at :]):
            return []
        match, self._guessed_at = self._lookup.match(DRAFT_TOKENS[-1]), len(tokens)
        self._guess = match
        if match is None:
            return []
        available = min(most, len(match.following))
        drafted = match.following[: best_length(available, self._record.share(match.matched), self._cost)]
        self._guess = Match(drafted, match.matched) if drafted else match
        return drafted

    def _compare(self, came: Sequence[int]) -> bool:
        """Note how much of the last guess came true; return False where that is still open."""
        assert self._guess is not None
        right = common_length(self._guess.following, came)
        if right == len(came) < len(self._guess.following):
            return False
        self._record.note(self._guess.matched, len(self._guess.following), right)
        return True


def best_length(available: int, share: float, cost: Cost) -> int:
    """Return the length of draft with the most tokens for its cost, 0 where none is worth it.

    >>> best_length(32, 0.95, lambda tokens: 1.0 + tokens / 50)
    32
    >>> best_length(32, 0.95, lambda tokens: float(tokens))
    0
    """
    gains = [(_gain(length, share, cost), length) for length in DRAFT_TOKENS if length <= available]
    gain, length = max(gains, default=(0.0, 0))
    return length if gain >= _LEAST_GAIN else 0


def _gain(length: int, share: float, cost: Cost) -> float:
    """Return the tokens a draft yields, its own and the one after it, for the cost of as many single ones."""
    price = cost(length + 1)
    if not price:
        return 0.0
    return sum(share**index for index in range(length + 1)) / price


def _kind_of(matched: int) -> int:
    return sum(matched >= longer for longer in _LONGER_MATCHES_TOKENS)
