"""Find the engine for given options, or start it: exactly one, whoever asks at the same time.

Whoever gets the lock starts the engine, which inherits the lock and holds it until it dies; the others wait for its
door. So a lock that is free means that no engine runs, and whatever socket is left may be replaced.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from fimserver.engine import lock
from fimserver.engine.interface import EngineStatus
from fimserver.engine.peer import is_ours
from fimserver.engine.place import Door, Place, place_of, read_door, socket_stands
from fimserver.engine.starting import COMMAND, check_model, farewell, start
from fimserver.engine.wire import (
    MAX_FRAME_BYTES,
    PROTOCOL_VERSION,
    EngineOptions,
    FrameBroken,
    decode_frame,
    decode_status,
    encode_frame,
    take,
)
from fimserver.errors import EngineUnavailable, FimError

_LOOK_AGAIN_S = 0.02

# The event loop of an engine answers in a millisecond; one that says nothing for so long is stopped or hangs.
_WELCOME_S = 5.0

# Time to save its state. The engine gives its worker less, so only one that hangs reaches this.
_STOP_S = 10.0


@dataclass(frozen=True, slots=True)
class Line:
    """An open line to an engine that has said welcome."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    status: EngineStatus
    place: Place


class _Hung(Exception):
    """An engine holds its place but does not speak, or not sensibly."""


async def find(options: EngineOptions) -> Line | None:
    """Return a line to the engine if it runs. Raises ModelMissing, EngineUnavailable and RuntimeFolderUnsafe."""
    try:
        return await _connected(place_of(options))
    except _Hung as error:
        raise EngineUnavailable(str(error)) from error


async def find_or_start(
    options: EngineOptions,
    *,
    command: Sequence[str] = COMMAND,
    start_s: float = 20,
    on_start: Callable[[], None] = lambda: None,
) -> Line:
    """Return a line to the engine, started if need be. Raises ModelError, EngineUnavailable, RuntimeFolderUnsafe.

    `on_start` is called before a process is started; a FimError that it raises keeps that from being done.
    """
    check_model(Path(options.model_path))
    place = place_of(options)
    started = False
    try:
        async with asyncio.timeout(start_s):
            while (line := await _connected_to_living(place)) is None:
                held = _locked(place)
                if held is None:  # somebody is starting it, or it is about to go
                    await asyncio.sleep(_LOOK_AGAIN_S)
                elif started:
                    lock.remove(place.lock, held)
                    raise EngineUnavailable(farewell(place))
                else:
                    started = True
                    _announce(place, held, on_start)
                    await _start_or_tidy(options, place, held, command)
    except TimeoutError as error:
        raise EngineUnavailable(
            f"The engine did not let us in within {start_s:g} s. Run `fimserver engine stop`, then try again."
        ) from error
    return line


async def stop(options: EngineOptions) -> bool:
    """Stop the engine for everybody who uses it, by force if it hangs. Return whether there was one."""
    place = place_of(options)
    process = lock.owner(place.lock)
    try:
        line = await _connected(place)
    except _Hung:
        line = None
        kill(place)
    if line is not None:
        line.writer.write(encode_frame({"type": "stop"}))
        line.writer.close()
    try:
        async with asyncio.timeout(_STOP_S):
            while process is not None and lock.owner(place.lock) == process:  # noqa: ASYNC110 - it is no child of ours
                await asyncio.sleep(_LOOK_AGAIN_S)
    except TimeoutError:
        kill(place)
    tidy(place)
    return process is not None


def tidy(place: Place) -> None:
    """Remove what a killed engine has left behind, unless another one runs there already."""
    with suppress(EngineUnavailable):
        held = _locked(place)
        if held is not None:
            place.door.unlink(missing_ok=True)
            place.socket.unlink(missing_ok=True)
            lock.remove(place.lock, held)


def kill(place: Place, process: int | None = None) -> bool:
    """Kill the engine that holds the place if it is sure to be one of ours, and that process if one is named.

    Return whether that was done.
    """
    holder = lock.owner(place.lock)
    if holder is None or holder != (process or holder) or not _is_engine(holder):
        return False
    with suppress(ProcessLookupError):
        os.kill(holder, signal.SIGTERM if sys.platform == "win32" else signal.SIGKILL)
    return True


def _announce(place: Place, held: int, on_start: Callable[[], None]) -> None:
    try:
        on_start()
    except FimError:
        lock.remove(place.lock, held)
        raise


async def _start_or_tidy(options: EngineOptions, place: Place, held: int, command: Sequence[str]) -> None:
    try:
        await start(options, place, held, command)
    except (EngineUnavailable, asyncio.CancelledError):
        tidy(place)
        raise


async def _connected_to_living(place: Place) -> Line | None:
    """Return a line to the engine if it runs; one that runs and does not speak is ended, so that another can start."""
    try:
        return await _connected(place)
    except _Hung as error:
        if not kill(place):
            raise EngineUnavailable(str(error)) from error
        return None


async def _connected(place: Place) -> Line | None:
    """Return a line to the engine if there is one. Raises _Hung, and EngineUnavailable where the socket is not ours."""
    stands, door = socket_stands(place), read_door(place)
    if door is None or not (stands or door.port):
        return None
    try:
        if door.port:
            reader, writer = await asyncio.open_connection("127.0.0.1", door.port, limit=MAX_FRAME_BYTES)
        else:
            reader, writer = await asyncio.open_unix_connection(place.socket, limit=MAX_FRAME_BYTES)
    except OSError:
        return None  # a killed engine left it
    try:
        status = await _welcomed(reader, writer, door)
    except BaseException:
        writer.close()
        raise
    if status is None:
        writer.close()
        return None
    return Line(reader, writer, status, place)


async def _welcomed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, door: Door) -> EngineStatus | None:
    """Say hello and return the state the engine answers with; None where it closes the line, because it is ending."""
    if not is_ours(writer.get_extra_info("socket")):
        raise EngineUnavailable("The engine's socket belongs to another user, so it is not used.")
    try:
        writer.write(encode_frame({"type": "hello", "version": PROTOCOL_VERSION, "token": door.token}))
        welcome = decode_frame(await asyncio.wait_for(reader.readuntil(b"\n"), _WELCOME_S))
        return decode_status(take(welcome, "status", dict))
    except TimeoutError as error:
        raise _Hung("The engine does not answer. Run `fimserver engine stop`, then try again.") from error
    except (FrameBroken, asyncio.LimitOverrunError) as error:
        raise _Hung("The engine answers what is no answer. Run `fimserver engine stop`, then try again.") from error
    except (asyncio.IncompleteReadError, OSError):
        return None


def _locked(place: Place) -> int | None:
    try:
        held = lock.try_lock(place.lock)
    except OSError as error:
        raise EngineUnavailable(
            f"The lock {place.lock} cannot be used: {error.strerror or error}. Remove it."
        ) from error
    if held is not None:
        lock.sign(held, 0)  # a killed engine's number may stand there
    return held


def _is_engine(process: int) -> bool:
    """Return whether the process was started by us as an engine: a number alone may mean another one in a container."""
    try:
        return "--options" in psutil.Process(process).cmdline()
    except psutil.Error:
        return False
