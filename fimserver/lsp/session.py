"""What one language server holds while it runs: its client, its settings, its documents, its completer and its status.

The handlers in completion.py, commands.py and handlers.py are functions over a session.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from fimserver.complete.journal import Entry
from fimserver.engine.client import EngineClient
from fimserver.engine.interface import Engine, EngineStatus
from fimserver.errors import EngineLoading, FimError, SettingsError
from fimserver.lsp import names
from fimserver.lsp.client import Client
from fimserver.lsp.configuration import settings_at_start, settings_while_running
from fimserver.lsp.documents import Documents
from fimserver.lsp.following import SettingsFile
from fimserver.lsp.offers import Offers
from fimserver.lsp.recent import Recent
from fimserver.lsp.seams import CompleterFactory, Connection, EngineFactory
from fimserver.lsp.status import Status, StatusReporter
from fimserver.lsp.workspace import Workspace
from fimserver.prompt.profile import profile_for
from fimserver.settings import Problem, Settings
from fimserver.statistics import events
from fimserver.statistics.recorder import Recorder
from fimserver.statistics.store import statistics_file
from fimserver.values import Reason, Rejection

if TYPE_CHECKING:
    from fimserver.lsp.findings import Shown

_log = logging.getLogger(__name__)

# A user who does not mend it at once is not told again and again.
_BETWEEN_TROUBLES_S = 300.0

# Answers that say nothing about the place they were asked for.
_PASSING = frozenset({Reason.DISPLACED, Reason.CANCELLED})

# Reasons that do not pass by themselves: the user is told, where there is no status item, too.
_TROUBLES = frozenset({Reason.ENGINE_UNAVAILABLE, Reason.ENGINE_REFUSED})

# How long the last counts may take to be written.
_LAST_COUNTS_S = 0.3

# How often the status item hears how far an engine is that is starting.
_STARTING_POLL_S = 0.25


class Session:
    """One editor window's server."""

    def __init__(
        self,
        connection: Connection,
        client: Client,
        settings: Settings,
        new_engine: EngineFactory,
        new_completer: CompleterFactory,
        followed: SettingsFile | None = None,
    ) -> None:
        self.connection = connection
        self.client = client
        self.workspace = Workspace(client.roots, settings)
        self.documents = Documents(client.encoding)
        self.offers = Offers(self.count)
        self._recorder = Recorder(statistics_file())
        self.recent = Recent(self._last_entries)
        self.reviews: dict[str, asyncio.Task[None]] = {}  # that run, by their document; "" is the whole repository
        self.findings: dict[str, list[Shown]] = {}  # that are shown, by their document
        self.working: dict[int | str, asyncio.Task[Any]] = {}  # by the token of the progress that is shown
        self._settings_at_start, self.settings_file = settings, followed
        self._configured: Any = None  # what the editor said of settings last
        self._new_engine, self._new_completer = new_engine, new_completer
        self._told: set[Problem] = set()
        self._told_trouble_s = -_BETWEEN_TROUBLES_S
        self._snooze_end: asyncio.TimerHandle | None = None
        self._background: set[asyncio.Task[Any]] = set()
        self._starting: asyncio.Task[None] | None = None
        self._chat_engine: Engine | None = None
        self._take_engine()
        self.status = StatusReporter(self._engine_status, self._send_status, wanted=client.wants_status)
        self._note_switched_off()
        self.tell_problems(self.workspace.problems)

    # Settings.

    @property
    def settings(self) -> Settings:
        """What the user and the editor want, as the workspace's own files narrow it."""
        return self.workspace.settings

    def configure(self, values: Any) -> None:
        """Follow what the editor says of settings now."""
        self._configured = values
        settings, problems = settings_while_running(self._settings_at_start, values)
        self.tell_problems(problems)
        if settings != self.workspace.wanted:
            self._want(settings)

    def follow_settings_file(self) -> None:
        """Take the user's settings file as it is by now. Another model or engine that it names answers from now on."""
        try:
            news = self.settings_file.news() if self.settings_file else None
        except SettingsError as error:
            self.tell_problems([str(error)])
            return
        if news is not None:
            before = self.settings
            self.tell_problems(news[1])
            self._settings_at_start, problems = settings_at_start(news[0], self.client.options)
            self.tell_problems(problems)
            self.configure(self._configured)
            self._change_engines(before)

    def set_enabled(self, enabled: bool) -> None:
        """Switch suggestions on or off until the editor's settings change. On ends a snooze, too."""
        self._end_snooze()
        wanted = self.workspace.wanted
        self._want(replace(wanted, completion=replace(wanted.completion, enabled=enabled)))

    def snooze(self, minutes: float) -> None:
        """Suggest nothing for some minutes; 0 ends that."""
        self._end_snooze()
        if minutes > 0:
            self._snooze_end = asyncio.get_running_loop().call_later(minutes * 60, self.snooze, 0)
        self._note_switched_off()

    def change_folders(self, added: Sequence[str], removed: Sequence[str]) -> None:
        """Follow workspace folders, as URIs, that were added or removed."""
        before = self.settings
        self.workspace.change_folders(added, removed)
        self.completer.use_roots(self.workspace.roots)
        self._follow(before)

    def files_changed(self, uris: Sequence[str]) -> None:
        """Follow files of the workspace that were written, made or removed."""
        before = self.settings
        self.workspace.files_changed(uris)
        self._follow(before)

    def _want(self, settings: Settings) -> None:
        before = self.settings
        self.workspace.want(settings)
        self._follow(before)

    def _follow(self, before: Settings) -> None:
        self.tell_problems(self.workspace.problems)
        if self.settings != before:
            self.completer.use_settings(self.settings)
        self._note_switched_off()

    def _end_snooze(self) -> None:
        if self._snooze_end is not None:
            self._snooze_end.cancel()
        self._snooze_end = None

    def _note_switched_off(self) -> None:
        if self._snooze_end is not None:
            self.status.off = "Suggestions are snoozed."
        elif self.settings.completion.enabled:
            self.status.off = ""
        else:
            by_workspace = " by the workspace's .fimserver.toml" if self.workspace.wanted.completion.enabled else ""
            self.status.off = f"Suggestions are switched off{by_workspace}."
        self.status.report()

    # The engine.

    def start_engine(self) -> None:
        """Let the engine load its model while the user is still reading. Once; later ones start with a request."""
        if self._starting is None and not self.status.off:
            self._starting = self.in_background(self._start_engine())

    @property
    def chat_engine(self) -> Engine:
        """The engine of the chat model, made when it is wanted first; where there is none it says why."""
        if self._chat_engine is None:
            self._chat_engine = self._new_engine(self.settings, chat=True)
        return self._chat_engine

    async def restart_engine(self) -> None:
        """Begin with new engines, made for the settings of now, and with nothing remembered.

        Our own engine processes are stopped for everybody who uses them. Raises FimError where that cannot be done.
        """
        old, chat, self._starting, self._chat_engine = self.engine, self._chat_engine, None, None
        for engine in (old, chat):
            if isinstance(engine, EngineClient):
                await engine.stop()
        self._take_engine()
        self.start_engine()
        for engine in (old, chat):
            if engine is not None:
                await engine.close()

    def _change_engines(self, before: Settings) -> None:
        """Take other engines where the settings name others now. What was asked of the old ones may still end."""
        changed_engine = self.settings.engine != before.engine
        if (changed_engine or self.settings.model.chat != before.model.chat) and self._chat_engine is not None:
            self.in_background(self._let_go(self._chat_engine, before))
            self._chat_engine = None
        old = replace(before.model, chat=self.settings.model.chat)
        if changed_engine or self.settings.model != old:
            self.in_background(self._let_go(self.engine, before))
            self._starting = None
            self._take_engine()
            self.start_engine()
            self.status.report()

    async def _let_go(self, engine: Engine, settings: Settings) -> None:
        """Let go of an engine once nobody waits for it; a process of ours ends then, unless another window uses it."""
        await asyncio.sleep(settings.completion.deadline_ms / 1_000)
        with suppress(FimError):  # nobody waits for it any more
            await (engine.leave() if isinstance(engine, EngineClient) else engine.close())

    async def close(self) -> None:
        """Let go of everything that outlives a request."""
        for task in self._background:
            task.cancel()
        self._recorder.close(_LAST_COUNTS_S)
        await self.recent.close()
        await self.engine.close()
        if self._chat_engine is not None:
            await self._chat_engine.close()

    def _last_entries(self) -> list[Entry]:
        return self.completer.journal.entries()  # of the completer of this moment: a restart makes another one

    def _take_engine(self) -> None:
        self.engine = self._new_engine(self.settings)
        workspace = self.workspace
        self.completer = self._new_completer(self.engine, self.settings, workspace.other_files, workspace.roots)

    async def _start_engine(self) -> None:
        try:
            while await self._is_loading():
                self.status.report()
                await asyncio.sleep(_STARTING_POLL_S)
            profile = profile_for(await self.engine.describe(), self.settings.model.profile)
            self.tell_problems([profile.caution] if profile.caution else [])
        except FimError as error:
            self.tell_trouble(str(error))
        self.status.report()

    async def _is_loading(self) -> bool:
        """Return whether the model is still being read, starting the engine if need be. Raises FimError."""
        try:
            await self.engine.describe()
        except EngineLoading:
            return True
        return False

    def _engine_status(self) -> EngineStatus:
        return self.engine.status()  # of the engine of this moment: after a restart it is another one

    # The client.

    def note_empty(self, rejection: Rejection) -> None:
        """Note that an answer is empty, and why."""
        if rejection.reason in _PASSING:
            return
        self.offers.note_empty()
        self.status.note(rejection)
        if rejection.reason in _TROUBLES:
            self.tell_trouble(rejection.detail)

    def count(self, event: events.Event) -> None:
        """Count what became of a suggestion, if the user likes that; nobody waits for it."""
        if self.settings.privacy.statistics:
            self._recorder.note(event)

    def later(self, delay_s: float, do: Callable[[], Any]) -> None:
        """Do something some time later, if the server is still there."""
        asyncio.get_running_loop().call_later(delay_s, do)

    def tell_problems(self, problems: Sequence[Problem]) -> None:
        """Show the user, in one message, what of the settings was not taken; each sentence once."""
        fresh = [problem for problem in problems if problem not in self._told]
        self._told.update(fresh)
        for problem in fresh:
            _log.warning("settings: %s", problem)
        if fresh:
            self.show_warning("fimserver settings: " + " ".join(fresh))

    def tell_trouble(self, sentence: str) -> None:
        """Show the user why there are no suggestions at all: at most once in five minutes."""
        now_s = time.monotonic()
        if sentence and now_s - self._told_trouble_s >= _BETWEEN_TROUBLES_S:
            self._told_trouble_s = now_s
            self.show_warning(f"fimserver: {sentence}")

    def show_warning(self, text: str) -> None:
        """Show the user a message."""
        message = types.ShowMessageParams(type=types.MessageType.Warning, message=text)
        self.connection.notify(types.WINDOW_SHOW_MESSAGE, message)

    async def ask(self, method: str, params: Any) -> Any:
        """Return the client's answer to a request; None where it refuses."""
        try:
            return await self.connection.ask(method, params)
        except JsonRpcException:
            _log.info("The client refused %s.", method)
            return None

    def in_background(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run something nobody waits for."""
        task = asyncio.ensure_future(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)
        return task

    def _send_status(self, status: Status) -> None:
        self.connection.notify(names.DID_CHANGE_STATUS, status.as_json())
