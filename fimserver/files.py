"""Where our own files live, and how they are written: whole or not at all.

`FIMSERVER_HOME` puts everything below one folder, for tests and for people who want to see all of it at once.
"""

import os
import stat
import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path

import platformdirs

from fimserver.errors import RuntimeFolderUnsafe

_APP = "fimserver"

# A Unix socket's path is limited to 108 bytes on Linux and 104 on macOS; our longest file name there is 32.
_LONGEST_RUNTIME_FOLDER = 70

# Mode of a file that is made for the user, and is not ours to hide.
_NEW_FILE_MODE = 0o644


def config_folder() -> Path:
    """Return the folder of settings the user writes."""
    return _below_home("config") or Path(platformdirs.user_config_dir(_APP, appauthor=False))


def state_folder() -> Path:
    """Return the folder of logs, statistics and dismissed findings."""
    return _below_home("state") or Path(platformdirs.user_state_dir(_APP, appauthor=False))


def cache_folder() -> Path:
    """Return the folder of what can be made again: indexes, saved KV state, measured speeds."""
    return _below_home("cache") or Path(platformdirs.user_cache_dir(_APP, appauthor=False))


def speeds_file() -> Path:
    """Return the file of what the engine has measured here; what is predicted of other models follows from it."""
    return cache_folder() / "speeds.json"


def models_folder() -> Path:
    """Return the folder into which models are downloaded."""
    return _below_home("models") or Path(platformdirs.user_data_dir(_APP, appauthor=False)) / "models"


def runtime_folder() -> Path:
    """Return the private folder of sockets and locks, made if need be.

    Raises RuntimeFolderUnsafe where it is a link, somebody else's, or cannot be made: a socket in a folder that others
    can write to would let them answer in the engine's place.
    """
    folder = _below_home("run") or _session_folder()
    if len(os.fsencode(folder)) > _LONGEST_RUNTIME_FOLDER:
        folder = Path(tempfile.gettempdir()) / f"{_APP}-{_user_number()}"
    try:
        return private_folder(folder)
    except OSError as error:
        raise RuntimeFolderUnsafe(
            f"The folder {folder} for sockets cannot be used: {error.strerror or error}. "
            f"Free some space or set FIMSERVER_HOME to a folder you can write to."
        ) from error


def _session_folder() -> Path:
    """Return the folder of this user's session, or the one that takes its place; platformdirs warns of that."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Path(platformdirs.user_runtime_dir(_APP, appauthor=False))


def private_folder(folder: Path) -> Path:
    """Return the folder, made with mode 0700 if it is missing. Raises RuntimeFolderUnsafe or OSError."""
    _make(folder)
    if sys.platform == "win32":
        return folder
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise RuntimeFolderUnsafe(f"{folder} is not a folder of yours. Remove it, or set FIMSERVER_HOME elsewhere.")
    if found.st_mode & 0o077:
        folder.chmod(0o700)
    return folder


def _make(folder: Path) -> None:
    """Make a folder with mode 0700, and so those missing above it, to which `Path.mkdir` gives another mode."""
    if not folder.is_dir():
        _make(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)


def write_atomically(path: Path, content: bytes | str) -> None:
    """Write a file so that readers see the old content or the new, never half. Mode 0600. Raises OSError."""
    payload = content.encode() if isinstance(content, str) else content
    _replace(path, lambda descriptor: _write_all(descriptor, payload))


def rewrite(path: Path, content: bytes | str) -> None:
    """Write a file of the user's whole or not at all. It keeps its mode, a link to it stays. Raises OSError."""
    file = path.resolve()
    mode = stat.S_IMODE(file.stat().st_mode) if file.exists() else _NEW_FILE_MODE
    write_atomically(file, content)
    file.chmod(mode)


def _replace(path: Path, fill: Callable[[int], None]) -> None:
    _make(path.parent)
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        try:
            fill(descriptor)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _write_all(descriptor: int, payload: bytes) -> None:
    view = memoryview(payload)
    while view:
        view = view[os.write(descriptor, view) :]


def _below_home(part: str) -> Path | None:
    home = os.environ.get("FIMSERVER_HOME")
    return Path(home).expanduser() / part if home else None


def _user_number() -> int:
    return os.getuid() if sys.platform != "win32" else 0
