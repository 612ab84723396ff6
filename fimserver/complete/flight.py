"""One generation on its way, and the requests that wait for it.

A generation outlives the request that began it: while the user types what the model is writing, each new request
joins the flight of the one before, and nothing is asked twice.
"""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

from fimserver.complete.cache import surroundings
from fimserver.complete.landing import Landing
from fimserver.complete.stream import Written
from fimserver.values import CursorContext

# An editor cancels the request of the key before some milliseconds before it sends the next. A generation that nobody
# waits for goes on that long, so that the next request can join it. The engine must be idle 100 ms after a cancel.
_LINGER_S = 0.05


class Flight:
    """A generation and the place it was started from.

    `_line` is what the model has written so far, as it stands from the start of the cursor's line on.
    """

    def __init__(self, context: CursorContext, run: Callable[["Flight"], Coroutine[Any, Any, Landing]]) -> None:
        self.context = context
        self.went_elsewhere = False  # than the user, who had joined it before it wrote that
        self._written = Written(text="")
        self._line = "" if context.blank_prefix else context.line_prefix
        self._typed = context.line_prefix
        self._waiting = 0
        self._kept = False
        self._whole_line = asyncio.Event()
        self._task = asyncio.create_task(run(self))

    @property
    def over(self) -> bool:
        """True once it has landed or was cancelled."""
        return self._task.done()

    def grow(self, written: Written) -> None:
        """Take note of what the model has written; end the flight if the user meanwhile typed something else."""
        self._written = written
        self._line = ("" if self.context.blank_prefix else self.context.line_prefix) + written.text
        if "\n" in written.text.lstrip("\n"):
            self._whole_line.set()
        if not _agree(self._line, self._typed):
            self.went_elsewhere = True
            self._task.cancel()

    def whole_lines(self) -> Written:
        """Return what the model has written so far, without its last, unfinished line."""
        text = self._written.text
        return replace(self._written, text=text[: text.rindex("\n")], ended=False)

    def join(self, context: CursorContext) -> bool:
        """Say whether the flight still goes where the user goes; if so it now follows this cursor."""
        typed = context.document.text[self.context.line_start : context.offset]
        start = self.context.line_start
        if self.over or context.line_start < start or surroundings(context, start) != surroundings(self.context, start):
            return False
        self._typed = typed
        return _agree(self._line, typed)

    async def land(self, deadline_s: float) -> Landing | None:
        """Wait for the outcome; None if the flight was cancelled, or at the deadline once a whole line is written.

        When the last request that waits is cancelled, the flight ends soon after.
        """
        self._waiting += 1
        try:
            await asyncio.wait({self._task}, timeout=deadline_s)
            if not self._task.done():
                await self._first_line_or_landing()
        finally:
            self._waiting -= 1
            if not self._task.done():
                asyncio.get_running_loop().call_later(_LINGER_S, self._end_if_unwatched)
        return self._task.result() if self._task.done() and not self._task.cancelled() else None

    def keep(self) -> None:
        """Go on though nobody waits: a part is shown, the rest is for the next request."""
        self._kept = True

    def abandon(self) -> None:
        """End the generation soon, without waiting."""
        self._task.cancel()

    async def cancel(self) -> None:
        """End the generation and wait until the engine has been told."""
        if not self.over:
            self._task.cancel()
            await asyncio.wait({self._task})

    async def _first_line_or_landing(self) -> None:
        line = asyncio.create_task(self._whole_line.wait())
        try:
            await asyncio.wait({self._task, line}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            line.cancel()

    def _end_if_unwatched(self) -> None:
        if not self._waiting and not self._kept:
            self._task.cancel()


def _agree(written: str, typed: str) -> bool:
    """Say whether one text goes on where the other ends; white space alone on a line is the editor's guess."""
    return not typed.strip() or written.startswith(typed) or typed.startswith(written)
