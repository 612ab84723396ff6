"""Take from the engine process what it does not need, before it reads a model file that somebody else has made."""

import ctypes
import os
import sys

from fimserver.engine.seccomp import forbid_network

# <linux/prctl.h>
_PR_SET_DUMPABLE = 4
_PR_SET_NO_NEW_PRIVS = 38

# Of the machine's memory, what an engine may take for itself; the model's file, which is mapped, is not counted. A
# header can ask for any amount, and a machine that swaps is of use to nobody.
_SHARE_OF_MEMORY = 0.8


def harden(*, network: bool = False) -> None:
    """Give up, for good: core dumps, being traced by other processes, gaining rights through a program started, most of
    the machine's memory, and the network.

    A core dump holds the user's text. Each step is taken where the system offers it; none can fail the engine. With
    `network` it may still listen on the loopback address, where there are no Unix sockets.
    """
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
        _limit_memory()
        if not network:
            forbid_network(libc)


def _limit_memory() -> None:
    """Let allocations fail before the machine is full; a limit that is lower already stays."""
    import resource

    total_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = int(total_bytes * _SHARE_OF_MEMORY)
    if hard == resource.RLIM_INFINITY or hard > wanted:
        resource.setrlimit(resource.RLIMIT_DATA, (wanted, wanted))
