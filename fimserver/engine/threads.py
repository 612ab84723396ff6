"""Find out, while the model runs, how many threads are quickest at this moment.

More threads are not always faster. The threads of a batch meet after every layer's every step, and where another
program holds one of the cores they all wait for it: three threads then take a hundred times as long as one (measured:
400 ms instead of 1 ms for a token of the embedded model on a busy machine with four cores). A small model is quicker
with one thread in any case. So each number is tried now and then, and the quickest of late is used.
"""

from collections.abc import Sequence

# One batch in so many tries another number of threads than the quickest one.
_TRY_EVERY = 48

# Weight of the newest measurement: a core that becomes busy is noticed within two or three tokens.
_NEWEST_SHARE = 0.4

# Up to this size one thread reads all weights in a few milliseconds, and meeting others costs more than it saves.
_SMALL_MODEL_BYTES = 100_000_000

# Shorter batches are decoding: their cost is that of reading the weights, whatever their length.
_PREFILL_TOKENS = 16


class ThreadChoice:
    """The number of threads for the next batch; decoding and prefill are judged apart."""

    def __init__(self, candidates: Sequence[int]) -> None:
        """`candidates` are the numbers to choose from, the one to begin with first."""
        self._decoding = _Quickest(candidates)
        self._prefill = _Quickest(candidates)

    def for_batch(self, tokens: int) -> int:
        """Return the number of threads to evaluate so many tokens with."""
        return self._of(tokens).next()

    def note(self, tokens: int, threads: int, seconds: float) -> None:
        """Take note of what a batch took. A few tokens at once are too unlike either case to be compared."""
        if tokens == 1 or tokens >= _PREFILL_TOKENS:
            self._of(tokens).note(threads, seconds / tokens)

    def _of(self, tokens: int) -> "_Quickest":
        return self._prefill if tokens >= _PREFILL_TOKENS else self._decoding


class _Quickest:
    def __init__(self, candidates: Sequence[int]) -> None:
        self._seconds: dict[int, float] = dict.fromkeys(candidates, 0.0)  # per token, of late; 0: not tried yet
        self._batches = 0

    def next(self) -> int:
        """Return one that was never tried, sometimes another one in turn, else the quickest."""
        self._batches += 1
        untried = next((threads for threads, seconds in self._seconds.items() if not seconds), None)
        if untried is not None:
            return untried
        turn, odd = divmod(self._batches, _TRY_EVERY)
        if not odd:
            return list(self._seconds)[turn % len(self._seconds)]
        return min(self._seconds, key=self._seconds.__getitem__)

    def note(self, threads: int, seconds: float) -> None:
        """Keep a running mean of the seconds per token; what is quicker than that is believed at once."""
        old = self._seconds.get(threads)
        if old is not None:
            self._seconds[threads] = seconds if not old or seconds < old else old + _NEWEST_SHARE * (seconds - old)


def thread_candidates(wanted: int, most: int, file_bytes: int) -> tuple[int, ...]:
    """Return the numbers of threads to choose from: the user's own, else all, half and one of what can be spared.

    A small model begins with one, a large one with all: the first guess is most often right.

    >>> thread_candidates(0, 3, file_bytes=2_000_000_000)
    (3, 2, 1)
    >>> thread_candidates(4, 3, file_bytes=2_000_000_000)
    (4,)
    """
    if wanted:
        return (wanted,)
    candidates = tuple(dict.fromkeys((most, -(-most // 2), 1)))
    return candidates if file_bytes > _SMALL_MODEL_BYTES else candidates[::-1]
