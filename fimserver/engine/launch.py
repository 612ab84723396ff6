"""Find the engine for given options, or start it: exactly one, whoever asks at the same time.

Whoever gets the lock starts the engine, which inherits the lock and holds it until it dies; the others wait for its
door. So a lock that is free means that no engine runs, and whatever socket is left may be replaced.
"""

import asyncio
import json
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psutil

from fimserver.engine import lock
from fimserver.engine.interface import EngineStatus
from fimserver.engine.peer import is_ours
from fimserver.engine.place import Door, Place, place_of, read_door, socket_stands
from fimserver.engine.wire import (
    MAX_FRAME_BYTES,
    PROTOCOL_VERSION,
    EngineOptions,
    FrameBroken,
    decode_frame,
    decode_status,
    encode,
    encode_frame,
    take,
)
from fimserver.errors import EngineUnavailable, ModelBroken
from fimserver.files import private_folder

# -P: a package named fimserver in the current folder is not ours.
COMMAND = (sys.executable, "-P", "-m", "fimserver.engine")

_LOOK_AGAIN_S = 0.02

# The event loop of an engine answers in a millisecond; one that says nothing for so long is stopped or hangs.
_WELCOME_S = 5.0

# Time to save its state. The engine gives its worker less, so only one that hangs reaches this.
_STOP_S = 10.0

# The header of a GGUF: magic, version, two counts.
_GGUF_HEADER_BYTES = 24

# Of the last line an engine wrote, what fits a message.
_LAST_WORDS_BYTES = 8 * 1024
_LAST_WORDS_CHARACTERS = 300

# What an engine may know of its user's environment. Keys and tokens that stand there are not for it.
_ENVIRONMENT = frozenset(
    (
        *("PATH", "HOME", "USER", "LOGNAME", "LANG", "LANGUAGE", "TMPDIR", "TZ", "FIMSERVER_HOME"),
        *("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "OMP_NUM_THREADS"),
        *("SYSTEMROOT", "WINDIR", "TEMP", "TMP", "USERNAME", "USERPROFILE", "APPDATA", "LOCALAPPDATA", "PROGRAMDATA"),
    )
)
_ENVIRONMENT_PREFIXES = ("LC_", "XDG_", "GGML_", "GOMP_")


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


async def gone(place: Place) -> None:
    """Return once the engine that was told to stop is gone; it is killed if it takes its time."""
    with suppress(TimeoutError):
        async with asyncio.timeout(_STOP_S):
            while lock.owner(place.lock) is not None:  # noqa: ASYNC110 - it is another process: there is no event
                await asyncio.sleep(_LOOK_AGAIN_S)
        return
    kill(place)
    tidy(place)


async def find_or_start(
    options: EngineOptions,
    *,
    command: Sequence[str] = COMMAND,
    start_s: float = 20,
    on_start: Callable[[], None] = lambda: None,
) -> Line:
    """Return a line to the engine, started if need be. Raises ModelError, EngineUnavailable, RuntimeFolderUnsafe."""
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
                    on_start()
                    await _start(options, place, held, command)
                    started = True
    except TimeoutError as error:
        raise EngineUnavailable(
            f"The engine did not let us in within {start_s:g} s. Run `fimserver engine stop`, then try again."
        ) from error
    return line


def check_model(path: Path) -> None:
    """Refuse what cannot be a model before a process is started for it. Raises ModelMissing and ModelBroken."""
    try:
        is_file = stat.S_ISREG(path.stat().st_mode)
        header = path.open("rb").read(_GGUF_HEADER_BYTES) if is_file else b""
    except FileNotFoundError:
        return  # place_of says so
    except OSError as error:
        raise ModelBroken(f"The model file {path} cannot be read: {error.strerror or error}.") from error
    if len(header) < _GGUF_HEADER_BYTES or not header.startswith(b"GGUF"):
        raise ModelBroken(
            f"{path} is not a GGUF model file. Download it again, or choose another with the setting model.completion."
        )


def tidy(place: Place) -> None:
    """Remove what a killed engine has left behind, unless another one runs there already."""
    with suppress(EngineUnavailable):
        held = _locked(place)
        if held is not None:
            place.door.unlink(missing_ok=True)
            place.socket.unlink(missing_ok=True)
            lock.remove(place.lock, held)


def kill(place: Place) -> bool:
    """Kill the engine that holds the place, if it is sure to be one of ours. Return whether that was done."""
    process = lock.owner(place.lock)
    if process is None or not _is_engine(process):
        return False
    with suppress(ProcessLookupError):
        os.kill(process, signal.SIGTERM if sys.platform == "win32" else signal.SIGKILL)
    return True


def farewell(place: Place) -> str:
    """Return the sentence for an engine that is gone, with the last line it wrote."""
    try:
        lines = place.last_words.read_bytes()[-_LAST_WORDS_BYTES:].decode("utf-8", "replace").splitlines()
    except OSError:
        lines = []
    last = next((line.strip() for line in reversed(lines) if line.strip()), "")
    printable = "".join(character for character in last if character.isprintable())[:_LAST_WORDS_CHARACTERS]
    said = (
        f"Its last words: {printable}" if printable else "It said nothing: it may have been killed, or out of memory."
    )
    return f"The engine stopped unexpectedly. {said}"


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


async def _start(options: EngineOptions, place: Place, held: int, command: Sequence[str]) -> None:
    """Start the process and hand it the lock; return once its door is open. Raises EngineUnavailable."""
    arguments = [*command, "--options", json.dumps(encode(options))]
    try:
        words = _fresh_file(place.last_words)
        try:
            process = await _spawned(arguments, held, words)
        finally:
            os.close(words)
    except OSError as error:
        lock.remove(place.lock, held)
        raise EngineUnavailable(f"The engine cannot be started: {error.strerror or error}.") from error
    os.close(held)
    if sys.platform == "win32":
        return  # it cannot detach itself there, so it does not return either: its door says when it is ready
    try:
        code = await process.wait()
    except asyncio.CancelledError:
        os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
        raise
    if code:
        tidy(place)
        raise EngineUnavailable(farewell(place))


async def _spawned(arguments: Sequence[str], held: int, words: int) -> asyncio.subprocess.Process:
    """Return the process, cut loose from our terminal, folder and environment."""
    spawn = partial(
        asyncio.create_subprocess_exec,
        *arguments,
        stdin=subprocess.DEVNULL,
        stdout=words,
        stderr=words,
        env={name: value for name, value in os.environ.items() if _is_harmless(name)},
        cwd=Path.cwd().anchor,
    )
    if sys.platform == "win32":
        return await spawn(creationflags=subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.DETACHED_PROCESS)
    return await spawn("--lock", str(held), "--detach", start_new_session=True, pass_fds=(held,))


def _is_harmless(name: str) -> bool:
    return name.upper() in _ENVIRONMENT or name.startswith(_ENVIRONMENT_PREFIXES)


def _fresh_file(path: Path) -> int:
    """Return the descriptor of an empty private file. It is appended to, so that it can be cut while it is written."""
    private_folder(path.parent)
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)
    return os.open(path, flags, 0o600)


def _is_engine(process: int) -> bool:
    """Return whether the process was started by us as an engine: a number alone may mean another one in a container."""
    try:
        return "--options" in psutil.Process(process).cmdline()
    except psutil.Error:
        return False
