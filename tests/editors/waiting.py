"""Wait for what an editor does, never for a length of time."""

import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")

# Editors answer within a second; a machine that runs other things beside may need many.
PATIENCE_S = 30.0


def until(look: Callable[[], Found], what: str, state: Callable[[], object] | None = None) -> Found:
    """Return the first true value of `look`; fail with `what` and `state()` where none comes."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        if found := look():
            return found
        time.sleep(0.01)
    raise AssertionError(f"waited in vain for {what}{f'; there is {state()!r}' if state else ''}")
