"""What holds for every test: none is timed, random ones never change, and Ctrl-C reaches what they start."""

import gc
import signal

from hypothesis import settings

settings.register_profile("untimed", deadline=None, derandomize=True)
settings.load_profile("untimed")

# A shell lets its jobs in the background ignore Ctrl-C, and every process begins as the one that started it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish() -> None:
    """Let the garbage collector pass over the thousands of tests: it would look at all of them again and again."""
    gc.freeze()
