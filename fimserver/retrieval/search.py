"""Find the best snippets for a cursor; all of it happens in the background thread."""

import time
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from fimserver.retrieval.candidate import Candidate, best_snippets
from fimserver.retrieval.exclude import Exclusion, Exclusions
from fimserver.retrieval.facts import Facts, facts_of
from fimserver.retrieval.places import name_below
from fimserver.retrieval.project import Project
from fimserver.retrieval.query import Diagnostic, Query, query_at
from fimserver.retrieval.recent import Ring, after_edit
from fimserver.retrieval.sources import SOURCES
from fimserver.uris import path_of
from fimserver.values import CursorContext, Document, Snippet

# No search takes longer; what was found by then has to do.
_LONGEST_SEARCH_S = 1.5

# Documents whose last version is kept, to see what was edited.
_MOST_DOCUMENTS = 32


@dataclass(frozen=True, slots=True)
class Found:
    """The best snippets for a cursor, the best last, and what was wanted and is excluded."""

    snippets: tuple[Snippet, ...] = ()
    refused: tuple[tuple[Path, Exclusion], ...] = ()


class Searcher:
    """The project and the traces of the user's work in it. One thread uses it, and makes it."""

    def __init__(self, roots: tuple[Path, ...], exclusions: Exclusions, *, notes: bool) -> None:
        self.project = Project(roots, exclusions, notes=notes)
        self._ring: Ring = ()
        self._documents: OrderedDict[str, Document] = OrderedDict()
        self._diagnostics: dict[str, Sequence[Diagnostic]] = {}
        self._facts: tuple[Document, Facts] | None = None

    def see(self, document: Document) -> None:
        """Take note of a document as it is in the editor now."""
        known = self._documents.get(document.uri)
        if known is not None:
            self._ring = after_edit(self._ring, known, document)
        if known is None or known.text != document.text:
            self._diagnostics.pop(document.uri, None)  # they were said of another text
        self._documents[document.uri] = document
        self._documents.move_to_end(document.uri)
        while len(self._documents) > _MOST_DOCUMENTS:
            self._documents.popitem(last=False)
        if (path := _resolved(document.uri)) is not None:
            self.project.opened(path, document)

    def diagnosed(self, document: Document, diagnostics: Sequence[Diagnostic]) -> None:
        """Take note of what is said of a document as it is; it is forgotten with the next edit."""
        self.see(document)
        self._diagnostics[document.uri] = diagnostics

    def documents(self) -> list[Document]:
        """Return the documents that are open, the one looked at last at the end."""
        return list(self._documents.values())

    def forget(self, uri: str) -> None:
        """Take note that a document was closed: its file is what is on disk."""
        self._documents.pop(uri, None)
        self._diagnostics.pop(uri, None)
        if (path := _resolved(uri)) is not None:
            self.project.closed(path)

    def search(self, context: CursorContext, limit_tokens: int) -> Found:
        """Return the best snippets for a cursor that fit a number of tokens."""
        self.project.refused.clear()
        query = self.query(context)
        snippets = best_snippets(_in_time(candidates(query, self.project)), limit_tokens, self.name_of)
        return Found(tuple(snippets), tuple(self.project.refused.items()))

    def query(self, context: CursorContext) -> Query:
        """Return what to look for at a cursor."""
        document = context.document
        said = self._diagnostics.get(document.uri, ())
        return query_at(context, _resolved(document.uri), self._facts_of(document), self._ring, said)

    def name_of(self, path: Path) -> str:
        """Return a path as a prompt names it."""
        return name_below(path, self.project.roots)

    def _facts_of(self, document: Document) -> Facts:
        if self._facts is None or self._facts[0] is not document:
            self._facts = document, facts_of(document.text, document.language)
        return self._facts[1]


def candidates(query: Query, project: Project) -> Iterator[Candidate]:
    """Yield what all sources offer."""
    return (candidate for source in SOURCES.values() for candidate in source(query, project))


def _in_time(offered: Iterator[Candidate]) -> Iterator[Candidate]:
    give_up_s = time.monotonic() + _LONGEST_SEARCH_S
    return takewhile(lambda _: time.monotonic() < give_up_s, offered)


def _resolved(uri: str) -> Path | None:
    path = path_of(uri)
    try:
        return path.resolve() if path else None
    except (OSError, RuntimeError):  # a loop of links
        return None
