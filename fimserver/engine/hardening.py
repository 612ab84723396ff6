"""Take from the engine process what it does not need, before it reads a model file that somebody else has made."""

import ctypes
import sys

# <linux/prctl.h>
_PR_SET_DUMPABLE = 4
_PR_SET_NO_NEW_PRIVS = 38


def harden() -> None:
    """Give up, for good: core dumps, being traced by other processes, and gaining rights through a program started.

    A core dump holds the user's text. Each step is taken where the system offers it; none can fail the engine.
    """
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
