"""Keep the file of this server's last requests up to date: soon after each, and never on a request's way."""

import asyncio
from collections.abc import Callable, Sequence

from fimserver.complete.journal import Entry
from fimserver.recent import remove_recent, write_recent

# Whoever looks has to change windows first.
_SOON_S = 1.0


class Recent:
    """Writes the journal's places and reasons, at most once a second."""

    def __init__(self, entries: Callable[[], Sequence[Entry]]) -> None:
        self._entries = entries
        self._soon: asyncio.TimerHandle | None = None
        self._writing: asyncio.Future[None] | None = None

    def note(self) -> None:
        """Write soon: a request is over."""
        if self._soon is None:
            self._soon = asyncio.get_running_loop().call_later(_SOON_S, self._write)

    async def close(self) -> None:
        """Remove the file: what this server remembers goes with it."""
        if self._soon is not None:
            self._soon.cancel()
        if self._writing is not None:
            await self._writing
        remove_recent()

    def _write(self) -> None:
        self._soon = None
        rows = [entry.without_text() for entry in self._entries()]
        self._writing = asyncio.get_running_loop().run_in_executor(None, write_recent, rows)
