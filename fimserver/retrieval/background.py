"""One thread that does what was asked last, and goes on with a long task while nothing is asked.

The long task is a generator of short steps. While somebody types it rests, because a thread that computes delays every
other one of its process; and at any time it leaves them a share.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

_log = logging.getLogger(__name__)

_Result = TypeVar("_Result")

# After a sign of life the long task waits so long for the next one.
_QUIET_S = 0.3

# For each second of work it rests this long: a large repository takes half of one core, for some minutes.
_REST_S = 1.0


class Background:
    """A thread with a queue. A job replaces the one with the same key that has not begun yet."""

    def __init__(self, name: str) -> None:
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
        self._waiting: dict[str, Future[Any]] = {}
        self._guard = threading.Lock()
        self._asked = threading.Event()
        self._quiet_until_s = 0.0
        self._closed = False

    def submit(self, key: str, job: Callable[[], _Result]) -> Future[_Result]:
        """Have a job done after those already asked for."""
        replaced = self._waiting.get(key)
        if replaced is not None:
            replaced.cancel()
        if self._closed:
            return _cancelled()
        with self._guard:
            future = self._waiting[key] = self._executor.submit(job)
        future.add_done_callback(lambda done: self._forget(key, done))
        future.add_done_callback(_note_failure)
        self._asked.set()
        return future

    def work_through(self, task: Iterator[None]) -> None:
        """Have a long task done, step by step, behind everything else."""
        if not self._closed:
            self._executor.submit(self._step, task).add_done_callback(_note_failure)

    def rest(self) -> None:
        """Let the long task wait: somebody is typing."""
        self._quiet_until_s = time.monotonic() + _QUIET_S

    def close(self, last: Callable[[], None]) -> None:
        """Stop after the job or step under way, and one last job."""
        self._closed = True
        for future in list(self._waiting.values()):
            future.cancel()
        self._asked.set()
        self._executor.submit(last).add_done_callback(_note_failure)
        self._executor.shutdown()

    def _forget(self, key: str, done: Future[Any]) -> None:
        with self._guard:
            if self._waiting.get(key) is done:
                del self._waiting[key]

    def _step(self, task: Iterator[None]) -> None:
        """Do one step, unless somebody types, and line up for the next."""
        began_s = time.monotonic()
        if began_s < self._quiet_until_s:
            self._pause(self._quiet_until_s - began_s)
        elif next(task, _END) is _END:
            return
        else:
            self._pause((time.monotonic() - began_s) * _REST_S)
        self.work_through(task)

    def _pause(self, duration_s: float) -> None:
        """Wait until the time is over or a job is asked for."""
        self._asked.clear()
        if not self._waiting and not self._closed:
            self._asked.wait(duration_s)


_END = object()


def _cancelled() -> Future[Any]:
    future: Future[Any] = Future()
    future.cancel()
    future.set_running_or_notify_cancel()
    return future


def _note_failure(future: Future[Any]) -> None:
    """Say that something of ours went wrong; its text may quote a source, so it is told at DEBUG only."""
    if not future.cancelled() and (error := future.exception()) is not None:
        _log.warning("Retrieval stumbled over %s; there is less context.", type(error).__name__)
        _log.debug("The details:", exc_info=error)
