"""Turn the process id an editor gives into a call when that process is gone.

An editor that is killed closes our standard input in most cases, but not where another process holds the pipe too.
"""

import logging
import os
import sys
import threading
import time
from collections.abc import Callable

_log = logging.getLogger(__name__)

_POLL_S = 2.0


def watch_process(pid: int | None, when_gone: Callable[[], None]) -> None:
    """Call `when_gone`, from a thread of its own, within two seconds after the process has ended.

    A process that cannot be seen from the start is not watched: an editor outside of our container has a number that
    means nothing, or somebody else, in here.
    """
    if pid is None:
        return
    if not is_running(pid):
        _log.warning("The editor's process %d cannot be seen from here; its end is noticed by the closed pipe.", pid)
        return

    def run() -> None:
        while is_running(pid):
            time.sleep(_POLL_S)
        when_gone()

    threading.Thread(target=run, name="fimserver-parent-watch", daemon=True).start()


if sys.platform == "win32":
    import ctypes

    _SYNCHRONIZE = 0x0010_0000
    _WAIT_TIMEOUT = 0x102

    def is_running(pid: int) -> bool:
        """Return whether a process of that number runs. (On Windows `os.kill` with signal 0 would end it.)"""
        kernel = ctypes.windll.kernel32
        handle = kernel.OpenProcess(_SYNCHRONIZE, False, pid)
        if not handle:
            return False
        try:
            return bool(kernel.WaitForSingleObject(handle, 0) == _WAIT_TIMEOUT)
        finally:
            kernel.CloseHandle(handle)

else:

    def is_running(pid: int) -> bool:
        """Return whether a process of that number runs."""
        if pid <= 0:  # to `kill` these mean groups of processes
            return False
        try:
            os.kill(pid, 0)
        except (ProcessLookupError, OverflowError):
            return False
        except PermissionError:
            return True
        return True
