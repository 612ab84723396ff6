"""Let one process at a time own a path. The system frees the lock when its owner dies, however it dies."""

import os
import sys
from contextlib import suppress
from pathlib import Path

if sys.platform == "win32":
    import msvcrt

    def _lock_now(descriptor: int) -> bool:
        # Far behind the text: Windows forbids others to read a locked byte, and the owner's number is to be read.
        os.lseek(descriptor, 1_000, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
else:
    import fcntl

    def _lock_now(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True


def try_lock(path: Path) -> int | None:
    """Return the descriptor that holds the lock, or None where somebody else has it. Raises OSError.

    On Unix a child that inherits the descriptor holds the lock too: it is free once all of them are closed.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
    if _lock_now(descriptor) and is_at(path, descriptor):
        return descriptor
    os.close(descriptor)
    return None


def is_at(path: Path, descriptor: int) -> bool:
    """Return whether the path still names the open file: a lock on one that was removed since excludes nobody."""
    try:
        return os.path.samestat(path.stat(follow_symlinks=False), os.fstat(descriptor))
    except OSError:
        return False


def sign(descriptor: int, process: int) -> None:
    """Write the owner's process number into the lock it holds; 0 takes it out."""
    os.ftruncate(descriptor, 0)
    os.lseek(descriptor, 0, os.SEEK_SET)
    os.write(descriptor, f"{process}\n".encode() if process else b"")


def owner(path: Path) -> int | None:
    """Return the process that holds the lock and has signed it; None where it is free or not signed yet."""
    try:
        descriptor = try_lock(path) if path.exists() else None
        if descriptor is not None:
            remove(path, descriptor)
            return None
        return int(path.read_text("ascii"))
    except (OSError, ValueError):
        return None


def remove(path: Path, descriptor: int) -> None:
    """Give the lock back and leave no file behind."""
    if sys.platform != "win32" and is_at(path, descriptor):
        path.unlink()
    os.close(descriptor)
    if sys.platform == "win32":
        with suppress(OSError):  # somebody else has opened it meanwhile
            path.unlink()
