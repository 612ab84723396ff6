"""Be the engine process: open a door for clients, keep one worker, and leave no trace when nobody needs it any more.

    lock → (detach) → harden → door open → model loads in the worker's thread → serve … → door closed → worker stopped

The lock is held before anything else happens and until everything is over, so there is never a second engine of the
same place. The door opens before the model is loaded: clients see the loading instead of waiting for it.
"""

import argparse
import asyncio
import json
import logging
import os
import secrets
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from fimserver.engine import lock, session
from fimserver.engine.hardening import harden
from fimserver.engine.interface import EngineState, EngineStatus, ModelFacts
from fimserver.engine.place import Door, Place, place_of, read_door, socket_stands, write_door
from fimserver.engine.session import MakeJob, Session
from fimserver.engine.wire import MAX_FRAME_BYTES, EngineOptions, decode_options
from fimserver.errors import EngineUnavailable, FimError
from fimserver.logs import set_up_logging

_LOG = logging.getLogger(__name__)

# How long a removed socket stays away, and how long a flood of native messages lasts.
_LOOK_AGAIN_S = 2.0

# A worker that does not come back from native code by then is left behind: the process ends anyway.
_WORKER_STOPS_S = 5.0

_LONGEST_LAST_WORDS_BYTES = 1_000_000

# An engine that could not load its model stays this long after its last client, to be asked why.
_FAILED_STAYS_S = 5.0

EXIT_SERVED_ALREADY = 3


class Worker(session.Worker, Protocol):
    """The thread that owns the model; see engine/worker.py."""

    @property
    def facts(self) -> ModelFacts | None:
        """The model's facts, once it is loaded."""

    def start(self) -> None:
        """Begin to load, and return at once."""

    def stop(self) -> None:
        """Stop all work and the thread, and keep what is worth keeping."""


MakeWorker = Callable[[EngineOptions, Callable[[EngineStatus], None]], Worker]


def run_engine(arguments: list[str], make_worker: MakeWorker, make_job: MakeJob) -> int:
    """Run an engine until it is stopped or idle; return the process's exit code."""
    asked = _parser().parse_args(arguments)
    os.dup2(2, 1)  # native code that prints must not reach whoever has our standard output
    try:
        options = decode_options(json.loads(asked.options))
        place = place_of(options)
        held = _own_lock(place) if asked.lock is None else int(asked.lock)
        if held is None:
            return EXIT_SERVED_ALREADY
        tell_parent = _detach() if asked.detach else None
        lock.sign(held, os.getpid())
        harden()
        os.environ["GGML_NO_BACKTRACE"] = "1"  # else a failed assertion starts a debugger, if there is one
        set_up_logging("engine", to_terminal=False)
        asyncio.run(Daemon(options, place, held, make_worker, make_job, tcp=asked.tcp).run(tell_parent))
    except (FimError, OSError) as error:
        print(error, file=sys.stderr)  # noqa: T201 - the last words, which the starter reads
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m fimserver.engine", description=__doc__)
    parser.add_argument("--options", required=True, help="EngineOptions as a JSON object")
    parser.add_argument("--lock", type=int, help="descriptor, inherited, that holds the lock already")
    parser.add_argument("--detach", action="store_true", help="return once the door is open, and serve on")
    parser.add_argument("--tcp", action="store_true", help="listen on the loopback address instead of a Unix socket")
    return parser


class Daemon:
    """One engine: its door, its worker, its clients, and when it ends."""

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
        self.token = secrets.token_hex(32)
        self.make_job = make_job
        self._options = options
        self._place = place
        self._held = held
        self._tcp = tcp or sys.platform == "win32"
        self._make_worker = make_worker
        self._status = EngineStatus(state=EngineState.LOADING)
        self._worker: Worker | None = None
        self._sessions: set[Session] = set()
        self._server: asyncio.Server | None = None

    async def run(self, tell_parent: int | None = None) -> None:
        """Serve until told to stop or idle. Raises OSError or EngineUnavailable where the door cannot be opened."""
        self._loop = asyncio.get_running_loop()
        self._ending = asyncio.Event()
        self.touch()
        self._obey_signals()
        await self._open_door()
        try:
            if tell_parent is not None:
                os.write(tell_parent, b".")
                os.close(tell_parent)
            await self._start_worker()
            await self._until_over()
        finally:
            self._close_door()
            await self._stop_worker()
            lock.remove(self._place.lock, self._held)

    @property
    def worker(self) -> Worker:
        """The worker. Raises why there is none, once the state is FAILED."""
        if self._worker is None:
            raise EngineUnavailable(self._status.message)
        return self._worker

    def status(self) -> EngineStatus:
        """Return the engine's state now."""
        return replace(self._status, pid=os.getpid(), clients=len(self._sessions))

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
            writer.close()

    async def _open_door(self) -> None:
        """Listen, then say where: whoever reads the door finds somebody at home."""
        if self._tcp:
            server = await asyncio.start_server(self._admit, "127.0.0.1", 0, limit=MAX_FRAME_BYTES)
            port = server.sockets[0].getsockname()[1]
        else:
            socket_stands(self._place)
            listener = _private_socket(self._place.socket)
            server = await asyncio.start_unix_server(self._admit, sock=listener, limit=MAX_FRAME_BYTES)
            self._place.socket.with_suffix(".new").rename(self._place.socket)
            port = 0
        self._door = Door(port, self.token)
        write_door(self._place, self._door)
        if self._server is not None:
            self._server.close()
        self._server = server

    def _close_door(self) -> None:
        """Let nobody in any more and say goodbye; the files go first, so that who comes now starts anew."""
        if self._server is not None:
            self._server.close()
        if lock.is_at(self._place.lock, self._held):
            self._place.door.unlink(missing_ok=True)
            self._place.socket.unlink(missing_ok=True)
        for client in tuple(self._sessions):
            client.send({"type": "goodbye"})

    async def _until_over(self) -> None:
        while (left_s := self._idle_left_s()) > 0:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._ending.wait(), min(left_s, _LOOK_AGAIN_S))
                return
            if not lock.is_at(self._place.lock, self._held):
                return  # somebody removed our files and another engine may have taken the place
            if read_door(self._place) != self._door or not (self._tcp or socket_stands(self._place)):
                await self._open_door()
            _cut_last_words(self._place.last_words)

    def _idle_left_s(self) -> float:
        """Return how long the engine may still do nothing."""
        if any(client.working for client in self._sessions):
            self.touch()
        useless = self._status.state == EngineState.FAILED and not self._sessions
        allowed_s = min(self._options.idle_s, _FAILED_STAYS_S) if useless else self._options.idle_s
        return self._needed_at + allowed_s - self._loop.time()

    async def _stop_worker(self) -> None:
        if self._worker is None:
            return
        stopped = asyncio.Event()

        def stop(worker: Worker) -> None:
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


def _own_lock(place: Place) -> int | None:
    """Take the lock of an engine that nobody started with it; a client that is just looking holds it for a moment."""
    for _ in range(20):
        held = lock.try_lock(place.lock)
        if held is not None:
            return held
        time.sleep(0.05)
    return None


def _detach() -> int:
    """Go on as a child of nobody, and return where to write one byte once the door is open.

    An editor that ends a language server ends the processes below it too; the engine belongs to all windows. This
    happens before any thread and any native library exists, so forking is safe.
    """
    reading, writing = os.pipe()
    if os.fork():
        os.close(writing)
        os._exit(0 if os.read(reading, 1) else 1)
    os.close(reading)
    return writing


def _private_socket(path: Path) -> socket.socket:
    """Return a socket bound beside the path. It is moved there once it listens, so nobody meets it half made."""
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(fresh))
    fresh.chmod(0o600)
    return listener


def _cut_last_words(path: Path) -> None:
    """Keep a library that floods standard error from filling the disk."""
    with suppress(OSError):
        written = os.fstat(2)
        if written.st_size > _LONGEST_LAST_WORDS_BYTES and os.path.samestat(written, path.stat()):
            os.ftruncate(2, 0)
