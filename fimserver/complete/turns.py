"""Let the newest request of a document go on, and tell the older one that its turn is over.

Editors send a request per key and some never cancel. One live request per document is what a person can see.
"""

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

Result = TypeVar("Result")

# Typing is judged by the last gaps; a gap longer than this is thinking, not typing.
_THINKING_MS = 1_000.0
# Past this a quiet time is felt as sluggishness; Tabby's and Cody's shortest waits are of this order.
_LONGEST_QUIET_MS = 75.0
# An engine that answers within this costs less than the wait would.
_QUICK_ANSWER_MS = 60.0
# How much a gap weighs in the running mean: the last three or four keys make most of it.
_NEWEST_SHARE = 0.3


class Turn:
    """One request's turn."""

    def __init__(self) -> None:
        self._is_over = False
        self._task: asyncio.Task[Any] | None = None

    def end(self) -> None:
        """Say that a newer request has come."""
        self._is_over = True
        if self._task is not None:
            self._task.cancel()

    async def while_mine(self, work: Coroutine[Any, Any, Result]) -> Result | None:
        """Return the work's result, or None if a newer request came first; the work is cancelled then.

        That cancels the task we are in and takes it back, as `asyncio.timeout` does.
        """
        self._task = task = asyncio.current_task()
        assert task is not None
        cancelled_before = task.cancelling()
        try:
            return await work
        except asyncio.CancelledError:
            if not self._is_over or task.cancelling() > cancelled_before + 1:
                raise
            return None
        finally:
            self._task = None
            if self._is_over:
                task.uncancel()


class Turns:
    """Whose turn it is, per document."""

    def __init__(self) -> None:
        self._current: dict[str, Turn] = {}

    @contextmanager
    def take(self, uri: str) -> Iterator[Turn]:
        """Begin a turn; the document's earlier turn ends."""
        if (earlier := self._current.get(uri)) is not None:
            earlier.end()
        turn = self._current[uri] = Turn()
        try:
            yield turn
        finally:
            if self._current.get(uri) is turn:
                del self._current[uri]


class Rhythm:
    """The mean time between the last requests, which is that between keys while somebody types."""

    def __init__(self) -> None:
        self.gap_ms = _THINKING_MS
        self._last_s = float("-inf")

    def note(self, now_s: float) -> None:
        """Take note of a request. A longer gap than it takes to think weighs no more than that."""
        gap_ms = min((now_s - self._last_s) * 1_000, 2 * _THINKING_MS)
        self._last_s = now_s
        self.gap_ms += _NEWEST_SHARE * (gap_ms - self.gap_ms)


def quiet_ms(fixed_ms: int, typing_gap_ms: float, answer_ms: float) -> float:
    """Return how long to wait for the next key before the model is asked.

    A quick engine is asked at once. A slow one waits half a typing gap, so that a burst of keys costs one answer.

    >>> quiet_ms(0, typing_gap_ms=120, answer_ms=30)
    0.0
    >>> quiet_ms(0, typing_gap_ms=120, answer_ms=400)
    60.0
    """
    if fixed_ms:
        return float(fixed_ms)
    if answer_ms <= _QUICK_ANSWER_MS or typing_gap_ms >= _THINKING_MS:
        return 0.0
    return min(_LONGEST_QUIET_MS, typing_gap_ms / 2)
