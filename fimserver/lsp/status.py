"""Turn what has just happened into the one line an editor shows: kind, busy, message, and the command that helps.

It is sent to clients that understand it: those that announce `experimental.fimserver.status`, and those that have sent
one of our own notifications. Others would write a line to their log for every key.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from fimserver.engine.interface import EngineState, EngineStatus
from fimserver.lsp import names
from fimserver.values import Reason, Rejection

# What is answered sooner needs no sign that something is going on.
_BUSY_AFTER_S = 0.1


class Kind(StrEnum):
    """How grave it is."""

    NORMAL = "Normal"
    WARNING = "Warning"
    ERROR = "Error"
    INACTIVE = "Inactive"


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """What the editor's status item shows."""

    kind: Kind
    busy: bool
    message: str
    reason: Reason | None = None  # why the last answer was empty
    command: str | None = None  # one of ours that helps

    def as_json(self) -> dict[str, Any]:
        """Return the parameters of the notification."""
        command = {"title": _TITLES[self.command], "command": self.command} if self.command else None
        return {
            "kind": self.kind.value,
            "busy": self.busy,
            "message": self.message,
            "reason": self.reason.value if self.reason else None,
            "command": command,
        }


_TITLES = {names.RESTART_ENGINE: "Restart the engine", names.WHY: "Why?", names.SET_ENABLED: "Switch on"}

_OF_ENGINE = {
    EngineState.ABSENT: (Kind.NORMAL, "The engine starts with the first suggestion."),
    EngineState.STARTING: (Kind.NORMAL, "The engine is starting."),
    EngineState.LOADING: (Kind.NORMAL, "The model is being loaded"),
    EngineState.READY: (Kind.NORMAL, "Ready."),
    EngineState.FAILED: (Kind.ERROR, "The engine failed"),
}


def describe(engine: EngineStatus, *, asking: bool, off: str, last: Rejection | None) -> Status:
    """Return a server's status: `off` says why nothing is suggested at all, `last` why the last answer was empty."""
    if off:
        return Status(kind=Kind.INACTIVE, busy=False, message=off, command=names.SET_ENABLED)
    kind, message = _OF_ENGINE[engine.state]
    starting = engine.state in (EngineState.STARTING, EngineState.LOADING)
    if engine.state is EngineState.LOADING:
        message += f": {engine.percent} %."
    if engine.state is EngineState.READY and engine.message:
        message = engine.message  # where text goes, or what was done without
    if engine.state is EngineState.FAILED:
        message = engine.message or f"{message}."
        return Status(kind=kind, busy=False, message=message, command=names.RESTART_ENGINE)
    if last is None:
        return Status(kind=kind, busy=asking or starting, message=message)
    return Status(kind=kind, busy=asking or starting, message=message, reason=last.reason, command=names.WHY)


@dataclass(slots=True)
class StatusReporter:
    """Remembers what the status is made of and sends it when it has changed."""

    engine: Callable[[], EngineStatus]
    send: Callable[[Status], None]
    wanted: bool = False
    off: str = ""
    last: Rejection | None = None
    _asking: int = 0
    _sent: Status | None = None

    def now(self) -> Status:
        """Return the status."""
        return describe(self.engine(), asking=self._asking > 0, off=self.off, last=self.last)

    def report(self) -> None:
        """Send the status if it has changed since it was sent last and the client understands it."""
        if self.wanted and (status := self.now()) != self._sent:
            self._sent = status
            self.send(status)

    def want(self) -> None:
        """Note that the client understands the status."""
        self.wanted = True
        self.report()

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Be busy while a suggestion is made, and say so of one that takes a while."""
        self._asking += 1
        soon = asyncio.get_running_loop().call_later(_BUSY_AFTER_S, self.report)
        try:
            yield
        finally:
            soon.cancel()
            self._asking -= 1
            self.report()

    def note(self, last: Rejection | None) -> None:
        """Note why the last answer was empty; None where it was not."""
        self.last = last
        self.report()
