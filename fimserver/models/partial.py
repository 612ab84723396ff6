"""Turn bytes that come in pieces, over several runs, into a file whose SHA-256 is right, or into no file at all.

The bytes grow in `<sha256>.part` beside the target, under a lock that dies with its owner; a run that was killed loses
what was on its way and nothing else. The file gets its name only once all of it, read back from the disk, has the
right hash.
"""

import errno
import hashlib
import os
import shutil
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from fimserver.engine.lock import remove, try_lock
from fimserver.errors import ModelBroken, ModelError

# A system with less space left than this misbehaves in other ways.
_FREE_AFTERWARDS_BYTES = 256 * 1024 * 1024

# Parts nobody came back for within two weeks are forgotten downloads.
_FORGOTTEN_AFTER_S = 14 * 24 * 3600


class PartialFile:
    """The growing file, open while this is entered."""

    def __init__(self, target: Path, sha256: str, size_bytes: int) -> None:
        self._target = target
        self._sha256 = sha256
        self._size_bytes = size_bytes
        self.path = target.parent / f"{sha256}.part"
        self._lock_path = target.parent / f"{sha256}.lock"
        self._lock = -1
        self._descriptor = -1

    def __enter__(self) -> Self:
        """Take the lock and open the file. Raises ModelError where another process has it, or the disk is too small."""
        try:
            self._target.parent.mkdir(parents=True, exist_ok=True)
            lock = try_lock(self._lock_path)
            if lock is None:
                raise ModelError(f"{self._target.name} is being downloaded by another process. Wait for it to finish.")
            self._lock = lock
            self._descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600)
        except OSError as error:
            self._let_go()
            raise ModelError(f"{self._target.parent} cannot be written to: {error.strerror or error}.") from error
        try:
            if self.length > self._size_bytes:
                self.start_again()
            self._check_space()
        except ModelError:
            self._let_go()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file and give the lock back."""
        self._let_go()

    @property
    def length(self) -> int:
        """Return how many bytes are there, from this run and earlier ones."""
        return os.fstat(self._descriptor).st_size

    @property
    def missing_bytes(self) -> int:
        """Return how many bytes are still to come."""
        return self._size_bytes - self.length

    def append(self, piece: bytes) -> None:
        """Write what came. Raises ModelError where the disk is full, or where more came than belongs to the file."""
        if len(piece) > self.missing_bytes:
            self.start_again()
            raise ModelBroken(f"More bytes came for {self._target.name} than it has. Try again later.")
        try:
            os.lseek(self._descriptor, 0, os.SEEK_END)
            view = memoryview(piece)
            while view:
                view = view[os.write(self._descriptor, view) :]
        except OSError as error:
            raise self._write_failure(error) from error

    def start_again(self) -> None:
        """Throw away what is there."""
        os.ftruncate(self._descriptor, 0)

    def finish(self) -> Path:
        """Check the hash and give the file its name. Raises ModelBroken, and removes the bytes, where it is wrong."""
        with suppress(OSError):  # some file systems cannot; the hash is read back all the same
            os.fsync(self._descriptor)
        with self.path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != self._sha256:
            self.start_again()
            raise ModelBroken(
                f"The bytes that came for {self._target.name} are not those that were published: their SHA-256 is "
                f"{found}, not {self._sha256}. They were removed. Pull it again, or choose another source."
            )
        self._close()
        self.path.replace(self._target)
        return self._target

    def _check_space(self) -> None:
        free = shutil.disk_usage(self._target.parent).free
        wanted = self.missing_bytes + _FREE_AFTERWARDS_BYTES
        if free < wanted:
            raise ModelError(
                f"{self._target.name} needs {gigabytes(self.missing_bytes)} more in {self._target.parent}, where "
                f"{gigabytes(free)} are free. Free {gigabytes(wanted - free)}, or choose another folder with --to."
            )

    def _write_failure(self, error: OSError) -> ModelError:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return ModelError(
                f"The disk of {self._target.parent} is full. Free {gigabytes(self.missing_bytes)} and run the same "
                f"command again: it goes on from {gigabytes(self.length)}."
            )
        return ModelError(f"{self.path} cannot be written: {error.strerror or error}.")

    def _close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _let_go(self) -> None:
        self._close()
        if self._lock >= 0:
            remove(self._lock_path, self._lock)
            self._lock = -1


def remove_forgotten(folder: Path, now_s: float | None = None) -> list[Path]:
    """Remove parts that nobody has written to for two weeks; return them."""
    oldest = (now_s or time.time()) - _FORGOTTEN_AFTER_S
    forgotten = [part for part in folder.glob("**/*.part") if part.stat().st_mtime < oldest]
    for part in forgotten:
        part.unlink(missing_ok=True)
    return forgotten


def gigabytes(count: float) -> str:
    """Return a number of bytes as people read it.

    >>> gigabytes(1_646_552_080)
    '1.65 GB'
    >>> gigabytes(531_050)
    '0.5 MB'
    """
    return f"{count / 1e9:.2f} GB" if count >= 1e8 else f"{count / 1e6:.1f} MB"
