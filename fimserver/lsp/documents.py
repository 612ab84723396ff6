r"""Turn what the editor reports of its edits into documents, by the protocol's own line rules.

A text is kept as its lines, each with its terminator (`\n`, `\r\n` or `\r`), so that an edit costs its own lines only,
however long the file; the whole text is put together when somebody asks for it. A change that cannot be applied
exactly puts the document out of step: nothing is suggested in it until the editor sends it whole again, because a
suggestion for a wrong text is worse than none.
"""

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from lsprotocol.types import (
    Position,
    TextDocumentContentChangeEvent,
    TextDocumentContentChangePartial,
    TextDocumentContentChangeWholeDocument,
)

from fimserver.lsp.client import Encoding
from fimserver.lsp.convert import column_of, units_of
from fimserver.text import line_starts
from fimserver.values import Document

_log = logging.getLogger(__name__)

_SURROGATE = re.compile("[\ud800-\udfff]")


class CannotApply(Exception):
    """A change that does not fit the text it is meant for; the text says why."""


@dataclass(slots=True)
class _Open:
    """A document the editor has open. `lost` says why it is out of step, if it is."""

    language: str
    version: int
    lines: list[str]
    lost: str = ""
    snapshot: Document | None = None


class Documents:
    """All documents of an editor window."""

    def __init__(self, encoding: Encoding) -> None:
        self._encoding = encoding
        self._open: dict[str, _Open] = {}

    def get(self, uri: str) -> Document | None:
        """Return a document as it is now; None where the editor never opened it, or it is out of step."""
        entry = self._open.get(uri)
        if entry is None or entry.lost:
            return None
        if entry.snapshot is None:
            entry.snapshot = _snapshot(uri, entry)
        return entry.snapshot

    def why_not(self, uri: str) -> str:
        """Return the sentence that says why there is no such document."""
        entry = self._open.get(uri)
        if entry is None:
            return "The editor has not opened this document."
        return f"The text here is out of step with the editor's: {entry.lost}."

    def open(self, uri: str, language: str, version: int, text: str) -> None:
        """Take in a document that was opened, or sent whole again."""
        self._open[uri] = _Open(language, version, split_lines(text))

    def close(self, uri: str) -> None:
        """Forget a document."""
        self._open.pop(uri, None)

    def change(self, uri: str, version: int, changes: Sequence[TextDocumentContentChangeEvent]) -> None:
        """Apply changes in order, each to the text that the one before it left."""
        if uri not in self._open:
            self._open[uri] = _Open("", version, [""])
            self.lose_step(uri, "it was edited before it was opened")
        entry = self._open[uri]
        if version < entry.version:
            self.lose_step(uri, f"version {version} came after version {entry.version}")
        entry.version, entry.snapshot = version, None
        for change in changes:
            self._change(uri, entry, change)

    def lose_step(self, uri: str, why: str) -> None:
        """Suggest nothing in a document until it is sent whole."""
        entry = self._open.get(uri)
        if entry is not None and not entry.lost:
            entry.lost = why
            _log.warning("Nothing is suggested in %s until it is opened or sent whole again: %s.", uri, why)

    def _change(self, uri: str, entry: _Open, change: TextDocumentContentChangeEvent) -> None:
        if isinstance(change, TextDocumentContentChangeWholeDocument):
            entry.lines, entry.lost = split_lines(change.text), ""
        elif not entry.lost:
            try:
                apply_change(entry.lines, change, self._encoding)
            except CannotApply as reason:
                self.lose_step(uri, str(reason))


def split_lines(text: str) -> list[str]:
    r"""Return the lines of a text with their terminators; the last one has none and may be empty.

    >>> split_lines("a\r\nb\n")
    ['a\r\n', 'b\n', '']
    """
    starts = line_starts(text)
    return [text[start:end] for start, end in pairwise([*starts, len(text)])]


def apply_change(lines: list[str], change: TextDocumentContentChangePartial, encoding: Encoding) -> None:
    """Replace a range in a list of lines. Raises CannotApply for a range that is none."""
    start, end = change.range.start, change.range.end
    if (end.line, end.character) < (start.line, start.character):
        raise CannotApply(f"a range ends at {_shown(end)}, before its start {_shown(start)}")
    cuts = _cuts_character(lines, start, encoding) or _cuts_character(lines, end, encoding)
    if encoding == "utf-8" and cuts:
        raise CannotApply(f"the range from {_shown(start)} to {_shown(end)} cuts a character")
    if encoding == "utf-16" and (cuts or _SURROGATE.search(change.text)):
        _apply_in_units(lines, change)
    else:
        _splice(lines, _place(lines, start, encoding), _place(lines, end, encoding), change.text)


def _splice(lines: list[str], start: tuple[int, int], end: tuple[int, int], inserted: str) -> None:
    """Replace what lies between two places, given as line and column."""
    (first, first_column), (last, last_column) = start, end
    text = lines[first][:first_column] + inserted + lines[last][last_column:]
    if first and lines[first - 1].endswith("\r"):  # a `\r` and a `\n` that have come to meet are one line end
        first -= 1
        text = lines[first] + text
    fresh = split_lines(text)
    if last + 1 < len(lines):
        fresh.pop()  # the empty rest after the last line's terminator, where other lines follow
    lines[first : last + 1] = fresh


def _place(lines: list[str], position: Position, encoding: Encoding) -> tuple[int, int]:
    """Return the line and column of a position, clamped to the line's end or the text's end."""
    if position.line >= len(lines):
        return len(lines) - 1, len(lines[-1])
    line = lines[position.line].rstrip("\r\n")
    return position.line, column_of(line, position.character, encoding)


def _cuts_character(lines: list[str], position: Position, encoding: Encoding) -> bool:
    """Return whether a position lies between the bytes or the surrogates of one character."""
    line, column = _place(lines, position, encoding)
    text = lines[line]
    if encoding == "utf-32" or text.isascii() or line != position.line:
        return False
    return units_of(text[:column], encoding) != min(position.character, units_of(text.rstrip("\r\n"), encoding))


def _apply_in_units(lines: list[str], change: TextDocumentContentChangePartial) -> None:
    """Replace a range in a text of which each character is one UTF-16 unit, and join what has become pairs."""
    in_units = split_lines(_halved("".join(lines)))
    start, end = (_place(in_units, place, "utf-32") for place in (change.range.start, change.range.end))
    _splice(in_units, start, end, _halved(change.text))
    lines[:] = split_lines(_joined("".join(in_units)))


def _halved(text: str) -> str:
    """Return the text with every surrogate pair as two characters."""
    units = text.encode("utf-16-le", "surrogatepass")
    return "".join(chr(units[at] | units[at + 1] << 8) for at in range(0, len(units), 2))


def _joined(text: str) -> str:
    """Return the text with every two characters that are a surrogate pair as one."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def _snapshot(uri: str, entry: _Open) -> Document:
    starts = list(accumulate(map(len, entry.lines[:-1]), initial=0))
    text = "".join(entry.lines)
    try:
        text.encode()
    except UnicodeEncodeError:  # half a pair cannot be written as UTF-8; everybody else reads a mark of equal length
        text = _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", text)
    return Document(uri, entry.language, entry.version, text, starts)


def _shown(position: Position) -> str:
    return f"{position.line}:{position.character}"
