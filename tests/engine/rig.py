"""What the tests of the engine's transport share: a private home, a model file, engines that are gone afterwards."""

import asyncio
import fcntl
import os
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

from fimserver.engine import lock
from fimserver.engine.client import EngineClient
from fimserver.engine.interface import EngineState, EngineStatus
from fimserver.engine.launch import Line, find_or_start
from fimserver.engine.place import Place, place_of
from fimserver.engine.wire import EngineOptions, Frame, decode_frame, encode_frame
from tests.engine import standin

GGUF = b"GGUF" + bytes(20)


def private_home() -> Iterator[Path]:
    """Yield a folder for FIMSERVER_HOME, and make it that; kill whatever engine is left in it."""
    with home_for_engines() as home:
        os.environ["FIMSERVER_HOME"] = str(home)
        try:
            yield home
        finally:
            del os.environ["FIMSERVER_HOME"]


@contextmanager
def home_for_engines() -> Iterator[Path]:
    """Make a folder short enough for sockets; afterwards it is gone, and every engine in it."""
    home = Path(tempfile.mkdtemp(prefix="fim-"))
    try:
        yield home
    finally:
        for path in (home / "run").glob("*.lock"):
            with suppress(FileNotFoundError, ProcessLookupError):
                while (process := lock.owner(path)) is not None:
                    os.kill(process, signal.SIGKILL)
        shutil.rmtree(home)


def options_for(home: Path, **changes: Any) -> EngineOptions:
    model = home / "model.gguf"
    if not model.exists():
        model.write_bytes(GGUF)
    return EngineOptions(**{"model_path": str(model), "idle_s": 60, **changes})


@asynccontextmanager
async def client_of(options: EngineOptions, **extra: Any) -> AsyncIterator[EngineClient]:
    client = EngineClient(options, **{"command": standin.COMMAND, **extra})
    try:
        yield client
    finally:
        await client.close()


@asynccontextmanager
async def raw_line(options: EngineOptions, *more: str) -> AsyncIterator["Raw"]:
    raw = Raw(await find_or_start(options, command=(*standin.COMMAND, *more)))
    try:
        yield raw
    finally:
        raw.line.writer.close()


class Ear:
    """An `on_status` that remembers what it has heard, and can be waited on."""

    def __init__(self) -> None:
        self.heard: list[EngineStatus] = []
        self._news = asyncio.Event()

    def __call__(self, status: EngineStatus) -> None:
        self.heard.append(status)
        self._news.set()

    async def hears(self, state: EngineState) -> None:
        while state not in [status.state for status in self.heard]:
            self._news.clear()
            await self._news.wait()


class Raw:
    """A client by hand: frames or bytes in, frames out."""

    def __init__(self, line: Line) -> None:
        self.line = line

    def say(self, kind: str, **fields: Any) -> None:
        self.send(encode_frame({"type": kind, **fields}))

    def send(self, data: bytes) -> None:
        self.line.writer.write(data)

    async def hear(self, kind: str) -> Frame:
        """Return the next frame of a kind, passing over others."""
        while True:
            frame = decode_frame(await self.line.reader.readuntil(b"\n"))
            if frame["type"] == kind:
                return frame

    async def closed(self) -> bool:
        """Wait until the engine closes the line."""
        with suppress(ConnectionError):
            while await self.line.reader.read(65536):
                pass
        return True


async def ready(raw: Raw) -> None:
    """Wait until the model is loaded."""
    raw.say("describe", id=999, wait=True)
    await raw.hear("facts")


async def gone(place: Place) -> None:
    """Wait until no process holds the engine's place any more: the system tells, nothing is polled."""
    with suppress(FileNotFoundError):
        descriptor = os.open(place.lock, os.O_RDWR)
        try:
            await asyncio.to_thread(fcntl.flock, descriptor, fcntl.LOCK_EX)
        finally:
            os.close(descriptor)


def engine_process(options: EngineOptions) -> int:
    """Return the process number of the engine that runs with these options."""
    process = lock.owner(place_of(options).lock)
    assert process is not None
    return process
