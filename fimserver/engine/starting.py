"""Start the engine process with the lock in its hands, and keep what it says to the last."""

import asyncio
import json
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from fimserver.engine.place import Place
from fimserver.engine.wire import EngineOptions, encode
from fimserver.errors import EngineUnavailable, ModelBroken
from fimserver.files import private_folder

# -P: a package named fimserver in the current folder is not ours.
COMMAND = (sys.executable, "-P", "-m", "fimserver.engine")

# The header of a GGUF: magic, version, two counts.
_GGUF_HEADER_BYTES = 24

# Of the last line an engine wrote, what fits a message.
_LAST_WORDS_BYTES = 8 * 1024
_LAST_WORDS_CHARACTERS = 300

# What an engine may know of its user's environment. Keys and tokens that stand there are not for it.
_ENVIRONMENT = frozenset(
    (
        *("PATH", "HOME", "USER", "LOGNAME", "LANG", "LANGUAGE", "TMPDIR", "TZ", "FIMSERVER_HOME", "PYTHONPATH"),
        *("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"),
        *("SYSTEMROOT", "WINDIR", "TEMP", "TMP", "USERNAME", "USERPROFILE", "APPDATA", "LOCALAPPDATA", "PROGRAMDATA"),
    )
)
_ENVIRONMENT_PREFIXES = ("LC_", "XDG_", "GGML_", "GOMP_", "OMP_", "CUDA_", "HIP_", "HSA_", "ROCR_", "VK_")


def check_model(path: Path) -> None:
    """Refuse what cannot be a model before a process is started for it. Raises ModelMissing and ModelBroken."""
    try:
        header = _first_bytes(path) if stat.S_ISREG(path.stat().st_mode) else b""
    except FileNotFoundError:
        return  # place_of says so
    except OSError as error:
        raise ModelBroken(f"The model file {path} cannot be read: {error.strerror or error}.") from error
    if len(header) < _GGUF_HEADER_BYTES or not header.startswith(b"GGUF"):
        raise ModelBroken(
            f"{path} is not a GGUF model file. Download it again, or choose another with the setting model.completion."
        )


async def start(options: EngineOptions, place: Place, held: int, command: Sequence[str]) -> None:
    """Start the process and hand it the lock; return once its door is open. Raises EngineUnavailable."""
    try:
        process = await _spawned([*command, "--options", json.dumps(encode(options))], place, held)
    except OSError as error:
        raise EngineUnavailable(f"The engine cannot be started: {error.strerror or error}.") from error
    finally:
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
        raise EngineUnavailable(farewell(place))


def farewell(place: Place, *, loading: bool = False) -> str:
    """Return the sentence for an engine that is gone, with the last line it wrote; `loading` blames the model."""
    try:
        lines = place.last_words.read_bytes()[-_LAST_WORDS_BYTES:].decode("utf-8", "replace").splitlines()
    except OSError:
        lines = []
    last = next((line.strip() for line in reversed(lines) if line.strip()), "")
    printable = "".join(character for character in last if character.isprintable())[:_LAST_WORDS_CHARACTERS]
    said = f"Its last words: {printable}" if printable else "It may have been killed, or the memory was full."
    when = f" while it was reading {place.model}" if loading else ""
    return f"The engine stopped unexpectedly{when}. {said}"


async def _spawned(arguments: Sequence[str], place: Place, held: int) -> asyncio.subprocess.Process:
    """Return the process, cut loose from our terminal, folder and environment."""
    words = _fresh_file(place.last_words)
    spawn = partial(
        asyncio.create_subprocess_exec,
        *arguments,
        stdin=subprocess.DEVNULL,
        stdout=words,
        stderr=words,
        env={name: value for name, value in os.environ.items() if _is_harmless(name)},
        cwd=place.lock.anchor,
    )
    try:
        if sys.platform == "win32":
            return await spawn(creationflags=subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.DETACHED_PROCESS)
        return await spawn("--lock", str(held), "--detach", start_new_session=True, pass_fds=(held,))
    finally:
        os.close(words)


def _is_harmless(name: str) -> bool:
    return name.upper() in _ENVIRONMENT or name.startswith(_ENVIRONMENT_PREFIXES)


def _fresh_file(path: Path) -> int:
    """Return the descriptor of an empty private file. It is appended to, so that it can be cut while it is written."""
    private_folder(path.parent)
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)
    return os.open(path, flags, 0o600)


def _first_bytes(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_GGUF_HEADER_BYTES)
