"""Gather what of other files should stand in a prompt: worked out in the background, read off here.

A request never waits for a file to be read. The thread behind a `Gatherer` keeps the index, follows the edits and finds
the best snippets for the place of the last request; `snippets` returns what is ready and settled.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from fimserver.retrieval.background import Background
from fimserver.retrieval.candidate import estimated_tokens
from fimserver.retrieval.exclude import IGNORE_FILES, Exclusion, Exclusions
from fimserver.retrieval.search import Found, Searcher
from fimserver.retrieval.settle import Settled, settled, within
from fimserver.settings import ContextSettings
from fimserver.uris import path_of
from fimserver.values import CursorContext, Document, Snippet

# A request may wait so long for an answer that is nearly ready.
_PATIENCE_S = 0.006

# Whoever asks for an explanation waits as long as it takes, within reason.
_EXPLANATION_S = 10.0

# Documents of which it is kept what was found for them.
_MOST_DOCUMENTS = 32

_Kept = TypeVar("_Kept")


@dataclass(frozen=True, slots=True)
class Explanation:
    """What would stand in a prompt, with its estimated tokens, and what was wanted and is excluded."""

    segments: tuple[tuple[Snippet, int], ...]
    excluded: tuple[tuple[Path, Exclusion], ...]


class Gatherer:
    """Finds context for all documents of one workspace. No method raises; all but `prepare` and `explain` are quick."""

    def __init__(self, roots: Sequence[Path], settings: ContextSettings) -> None:
        self.indexed = threading.Event()  # set when the index is up to date for the first time
        self._settings = settings
        self._roots = tuple(dict.fromkeys(root.resolve() for root in roots))
        self._exclusions = Exclusions(roots, settings)
        self._held: OrderedDict[str, Settled] = OrderedDict()
        self._found: OrderedDict[str, Found] = OrderedDict()
        self._changed: set[Path] = set()
        self._searcher: Searcher | None = None
        self._background = Background("fimserver-retrieval")
        self._background.submit("open", self._open)

    def close(self) -> None:
        """Stop the background thread and let go of the index."""
        self._background.close(self._close)

    def snippets(self, context: CursorContext, limit_tokens: int, *, paused: bool) -> tuple[Snippet, ...]:
        """Return what of other files should stand in the prompt at a cursor, the best last.

        While the user types on in one place this is always the same. When they have paused it is the best that is
        known, if that is clearly better than what is in use.
        """
        if not self._settings.other_files or limit_tokens <= 0:
            return ()
        uri, previous = context.document.uri, self._held.get(context.document.uri)
        if paused or previous is None or not previous.is_near(context.line):
            wait([self._search(context, limit_tokens)], timeout=_PATIENCE_S)
            candidates = self._found[uri].snippets if uri in self._found else ()
            previous = settled(previous, candidates, line=context.line, paused=paused)
            _keep(self._held, uri, previous)
        return within([snippet for snippet in previous.snippets if self._is_allowed(snippet)], limit_tokens)

    def prepare(self, context: CursorContext, limit_tokens: int, timeout_s: float = 1.0) -> None:
        """Wait until the best snippets for a cursor are known, so that `snippets` finds them."""
        wait([self._search(context, limit_tokens)], timeout=timeout_s)

    def changed(self, document: Document) -> None:
        """Take note of an edit; the index rests while the user types."""
        self._background.rest()
        self._submit(f"see {document.uri}", lambda searcher: searcher.see(document))

    def visited(self, document: Document) -> None:
        """Take note that the user looks at a document."""
        path = path_of(document.uri)
        self._submit(f"see {document.uri}", lambda searcher: searcher.see(document))
        if path is not None:
            self._background.submit(f"judge {path}", lambda: self._exclusions.by_name(path))

    def closed(self, uri: str) -> None:
        """Take note that a document was closed."""
        self._held.pop(uri, None)
        self._found.pop(uri, None)
        self._submit(f"forget {uri}", lambda searcher: searcher.forget(uri))

    def files_changed(self, paths: Iterable[Path]) -> None:
        """Take note that files were written, made or removed."""
        changed = list(paths)
        self._changed.update(changed)
        if any(path.name in IGNORE_FILES for path in changed):
            self._exclusions.forget()
            self._submit("refresh all", lambda searcher: self._background.work_through(searcher.project.refresh()))
        self._submit("refresh", self._refresh_changed)

    def excluded(self, path: Path) -> Exclusion | None:
        """Return why a file must not be used as context, and whether completion in it is forbidden too."""
        return self._exclusions.by_name(path)

    def explain(self, context: CursorContext, limit_tokens: int = 0) -> Explanation:
        """Return what would stand in the prompt at a cursor, and why, and what is excluded by which rule."""
        wait([self._search(context, limit_tokens or self._settings.max_tokens)], timeout=_EXPLANATION_S)
        found = self._found.get(context.document.uri, Found())
        segments = tuple((snippet, estimated_tokens(snippet.text)) for snippet in found.snippets)
        return Explanation(segments, found.refused)

    def _open(self) -> None:
        self._searcher = Searcher(self._roots, self._exclusions, notes=self._settings.notes)
        self._background.work_through(self._first_refresh(self._searcher))

    def _first_refresh(self, searcher: Searcher) -> Iterator[None]:
        yield from searcher.project.refresh()
        self.indexed.set()

    def _refresh_changed(self, searcher: Searcher) -> None:
        changed, self._changed = self._changed, set()
        self._background.work_through(searcher.project.refresh_files([_resolved(path) for path in changed]))

    def _close(self) -> None:
        if self._searcher is not None:
            self._searcher.project.close()

    def _search(self, context: CursorContext, limit_tokens: int) -> Future[None]:
        uri = context.document.uri

        def search(searcher: Searcher) -> None:
            _keep(self._found, uri, searcher.search(context, limit_tokens))

        return self._submit(f"search {uri}", search)

    def _submit(self, key: str, job: Callable[[Searcher], None]) -> Future[None]:
        """Have something done with the searcher, which the first job made."""
        return self._background.submit(key, lambda: job(self._searcher) if self._searcher is not None else None)

    def _is_allowed(self, snippet: Snippet) -> bool:
        """Tell whether the file of a snippet is still not excluded: the rules may have changed since it was found."""
        return any(self._exclusions.by_name(root / snippet.path) is None for root in self._roots)


def _resolved(path: Path) -> Path:
    """Return where a path leads; of one that was removed, its folder still counts."""
    try:
        return path.parent.resolve() / path.name
    except (OSError, RuntimeError):  # a loop of links
        return path


def _keep(kept: OrderedDict[str, _Kept], uri: str, value: _Kept) -> None:
    kept[uri] = value
    kept.move_to_end(uri)
    while len(kept) > _MOST_DOCUMENTS:
        kept.popitem(last=False)
