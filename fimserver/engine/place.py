"""Say where the engine for given options is found: one for each user, model file and way of running it."""

import getpass
import hashlib
import json
import os
import stat
import sys
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from fimserver import __version__
from fimserver.engine.wire import PROTOCOL_VERSION, EngineOptions
from fimserver.errors import EngineUnavailable, ModelMissing
from fimserver.files import runtime_folder, state_folder, write_atomically

# 48 bits: enough to tell a person's engines apart, short enough for a socket's path.
_KEY_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Place:
    """The files of one engine. The lock is held for the engine's whole life, so it is free where there is none."""

    socket: Path
    lock: Path
    door: Path
    last_words: Path  # what the process wrote to standard error, kept when it is gone
    model: Path = field(compare=False)  # as it was named: a link to it is the same engine's


@dataclass(frozen=True, slots=True)
class Door:
    """How to come in. Port 0 is the Unix socket; every other port is on the loopback address."""

    port: int
    token: str


def place_of(options: EngineOptions) -> Place:
    """Return where the engine for these options is, or would be. Raises ModelMissing and RuntimeFolderUnsafe."""
    name = f"engine-{_key(options)}"
    folder = runtime_folder()
    return Place(
        socket=folder / f"{name}.sock",
        lock=folder / f"{name}.lock",
        door=folder / f"{name}.door",
        last_words=state_folder() / f"{name}.stderr",
        model=Path(options.model_path),
    )


def write_door(place: Place, door: Door) -> None:
    """Tell clients how to come in. Raises OSError."""
    write_atomically(place.door, f"{door.port} {door.token}\n")


def read_door(place: Place) -> Door | None:
    """Return how to come in; None where no engine has said so."""
    try:
        port, token = place.door.read_text("ascii").split()
        return Door(int(port), token)
    except (OSError, ValueError):
        return None


def socket_stands(place: Place) -> bool:
    """Return whether a socket of ours is there: one that answers, or one that a killed engine has left.

    Raises EngineUnavailable where something stands there that we would not have made: a link, a folder, or anything of
    another user. Everything else may be replaced.
    """
    try:
        found = place.socket.lstat()
    except FileNotFoundError:
        return False
    foreign = sys.platform != "win32" and found.st_uid != os.geteuid()
    if foreign or stat.S_ISLNK(found.st_mode) or stat.S_ISDIR(found.st_mode):
        raise EngineUnavailable(f"{place.socket} was not made by fimserver, so it is not used. Remove it.")
    return stat.S_ISSOCK(found.st_mode)


def _key(options: EngineOptions) -> str:
    """Return a short hash of everything two clients must agree on to share an engine.

    A model file that was replaced is another model, and an upgraded program does not meet engines of the older one.
    How long an idle engine stays is no reason for a second one.
    """
    model = Path(options.model_path)
    try:
        found = model.stat()
    except OSError as error:
        raise ModelMissing(
            f"There is no model file {model}. Choose another with the setting model.completion, "
            f"or leave that empty for the embedded one."
        ) from error
    agreed = (
        PROTOCOL_VERSION,
        __version__,
        getpass.getuser() if sys.platform == "win32" else os.getuid(),
        found.st_size,
        found.st_mtime_ns,
        asdict(replace(options, model_path=str(model.resolve()), idle_s=0)),
    )
    return hashlib.sha256(json.dumps(agreed).encode()).hexdigest()[:_KEY_DIGITS]
