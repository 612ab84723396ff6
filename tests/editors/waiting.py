"""Wait for what an editor does, never for a length of time."""

import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")

# Editors answer within a second; a machine that runs other things beside may need many.
PATIENCE_S = 30.0


# An engine that is still loading answers that it is, and nothing more until it is asked again.
ASK_AGAIN_S = 1.0


def until(
    look: Callable[[], Found],
    what: str,
    state: Callable[[], object] | None = None,
    ask_again: Callable[[], None] | None = None,
) -> Found:
    """Return the first true value of `look`; fail with `what` and `state()` where none comes."""
    now = asked = time.monotonic()
    end = now + PATIENCE_S
    while now < end:
        if found := look():
            return found
        if ask_again and now > asked + ASK_AGAIN_S:
            asked = now
            ask_again()
        time.sleep(0.01)
        now = time.monotonic()
    raise AssertionError(f"waited in vain for {what}{f'; there is {state()!r}' if state else ''}")
