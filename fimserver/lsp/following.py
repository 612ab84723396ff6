"""Notice that the user's settings file was written, and read it anew.

`fimserver use` writes it, and so does a person. It is looked at when the user does something, at the cost of asking for
its date: no timer wakes a computer that nobody uses.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from fimserver.settings import Problem, Settings

Reread = Callable[[], tuple[Settings, Sequence[Problem]]]


class SettingsFile:
    """The user's settings file, as it was when it was read last."""

    def __init__(self, path: Path, reread: Reread) -> None:
        """Begin with the file as it is now; `reread` returns what it says, or raises SettingsError."""
        self.path = path
        self._reread = reread
        self._seen = self._mark()

    def news(self) -> tuple[Settings, Sequence[Problem]] | None:
        """Return the settings, and what is wrong with them, if the file was written since; None where it was not.

        Raises SettingsError, once, where it cannot be read any more: while somebody edits it, say.
        """
        mark = self._mark()
        if mark == self._seen:
            return None
        self._seen = mark
        return self._reread()

    def _mark(self) -> tuple[int, int, int]:
        """Return what differs once the file was written: when, how long it is, and which file it is."""
        try:
            found = self.path.stat()
        except OSError:
            return (0, 0, 0)
        return (found.st_mtime_ns, found.st_size, found.st_ino)
