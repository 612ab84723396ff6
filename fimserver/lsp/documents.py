"""Keep the documents an editor has open, each as it is now.

A change that cannot be applied exactly puts its document out of step: nothing is suggested in it until the editor sends
it whole again, because a suggestion for a wrong text is worse than none.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from lsprotocol.types import TextDocumentContentChangeEvent, TextDocumentContentChangeWholeDocument

from fimserver.complete.allowed import LARGEST_FILE_CHARACTERS, TOO_LARGE, is_too_large
from fimserver.context.notebook import Whole, whole_notebook
from fimserver.lsp.client import Encoding
from fimserver.lsp.edits import SURROGATE, CannotApply, Place, apply_change, split_lines
from fimserver.lsp.notebooks import Notebooks
from fimserver.values import Document, Reason, Rejection, Span

_log = logging.getLogger(__name__)

_NEVER_OPENED = Rejection(reason=Reason.UNKNOWN_DOCUMENT, detail="The editor has not opened this document.")
_TOO_LARGE = Rejection(reason=Reason.UNSUITABLE_FILE, detail=f"It is {TOO_LARGE}.")


@dataclass(slots=True)
class _Open:
    """A document the editor has open: its lines (see edits.py), or why we do not have them."""

    language: str
    version: int
    lines: list[str]
    missing: Rejection | None = None
    snapshot: Document | None = None

    def lose(self, why: Rejection) -> None:
        """Let go of the text."""
        self.lines, self.missing, self.snapshot = [""], why, None


class Documents:
    """All documents of an editor window."""

    def __init__(self, encoding: Encoding) -> None:
        self.notebooks = Notebooks()
        self._encoding = encoding
        self._open: dict[str, _Open] = {}

    def get(self, uri: str) -> Document | Rejection:
        """Return a document as it is now, or why nothing can be suggested in it."""
        entry = self._open.get(uri)
        if entry is None:
            return _NEVER_OPENED
        if entry.missing is None:
            entry.snapshot = entry.snapshot or _snapshot(uri, entry)
            if is_too_large(len(entry.snapshot.text), len(entry.lines)):
                entry.lose(_TOO_LARGE)
        return entry.missing or entry.snapshot or _NEVER_OPENED

    def whole(self, document: Document) -> Whole:
        """Return what an open document is completed in: all of its notebook where it is a cell, else itself."""
        notebook = self.notebooks.notebook_of(document.uri)
        if notebook is None:
            return Whole(document)
        cells = self.notebooks.cells_of(notebook)
        here = cells.index(document.uri)
        return whole_notebook(notebook, self._known(cells[:here]), document, self._known(cells[here + 1 :]))

    def open(self, uri: str, language: str, version: int, text: str) -> None:
        """Take in a document that was opened, or sent whole again."""
        self._open[uri] = _opened(language, version, text)

    def close(self, uri: str) -> None:
        """Forget a document."""
        self._open.pop(uri, None)

    def change(self, uri: str, version: int, changes: Sequence[TextDocumentContentChangeEvent]) -> None:
        """Apply changes in order, each to the text that the one before it left."""
        if uri not in self._open:
            self._open[uri] = _opened("", version, "")
            self.lose_step(uri, "it was edited before it was opened")
        entry = self._open[uri]
        if version < entry.version:
            self.lose_step(uri, f"version {version} came after version {entry.version}")
        before, entry.version, entry.snapshot = entry.snapshot, version, None
        places = [self._change(uri, change) for change in changes]
        if before is not None and len(places) == 1 and places[0] is not None:  # as nearly every key
            first, last = (before.starts[line] + column for line, column in places[0])
            entry.snapshot = replace(before.edited(Span(first, last), changes[0].text), version=version)

    def lose_step(self, uri: str, why: str) -> None:
        """Suggest nothing in a document, or in any cell of a notebook, until it is sent whole."""
        for each in (uri, *self.notebooks.cells_of(uri)):
            entry = self._open.get(each)
            if entry is not None and entry.missing is None:
                entry.lose(Rejection(reason=Reason.UNKNOWN_DOCUMENT, detail=f"The text here is out of step: {why}."))
                _log.warning("Nothing is suggested in %s until it is opened or sent whole again: %s.", each, why)

    def _known(self, uris: Sequence[str]) -> list[Document]:
        return [document for uri in uris if isinstance(document := self.get(uri), Document)]

    def _change(self, uri: str, change: TextDocumentContentChangeEvent) -> tuple[Place, Place] | None:
        """Apply a change; return where it began and ended if the last snapshot can be edited in the same way."""
        entry = self._open[uri]
        if isinstance(change, TextDocumentContentChangeWholeDocument):
            self._open[uri] = _opened(entry.language, entry.version, change.text)
        elif entry.missing is None:
            try:
                return apply_change(entry.lines, change, self._encoding)
            except CannotApply as reason:
                self.lose_step(uri, str(reason))
        return None


def _opened(language: str, version: int, text: str) -> _Open:
    lines = split_lines(text) if len(text) <= LARGEST_FILE_CHARACTERS else []
    if is_too_large(len(text), len(lines)):
        return _Open(language, version, [""], _TOO_LARGE)
    return _Open(language, version, lines)


def _snapshot(uri: str, entry: _Open) -> Document:
    starts = list(accumulate(map(len, entry.lines[:-1]), initial=0))
    text = "".join(entry.lines)
    try:
        _ = text.isascii() or text.encode()  # the first is known of a text without a look at it
    except UnicodeEncodeError:  # half a pair cannot be written as UTF-8; everybody else reads a mark of equal length
        text = SURROGATE.sub("\N{REPLACEMENT CHARACTER}", text)
    return Document(uri, entry.language, entry.version, text, starts)
