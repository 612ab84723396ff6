"""What one language server holds while it runs: its client, its settings, its documents, its completer and its status.

The handlers in completion.py, commands.py and server.py are functions over a session.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from fimserver.engine.interface import Engine, EngineState, EngineStatus
from fimserver.lsp import names
from fimserver.lsp.client import Client
from fimserver.lsp.configuration import settings_while_running
from fimserver.lsp.documents import Documents
from fimserver.lsp.status import Status, StatusReporter
from fimserver.settings import Problem, Settings
from fimserver.uris import path_of
from fimserver.values import Document, Outcome, Span

if TYPE_CHECKING:
    from fimserver.complete.journal import Journal

_log = logging.getLogger(__name__)

# How often the state of an engine that is starting is looked at, for the status item's percentage.
_STARTING_POLL_S = 0.25

EngineFactory = Callable[[Settings], Engine]


class Completer(Protocol):
    """What the server asks of `complete/completer.py`."""

    journal: "Journal"

    async def complete(
        self, document: Document, offset: int, *, invoked: bool = False, selected: tuple[Span, str] | None = None
    ) -> Outcome:
        """Return a suggestion or the reason why there is none. Cancelling the task cancels the work."""
        ...

    def use_settings(self, settings: Settings) -> None:
        """Follow changed settings."""
        ...

    def accepted(self, completion_id: str) -> None:
        """Note that a suggestion was taken whole."""
        ...

    def forget(self, uri: str) -> None:
        """Drop what is kept of a closed document."""
        ...


CompleterFactory = Callable[[Engine, Settings, tuple[Path, ...]], Completer]


class Connection(Protocol):
    """What a session may do to its client and to the process it runs in."""

    def notify(self, method: str, params: Any | None = None) -> None:
        """Send a notification."""
        ...

    async def ask(self, method: str, params: Any) -> Any:
        """Send a request and return its result. Raises JsonRpcException where the client refuses."""
        ...

    def cancel(self, message_id: int | str) -> None:
        """Answer a live request as cancelled, and stop its work."""
        ...

    def shut_down(self) -> None:
        """Cancel all live requests and refuse new ones."""
        ...

    def leave(self) -> None:
        """End the process, with the exit code the protocol asks for."""
        ...


class Session:
    """One editor window's server."""

    def __init__(
        self,
        connection: Connection,
        client: Client,
        settings: Settings,
        new_engine: EngineFactory,
        new_completer: CompleterFactory,
    ) -> None:
        self.connection = connection
        self.client = client
        self.settings = settings
        self.documents = Documents(client.encoding)
        self._settings_at_start = settings
        self._new_engine, self._new_completer = new_engine, new_completer
        self._roots = tuple(path for root in client.roots if (path := path_of(root)) is not None)
        self._told: set[Problem] = set()
        self._waking: asyncio.TimerHandle | None = None
        self._background: set[asyncio.Task[Any]] = set()
        self._start_engine()
        self.status = StatusReporter(self._engine_status, self._send_status, wanted=client.wants_status)
        self._note_switched_off()

    def configure(self, values: Any) -> None:
        """Follow what the editor says of settings now."""
        settings, problems = settings_while_running(self._settings_at_start, values)
        self.tell_problems(problems)
        if settings != self.settings:
            self.settings = settings
            self.completer.use_settings(settings)
            self._note_switched_off()

    def tell_problems(self, problems: Sequence[Problem]) -> None:
        """Show the user, in one message, what of the settings was not taken; each sentence once."""
        fresh = [problem for problem in problems if problem not in self._told]
        self._told.update(fresh)
        for problem in fresh:
            _log.warning("settings: %s", problem)
        if fresh:
            self.show_warning("fimserver settings: " + " ".join(fresh))

    def show_warning(self, text: str) -> None:
        """Show the user a message."""
        self.connection.notify(
            types.WINDOW_SHOW_MESSAGE, types.ShowMessageParams(type=types.MessageType.Warning, message=text)
        )

    def set_enabled(self, enabled: bool) -> None:
        """Switch suggestions on or off until the editor's settings change. On ends a snooze, too."""
        self._end_snooze()
        self.settings = replace(self.settings, completion=replace(self.settings.completion, enabled=enabled))
        self.completer.use_settings(self.settings)
        self._note_switched_off()

    def snooze(self, minutes: float) -> None:
        """Suggest nothing for some minutes; 0 ends that."""
        self._end_snooze()
        if minutes > 0:
            self._waking = asyncio.get_running_loop().call_later(minutes * 60, self.snooze, 0)
        self._note_switched_off()

    async def restart_engine(self) -> None:
        """Let go of the engine and start with a new one, and with nothing remembered."""
        old = self.engine
        self._start_engine()
        self.status.report()
        await old.close()

    async def close(self) -> None:
        """Let go of everything that outlives a request."""
        for task in self._background:
            task.cancel()
        await self.engine.close()

    async def ask(self, method: str, params: Any) -> Any:
        """Return the client's answer to a request; None where it refuses."""
        try:
            return await self.connection.ask(method, params)
        except JsonRpcException:
            _log.info("The client refused %s.", method)
            return None

    def in_background(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something nobody waits for."""
        task = asyncio.ensure_future(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    def follow_engine(self) -> None:
        """Keep the status up to date while the engine is starting."""
        if self.status.wanted and not self._following and self._is_engine_starting():
            self.in_background(self._follow_engine())

    async def _follow_engine(self) -> None:
        self._following = True
        while self._is_engine_starting():
            self.status.report()
            await asyncio.sleep(_STARTING_POLL_S)
        self._following = False
        self.status.report()

    def _engine_status(self) -> EngineStatus:
        return self.engine.status()  # of the engine of this moment: it may be another one after a restart

    def _is_engine_starting(self) -> bool:
        return self.engine.status().state in (EngineState.STARTING, EngineState.LOADING)

    def _start_engine(self) -> None:
        self._following = False
        self.engine = self._new_engine(self.settings)
        self.completer = self._new_completer(self.engine, self.settings, self._roots)

    def _end_snooze(self) -> None:
        if self._waking is not None:
            self._waking.cancel()
        self._waking = None

    def _note_switched_off(self) -> None:
        if self._waking is not None:
            self.status.off = "Suggestions are snoozed."
        elif not self.settings.completion.enabled:
            self.status.off = "Suggestions are switched off."
        else:
            self.status.off = ""
        self.status.report()

    def _send_status(self, status: Status) -> None:
        self.connection.notify(names.DID_CHANGE_STATUS, status.as_json())
