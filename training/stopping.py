"""Turn Ctrl-C and a request to end into something that a loop can look at."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from types import FrameType


@contextmanager
def told_to_stop() -> Iterator[Event]:
    """Yield what the first such signal sets; the second one ends the process at once.

    No exception: one that falls into PyTorch's loader of batches makes it raise another one.
    """
    stop = Event()

    def note(number: int, _: FrameType | None) -> None:
        stop.set()
        signal.signal(number, signal.SIG_DFL)

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
