"""Say in a sentence why nothing is suggested at all: the user wants none for a while, or it is switched off."""

import asyncio
from collections.abc import Callable

from fimserver.lsp.workspace import Workspace


class Snooze:
    """A time without suggestions, which ends by itself."""

    def __init__(self, on_end: Callable[[], None]) -> None:
        self._on_end = on_end
        self._timer: asyncio.TimerHandle | None = None

    @property
    def lasts(self) -> bool:
        """True while nothing is wanted."""
        return self._timer is not None

    def begin(self, minutes: float) -> None:
        """Let it last for some minutes from now; 0 ends it."""
        self.end()
        if minutes > 0:
            self._timer = asyncio.get_running_loop().call_later(minutes * 60, self._end_by_itself)

    def end(self) -> None:
        """End it before its time."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None

    def _end_by_itself(self) -> None:
        self._timer = None
        self._on_end()


def why_off(snooze: Snooze, workspace: Workspace) -> str:
    """Return why nothing is suggested; an empty text where suggestions are wanted."""
    if snooze.lasts:
        return "Suggestions are snoozed."
    if workspace.settings.completion.enabled:
        return ""
    by_workspace = " by the workspace's .fimserver.toml" if workspace.wanted.completion.enabled else ""
    return f"Suggestions are switched off{by_workspace}."
