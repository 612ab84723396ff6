"""What one language server holds while it runs: its client, its settings, its documents, its engines and its status.

The handlers in completion.py, commands.py and handlers.py are functions over a session. What it says to its user is in
warnings.py, when it suggests nothing in snooze.py, whom it asks in engines.py.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pygls.exceptions import JsonRpcException

from fimserver.complete.journal import Entry
from fimserver.engine.interface import Engine, EngineStatus
from fimserver.errors import FimError, SettingsError
from fimserver.lsp import names
from fimserver.lsp.client import Client
from fimserver.lsp.configuration import Wishes
from fimserver.lsp.documents import Documents
from fimserver.lsp.engines import Engines, let_go, loaded
from fimserver.lsp.following import SettingsFile
from fimserver.lsp.offers import Offers
from fimserver.lsp.recent import Recent
from fimserver.lsp.seams import Completer, CompleterFactory, Connection, EngineFactory
from fimserver.lsp.snooze import Snooze, why_off
from fimserver.lsp.status import Status, StatusReporter
from fimserver.lsp.warnings import Warnings
from fimserver.lsp.workspace import Workspace
from fimserver.prompt.profile import profile_for
from fimserver.settings import Settings
from fimserver.statistics import events
from fimserver.statistics.recorder import Recorder
from fimserver.statistics.store import statistics_file
from fimserver.values import Reason, Rejection

if TYPE_CHECKING:
    from fimserver.lsp.findings import Shown

_log = logging.getLogger(__name__)

# Answers that say nothing about the place they were asked for.
_PASSING = frozenset({Reason.DISPLACED, Reason.CANCELLED})

# Reasons that do not pass by themselves: the user is told, where there is no status item, too.
_TROUBLES = frozenset({Reason.ENGINE_UNAVAILABLE, Reason.ENGINE_REFUSED})

# How long the last counts may take to be written.
_LAST_COUNTS_S = 0.3


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
        self.warnings = Warnings(connection)
        self.workspace = Workspace(client.roots, settings)
        self.documents = Documents(client.encoding)
        self.offers = Offers(self.count)
        self.recent = Recent(self._last_entries)
        self.reviews: dict[str, asyncio.Task[None]] = {}  # that run, by their document; "" is the whole repository
        self.findings: dict[str, list[Shown]] = {}  # that are shown, by their document
        self.working: dict[int | str, asyncio.Task[Any]] = {}  # by the token of the progress that is shown
        self._recorder = Recorder(statistics_file())
        self.settings_file = followed
        self._wishes = Wishes(settings, followed, client.options)
        self._background: set[asyncio.Task[Any]] = set()
        self._starting: asyncio.Task[None] | None = None
        self._engines, self._new_completer = Engines(new_engine, self.settings), new_completer
        self.completer = self._completer()
        self._snooze = Snooze(on_end=self._note_switched_off)
        self.status = StatusReporter(self._engine_status, self._send_status, wanted=client.wants_status)
        self._note_switched_off()
        self.warnings.tell_problems(self.workspace.problems)

    # Settings.

    @property
    def settings(self) -> Settings:
        """What the user and the editor want, as the workspace's own files narrow it."""
        return self.workspace.settings

    def configure(self, values: Any) -> None:
        """Follow what the editor says of settings now."""
        settings, problems = self._wishes.configure(values)
        self.warnings.tell_problems(problems)
        self._want(settings)

    def follow_settings_file(self) -> None:
        """Take the user's settings file as it is by now. Another model or engine that it names answers from now on."""
        try:
            news = self._wishes.reread()
        except SettingsError as error:
            self.warnings.tell_problems([str(error)])
            return
        if news is not None:
            before, (settings, problems) = self.settings, news
            self.warnings.tell_problems(problems)
            self._want(settings)
            self._change_engines(before)

    def set_enabled(self, enabled: bool) -> None:
        """Switch suggestions on or off until the editor's settings change. On ends a snooze, too."""
        self._snooze.end()
        wanted = self.workspace.wanted
        self._want(replace(wanted, completion=replace(wanted.completion, enabled=enabled)))

    def snooze(self, minutes: float) -> None:
        """Suggest nothing for some minutes; 0 ends that."""
        self._snooze.begin(minutes)
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
        self.warnings.tell_problems(self.workspace.problems)
        if self.settings != before:
            self.completer.use_settings(self.settings)
        self._note_switched_off()

    def _note_switched_off(self) -> None:
        self.status.off = why_off(self._snooze, self.workspace)
        self.status.report()

    # The engines.

    @property
    def engine(self) -> Engine:
        """The engine of the completion model: after a restart it is another one."""
        return self._engines.completing

    @property
    def chat_engine(self) -> Engine:
        """The engine of the chat model; where there is none it says why."""
        return self._engines.chatting(self.settings)

    def start_engine(self) -> None:
        """Let the engine load its model while the user is still reading. Once; later ones start with a request."""
        if self._starting is None and not self.status.off:
            self._starting = self.in_background(self._start_engine())

    async def restart_engine(self) -> None:
        """Begin with new engines, made for the settings of now, and with nothing remembered.

        Our own engine processes are stopped for everybody who uses them. Raises FimError where that cannot be done.
        """
        await self._engines.stop()
        replaced = self._engines.begin_anew(self.settings)
        self._use_new_engine()
        for engine in replaced:
            await engine.close()

    def _change_engines(self, before: Settings) -> None:
        """Take other engines where the settings name others now. What was asked of the old ones may still end."""
        engine = self.engine
        for replaced in self._engines.follow(before, self.settings):
            self.in_background(let_go(replaced, after_s=before.completion.deadline_ms / 1_000))
        if self.engine is not engine:
            self._use_new_engine()
            self.status.report()

    def _use_new_engine(self) -> None:
        if self._starting is not None:
            self._starting.cancel()
            self._starting = None
        self.completer = self._completer()
        self.start_engine()

    async def _start_engine(self) -> None:
        try:
            facts = await loaded(self.engine, while_loading=self.status.report)
            profile = profile_for(facts, self.settings.model.profile)
            self.warnings.tell_problems([profile.caution] if profile.caution else [])
        except FimError as error:
            self.warnings.tell_trouble(str(error))
        self.status.report()

    def _completer(self) -> Completer:
        workspace = self.workspace
        return self._new_completer(self.engine, self.settings, workspace.other_files, workspace.roots)

    def _engine_status(self) -> EngineStatus:
        return self.engine.status()  # of the engine of this moment

    def _last_entries(self) -> list[Entry]:
        return self.completer.journal.entries()  # of the completer of this moment

    # The client.

    def note_empty(self, rejection: Rejection) -> None:
        """Note that an answer is empty, and why."""
        if rejection.reason in _PASSING:
            return
        self.offers.note_empty()
        self.status.note(rejection)
        if rejection.reason in _TROUBLES:
            self.warnings.tell_trouble(rejection.detail)

    def count(self, event: events.Event) -> None:
        """Count what became of a suggestion, if the user likes that; nobody waits for it."""
        if self.settings.privacy.statistics:
            self._recorder.note(event)

    async def ask(self, method: str, params: Any) -> Any:
        """Return the client's answer to a request; None where it refuses."""
        try:
            return await self.connection.ask(method, params)
        except JsonRpcException:
            _log.info("The client refused %s.", method)
            return None

    def _send_status(self, status: Status) -> None:
        self.connection.notify(names.DID_CHANGE_STATUS, status.as_json())

    # What nobody waits for.

    def later(self, delay_s: float, do: Callable[[], Any]) -> None:
        """Do something some time later, if the server is still there."""
        asyncio.get_running_loop().call_later(delay_s, do)

    def in_background(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run something until the server ends."""
        task = asyncio.ensure_future(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)
        return task

    async def close(self) -> None:
        """Let go of everything that outlives a request."""
        for task in self._background:
            task.cancel()
        self._recorder.close(_LAST_COUNTS_S)
        await self.recent.close()
        await self._engines.close()
