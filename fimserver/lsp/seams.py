"""What a session needs of its neighbours: the completer above the engine, and the connection to the client."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from fimserver.complete.other_files import OtherFiles
from fimserver.engine.interface import Engine
from fimserver.settings import Settings
from fimserver.values import Completion, Document, Outcome, Span

if TYPE_CHECKING:
    from fimserver.complete.journal import Journal


class Completer(Protocol):
    """What is asked of `complete/completer.py`."""

    journal: "Journal"

    async def complete(
        self, document: Document, offset: int, *, invoked: bool = False, selected: tuple[Span, str] | None = None
    ) -> Outcome:
        """Return a suggestion or the reason why there is none. Cancelling the task cancels the work."""
        ...

    async def alternatives(self, document: Document, offset: int, to: Completion) -> tuple[Completion, ...]:
        """Return other suggestions for a place where one was asked for by hand. Cancelling ends the work."""
        ...

    def prepare_at(self, document: Document, offset: int) -> None:
        """Have the prompt for a cursor that has come to rest evaluated before the first key."""
        ...

    def use_settings(self, settings: Settings) -> None:
        """Follow changed settings."""
        ...

    def use_roots(self, roots: tuple[Path, ...]) -> None:
        """Follow changed workspace folders."""
        ...

    def forget(self, uri: str) -> None:
        """Drop what is kept of a closed document."""
        ...


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


class EngineFactory(Protocol):
    """Makes engines; none is started before it is asked."""

    def __call__(self, settings: Settings, *, chat: bool = False) -> Engine:
        """Return the engine of these settings: that of the completion model, or that of the chat model."""
        ...


CompleterFactory = Callable[[Engine, Settings, OtherFiles, tuple[Path, ...]], Completer]
