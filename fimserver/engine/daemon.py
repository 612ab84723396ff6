"""Be the engine: one worker with its model, the clients it serves, and an end when nobody needs it any more.

    entrance open → model loads in the worker's thread → serve … → entrance closed → goodbye → worker stopped

Clients come in before the model is loaded: they see the loading instead of waiting for it.
"""

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from fimserver.engine import lock
from fimserver.engine.entrance import Entrance
from fimserver.engine.interface import EngineState, EngineStatus, ModelFacts
from fimserver.engine.place import Place
from fimserver.engine.session import MakeJob, Session
from fimserver.engine.wire import EngineOptions
from fimserver.errors import EngineUnavailable, FimError

if TYPE_CHECKING:  # it imports llama.cpp
    from fimserver.engine.worker import Worker

# How long a socket that somebody removed stays away, and how long a flood of native messages lasts.
_LOOK_AGAIN_S = 2.0

# A worker that does not come back from native code by then is left behind: the process ends anyway.
_WORKER_STOPS_S = 5.0

# An engine that could not load its model stays for those who ask why, but not for long: the next one sees what was
# mended meanwhile. Without clients it stays until the one that has started it is there.
_FAILED_STAYS_S = 60.0
_FAILED_STAYS_ALONE_S = 5.0

# Whose windows are all gone wants the memory back; a window that is opened again within this time finds the model warm.
_UNNEEDED_STAYS_S = 60.0

_LONGEST_LAST_WORDS_BYTES = 1_000_000


MakeWorker = Callable[[EngineOptions, Callable[[EngineStatus], None]], "Worker"]


class Daemon:
    """One engine: its entrance, its worker, its clients, and when it ends."""

    def __init__(
        self,
        options: EngineOptions,
        place: Place,
        held: int,
        make_worker: MakeWorker,
        make_job: MakeJob,
        *,
        tcp: bool = False,
    ) -> None:
        """Make an engine for the place whose lock `held` is; `make_worker` and `make_job` import llama.cpp."""
        self.make_job = make_job
        self._options = options
        self._place = place
        self._held = held
        self._make_worker = make_worker
        self._entrance = Entrance(place, self._admit, tcp=tcp)
        self._status = EngineStatus(state=EngineState.LOADING)
        self._worker: Worker | None = None
        self._sessions: set[Session] = set()
        self._was_asked = False  # by a client that has left

    async def run(self, tell_parent: int | None = None) -> None:
        """Serve until told to stop or idle. Raises OSError or EngineUnavailable where clients cannot be let in.

        `tell_parent` is a pipe into which one byte goes once they can.
        """
        self._loop = asyncio.get_running_loop()
        self._ending = asyncio.Event()
        self.touch()
        self._obey_signals()
        await self._entrance.open()
        if tell_parent is not None:
            os.write(tell_parent, b".")
            os.close(tell_parent)
        await self._start_worker()
        await self._until_over()
        if lock.is_at(self._place.lock, self._held):
            self._entrance.close()
        for client in tuple(self._sessions):
            client.send({"type": "goodbye"})
        await self._stop_worker()

    @property
    def token(self) -> str:
        """What a client must know to come in."""
        return self._entrance.token

    @property
    def worker(self) -> "Worker":
        """The worker. Raises why there is none, once the state is FAILED."""
        if self._worker is None:
            raise EngineUnavailable(self._status.message)
        return self._worker

    def status(self) -> EngineStatus:
        """Return the engine's state now."""
        now = replace(self._status, pid=os.getpid(), clients=len(self._sessions))
        worker = self._worker
        if worker is None:
            return now
        return replace(now, evaluated_tokens=worker.evaluated_tokens, prompt_tokens=worker.prompt_tokens)

    def facts(self) -> ModelFacts | None:
        """Return the model's facts; None where the model is not loaded."""
        return None if self._worker is None else self._worker.facts

    def touch(self) -> None:
        """Note that somebody needed the engine just now."""
        self._needed_at = self._loop.time()

    def end(self) -> None:
        """Begin to stop the process."""
        self._ending.set()

    async def _start_worker(self) -> None:
        """Import the worker, with all of llama.cpp, beside the event loop: clients are answered meanwhile."""
        try:
            self._worker = await asyncio.to_thread(self._make_worker, self._options, self._hear)
            self._worker.start()
        except FimError as error:
            self._take_status(EngineStatus(state=EngineState.FAILED, message=str(error)))

    def _hear(self, status: EngineStatus) -> None:  # in the worker's thread
        with suppress(RuntimeError):  # the loop is closed: the process is ending
            self._loop.call_soon_threadsafe(self._take_status, status)

    def _take_status(self, status: EngineStatus) -> None:
        self._status = status
        self._changed_at = self._loop.time()
        self.touch()
        for client in tuple(self._sessions):
            client.say_status()

    async def _admit(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        client = Session(self, reader, writer)
        try:
            if await client.greet():
                self.touch()
                self._sessions.add(client)
                await client.serve()
        finally:
            self._sessions.discard(client)
            self._was_asked |= client.has_asked
            writer.close()

    async def _until_over(self) -> None:
        """Return when told to end, when idle for long, or when the place is not ours any more."""
        while (left_s := self._idle_left_s()) > 0 and lock.is_at(self._place.lock, self._held):
            with suppress(TimeoutError):
                await asyncio.wait_for(self._ending.wait(), min(left_s, _LOOK_AGAIN_S))
                return
            await self._entrance.mend()
            _cut_last_words(self._place.last_words)

    def _idle_left_s(self) -> float:
        """Return how long the engine may still do nothing."""
        if self._status.state == EngineState.FAILED:
            stays_s = min(self._options.idle_s, _FAILED_STAYS_S if self._sessions else _FAILED_STAYS_ALONE_S)
            return self._changed_at + stays_s - self._loop.time()
        if any(client.working for client in self._sessions):
            self.touch()
        unneeded = self._was_asked and not self._sessions
        stays_s = min(self._options.idle_s, _UNNEEDED_STAYS_S) if unneeded else self._options.idle_s
        return self._needed_at + stays_s - self._loop.time()

    async def _stop_worker(self) -> None:
        if self._worker is None:
            return
        stopped = asyncio.Event()

        def stop(worker: "Worker") -> None:
            worker.stop()
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(stopped.set)

        threading.Thread(target=stop, args=(self._worker,), daemon=True).start()
        with suppress(TimeoutError):
            await asyncio.wait_for(stopped.wait(), _WORKER_STOPS_S)

    def _obey_signals(self) -> None:
        if sys.platform != "win32":
            for number in (signal.SIGTERM, signal.SIGINT):
                self._loop.add_signal_handler(number, self.end)


def _cut_last_words(path: Path) -> None:
    """Keep a library that floods standard error from filling the disk."""
    with suppress(OSError):
        written = os.fstat(2)
        if written.st_size > _LONGEST_LAST_WORDS_BYTES and os.path.samestat(written, path.stat()):
            os.ftruncate(2, 0)
