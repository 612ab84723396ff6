"""Notice where an answer should be ended that does not end by itself: at a stop text, or going round in circles."""

from collections.abc import Sequence

# A text goes round in circles when its end is the same few tokens four times, and these are 48 tokens at least: a
# table of zeros may be meant, but not that long.
_CIRCLE_ROUNDS = 4
_CIRCLE_TOKENS = 48
_LONGEST_CIRCLE_TOKENS = 32


class StopTexts:
    """Finds the first stop text in what arrives piece by piece, after text that was forced."""

    def __init__(self, texts: Sequence[str], skip: int = 0) -> None:
        self._texts = tuple(text for text in texts if text)
        self._reach = max(map(len, self._texts), default=0) - 1
        self._skip, self._tail = skip, ""

    def appear_in(self, text: str) -> bool:
        """Return whether a stop text is complete with this piece."""
        if not self._texts:
            return False
        fresh = text[self._skip :]
        self._skip = max(0, self._skip - len(text))
        seen = self._tail + fresh
        self._tail = seen[-self._reach :] if self._reach > 0 else ""
        return any(stop in seen for stop in self._texts)


def goes_in_circles(tokens: Sequence[int]) -> bool:
    """Return whether a text's end is one short piece over and over.

    >>> goes_in_circles([1, 2, 3] * 16), goes_in_circles([1, 2, 3] * 15), goes_in_circles(list(range(99)))
    (True, False, False)
    """
    return any(
        _is_circle(tokens, period, max(_CIRCLE_TOKENS, period * _CIRCLE_ROUNDS))
        for period in range(1, _LONGEST_CIRCLE_TOKENS + 1)
    )


def _is_circle(tokens: Sequence[int], period: int, length: int) -> bool:
    end = tokens[-length:]
    return len(end) == length and end[period:] == end[:-period]
