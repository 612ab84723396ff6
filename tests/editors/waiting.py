"""Wait for what an editor does, never for a length of time."""

import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")

# Editors answer within a second; a machine that runs other things beside may need many.
PATIENCE_S = 120.0

# An engine that is still loading answers that it is, and nothing more until it is asked again. Each time is later by
# half: to ask again is to take the question back that a slow machine is still at.
ASK_AGAIN_S = 1.0
LATER_BY = 1.5

# Every look is work for the editor, which is to do other work: it comes later the longer the wait has been.
FIRST_LOOK_S, LAST_LOOK_S = 0.01, 0.1

# Longer than an editor takes to draw the rest of what it has begun to draw.
STEADY_S = 0.4


def until(
    look: Callable[[], Found | None],
    what: str,
    state: Callable[[], object] | None = None,
    ask_again: Callable[[], None] | None = None,
) -> Found:
    """Return the first true value of `look`; fail with `what` and `state()` where none comes."""
    now = asked = began = time.monotonic()
    end, wait_s = now + PATIENCE_S, ASK_AGAIN_S
    while now < end:
        if found := look():
            return found
        if ask_again and now > asked + wait_s:
            asked, wait_s = now, wait_s * LATER_BY
            ask_again()
        time.sleep(min(max((now - began) / 10, FIRST_LOOK_S), LAST_LOOK_S))
        now = time.monotonic()
    raise AssertionError(f"waited in vain for {what}{f'; there is {state()!r}' if state else ''}")


def steady(look: Callable[[], Found]) -> Callable[[], Found | None]:
    """Return a look that finds only what stands unchanged for a while: not half a line, nor an answer but one."""

    def look_twice() -> Found | None:
        if first := look():
            time.sleep(STEADY_S)
        return first if first and look() == first else None

    return look_twice
