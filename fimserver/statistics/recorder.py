"""Write events to the file of counts from a thread of its own: whoever notes one waits for nothing."""

import logging
import sqlite3
import threading
import time
from pathlib import Path
from queue import Empty, SimpleQueue

from fimserver.statistics.events import Event
from fimserver.statistics.store import Store

_log = logging.getLogger(__name__)

# So many seconds of events are written at one go: typing causes several in a second, and a disk likes to sleep.
_GATHERED_S = 2.0


class Recorder:
    """The counts of one process. Where the file cannot be written, nothing is counted and the log says why, once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._events: SimpleQueue[Event | None] = SimpleQueue()
        self._thread: threading.Thread | None = None

    def note(self, event: Event) -> None:
        """Remember an event; it is written soon."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._write_all, name="statistics", daemon=True)
            self._thread.start()
        self._events.put(event)

    def close(self, patience_s: float) -> None:
        """Write what is left, if that takes no longer than this."""
        if self._thread is not None:
            self._events.put(None)
            self._thread.join(patience_s)

    def _write_all(self) -> None:
        try:
            store = Store(self._path)
            while batch := self._next_batch():
                store.write(batch)
            store.close()
        except (sqlite3.Error, OSError) as error:
            _log.warning("Suggestions are not counted: %s cannot be written: %s", self._path, error)

    def _next_batch(self) -> list[Event]:
        """Wait for events and return those of some seconds; none once the end has been announced."""
        batch: list[Event] = []
        event = self._events.get()
        end_s = time.monotonic() + _GATHERED_S
        while event is not None:
            batch.append(event)
            try:
                event = self._events.get(timeout=max(0.0, end_s - time.monotonic()))
            except Empty:
                return batch
        if batch:
            self._events.put(None)  # seen again when this batch is written
        return batch
