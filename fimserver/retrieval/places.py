"""Turn a path into its name in the workspace, and a file into text fit for a prompt."""

import os
import stat
from pathlib import Path

from fimserver.errors import FileUnsuitable

# Larger sources are generated or data; the longest hand-written ones in CPython, LLVM and TypeScript stay below.
LARGEST_FILE_BYTES = 1_000_000

# Where a NUL byte stands in a binary file it stands near the beginning; git looks at as much.
_PROBE_BYTES = 8_000

# Code that is read by people has shorter lines in the mean; a minified file is one line.
_LONGEST_MEAN_LINE = 400


def root_of(path: Path, roots: tuple[Path, ...]) -> Path | None:
    """Return the innermost root that holds a path."""
    return max((root for root in roots if path.is_relative_to(root)), key=lambda root: len(root.parts), default=None)


def name_below(path: Path, roots: tuple[Path, ...]) -> str:
    """Return a path as it is written in a prompt: relative to its root, `/` between parts."""
    root = root_of(path, roots)
    return path.relative_to(root).as_posix() if root else path.name


def read_source(path: Path) -> str:
    """Return the text of a source file.

    Raises FileUnsuitable, whose text is the reason, for what is too large, binary, not UTF-8, minified, not a regular
    file, or unreadable. A pipe or device is never opened.
    """
    try:
        return _checked_text(_bounded_content(path))
    except OSError as error:
        raise FileUnsuitable(f"cannot be read: {error.strerror or error}") from error


def _bounded_content(path: Path) -> bytes:
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):
        raise FileUnsuitable("not a regular file")
    if found.st_size > LARGEST_FILE_BYTES:
        raise FileUnsuitable(f"larger than {LARGEST_FILE_BYTES:,} bytes")
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0))
    with os.fdopen(descriptor, "rb") as file:
        return file.read(LARGEST_FILE_BYTES)


def _checked_text(content: bytes) -> str:
    if b"\0" in content[:_PROBE_BYTES]:
        raise FileUnsuitable("binary")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise FileUnsuitable("not UTF-8 text") from None
    if len(text) > _LONGEST_MEAN_LINE * (text.count("\n") + 1):
        raise FileUnsuitable("minified")
    return text
