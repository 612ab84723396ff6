"""Look after what was accepted: does it still stand in its document some time later? Only the answer is kept."""

from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from fimserver.lsp.documents import Documents
from fimserver.lsp.offers import Record
from fimserver.settings import Settings
from fimserver.statistics.events import KEPT_AFTER_S, Event, Looked
from fimserver.statistics.kept import still_stands
from fimserver.values import Document


class Window(Protocol):
    """What is needed of a session."""

    documents: Documents

    @property
    def settings(self) -> Settings:
        """The settings of now."""
        ...

    def count(self, event: Event) -> None:
        """Take in what became of a suggestion."""
        ...

    def later(self, delay_s: float, do: Callable[[], Any]) -> Any:
        """Do something some time later."""
        ...


def look_after(window: Window, record: Record | None) -> None:
    """Look at a suggestion, some of which was accepted now, after each of KEPT_AFTER_S."""
    if record is None or not window.settings.privacy.statistics:
        return
    pieces = tuple(record.pieces)
    for after_s in KEPT_AFTER_S:
        window.later(after_s, partial(_look, window, record, pieces, after_s))


def _look(window: Window, record: Record, pieces: tuple[str, ...], after_s: int) -> None:
    """Tell whether all of it still stands: unless more was accepted since, or the document is closed."""
    document = window.documents.get(record.uri)
    if len(pieces) == len(record.pieces) and isinstance(document, Document):
        window.count(Looked(key=record.key, after_s=after_s, kept=still_stands(pieces, document.text)))
