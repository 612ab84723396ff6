"""Turn a source text into what retrieval knows of it: its outline, and chunks that end where definitions end."""

from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from fimserver.errors import FileUnsuitable
from fimserver.retrieval.outline import Outline, outline_of
from fimserver.retrieval.places import read_source
from fimserver.syntax.languages import language_named
from fimserver.syntax.tree import parse_text
from fimserver.text import line_starts
from fimserver.values import Document, Span

# A chunk says something at 12 lines and costs a prompt some 300 tokens at 36.
_SHORTEST_CHUNK_LINES = 12
_LONGEST_CHUNK_LINES = 36

# A parse holds other threads up: longer texts are cut at empty lines, without a tree.
_LONGEST_PARSED = 400_000

# What is kept of the files read last, in characters.
_KEPT_CHARACTERS = 6_000_000


@dataclass(frozen=True, slots=True)
class Facts:
    """One version of a source text, outlined and cut into chunks."""

    text: str
    language: str
    outline: Outline
    chunks: tuple[Span, ...]


def facts_of(text: str, language: str) -> Facts:
    """Return the facts of a text; without an outline where its language is unknown or the text too long."""
    known = language_named(language)
    tree = parse_text(text, known, giving_way=True) if known and len(text) <= _LONGEST_PARSED else None
    outline = outline_of(tree) if tree else Outline()
    starts = [definition.start for definition in outline.definitions]
    return Facts(text, language, outline, tuple(chunks_of(text, starts)))


def chunks_of(text: str, boundaries: Sequence[int]) -> Iterator[Span]:
    """Cut a text into chunks of whole lines, at the first of the boundaries that is far enough from the last cut.

    Where none is near, an empty line will do, or at last any.
    """
    starts = line_starts(text)
    marked = sorted({_line_of(starts, offset) for offset in boundaries})
    line = 0
    while line < len(starts):
        end = _next_cut(text, starts, marked, line)
        span = Span(starts[line], starts[end] if end < len(starts) else len(text))
        if text[span.start : span.end].strip():
            yield span
        line = end


def _next_cut(text: str, starts: Sequence[int], marked: Sequence[int], line: int) -> int:
    """Return the line at which the chunk that begins at a line ends."""
    first, last = line + _SHORTEST_CHUNK_LINES, line + _LONGEST_CHUNK_LINES
    if last >= len(starts):
        return len(starts)
    found = bisect_left(marked, first)
    if found < len(marked) and marked[found] <= last:
        return marked[found]
    empty = text.rfind("\n\n", starts[first], starts[last])
    return _line_of(starts, empty) + 1 if empty >= 0 else last


def _line_of(starts: Sequence[int], offset: int) -> int:
    line = bisect_left(starts, offset)
    return line if line < len(starts) and starts[line] == offset else line - 1


class FactsKeeper:
    """The facts of the files read last. One thread uses it."""

    def __init__(self, language_of: Callable[[Path], str]) -> None:
        self._language_of = language_of
        self._kept: OrderedDict[Path, tuple[object, Facts]] = OrderedDict()
        self._characters = 0

    def of_file(self, path: Path) -> Facts | None:
        """Return the facts of a file as it is on disk; None where it is gone or unsuitable."""
        try:
            found = path.stat()
            return self._kept_or_made(path, (found.st_mtime_ns, found.st_size), lambda: read_source(path))
        except (OSError, FileUnsuitable):
            return None

    def of_document(self, path: Path, document: Document) -> Facts:
        """Return the facts of a file as it is in the editor."""
        return self._kept_or_made(path, document, lambda: document.text)

    def _kept_or_made(self, path: Path, stamp: object, read: Callable[[], str]) -> Facts:
        known = self._kept.get(path)
        if known is not None and (known[0] is stamp or known[0] == stamp):
            self._kept.move_to_end(path)
            return known[1]
        facts = facts_of(read(), self._language_of(path))
        self._characters += len(facts.text) - (len(known[1].text) if known else 0)
        self._kept[path] = stamp, facts
        while self._characters > _KEPT_CHARACTERS and len(self._kept) > 1:
            _, (_, dropped) = self._kept.popitem(last=False)
            self._characters -= len(dropped.text)
        return facts
