"""An index of one workspace root: which chunks are like a text, which files define a name or are called so.

`refresh` brings it up to date in small steps, for a thread that has nothing better to do. The index lives on disk, one
file for each root in the cache folder; without a disk it answers nothing, and nobody is bothered.
"""

import hashlib
import logging
import sqlite3
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from fimserver.errors import FileUnsuitable, FimError
from fimserver.files import cache_folder
from fimserver.retrieval.bm25 import affordable, best_chunks, posting
from fimserver.retrieval.exclude import Exclusions
from fimserver.retrieval.facts import Facts, facts_of
from fimserver.retrieval.outline import Outline
from fimserver.retrieval.places import read_source
from fimserver.retrieval.scan import MANIFESTS, FoundFile, found_file, found_files
from fimserver.retrieval.store import Batch, FileRow, Store
from fimserver.retrieval.terms import term_counts
from fimserver.syntax.languages import language_of_path

_log = logging.getLogger(__name__)

# What is held back before it is written: some 30 MB of lists.
_POSTINGS_AT_A_TIME = 600_000

# However many files define a name (`__init__`, `main`) or are called so (`package.json`), no more are read.
_MOST_DEFINING = 64
_MOST_NAMED = 500

# Up to half of the chunks that score may belong to older versions of their files.
_DEAD_SHARE = 2

_Answer = TypeVar("_Answer")


@dataclass(frozen=True, slots=True)
class Hit:
    """A chunk that is like the query: the `chunk`-th of a file as it was indexed."""

    path: Path
    chunk: int
    score: float


class Index:
    """The index of one root. One thread uses it."""

    def __init__(self, root: Path, exclusions: Exclusions) -> None:
        self.root = root
        self._exclusions = exclusions
        self._refreshing = False
        self._store = _opened(root)

    def close(self) -> None:
        """Let go of the file."""
        if self._store is not None:
            self._store.close()
            self._store = None

    def refresh(self, changed: Iterable[str] | None = None) -> Iterator[None]:
        """Bring the index up to date with the disk, a file at each step; only for the changed names where given.

        Of two at a time the second waits: each numbers what it writes from where the last one ended.
        """
        while self._refreshing:
            yield
        if self._store is None or not self._store.writable:
            return
        self._refreshing = True
        try:
            yield from (
                _all_changes(self._store, self.root, self._exclusions)
                if changed is None
                else _some_changes(self._store, self.root, self._exclusions, changed)
            )
            if self._store.needs_compacting():
                yield from self._store.compact()
        except sqlite3.Error as error:
            self._give_up(error)
        finally:
            self._refreshing = False

    def similar(self, weights: Mapping[int, float], limit: int) -> list[Hit]:
        """Return the chunks most like a text whose terms have these weights, best first."""
        return self._answer(lambda store: list(self._similar(store, weights, limit)))

    def defining(self, name: str) -> list[Path]:
        """Return the files that define a name; none where so many do that it says nothing."""
        found = self._answer(lambda store: store.files_defining(name, _MOST_DEFINING + 1))
        return [self.root / row.path for row in found] if len(found) <= _MOST_DEFINING else []

    def named(self, name: str) -> list[Path]:
        """Return the files whose last part is this name, the first of very many."""
        found = self._answer(lambda store: store.files_named(name, _MOST_NAMED))
        return [self.root / row.path for row in found]

    def frequencies(self, terms: Sequence[int]) -> dict[int, int]:
        """Return in how many chunks each term stands."""
        return dict(self._answer(lambda store: list(store.frequencies(terms).items())))

    def totals(self) -> tuple[int, int]:
        """Return the numbers of files and chunks."""
        return tuple(self._answer(lambda store: list(store.totals()))) or (0, 0)  # type: ignore[return-value]

    def size_bytes(self) -> int:
        """Return how much of the disk the index takes."""
        return self._store.path.stat().st_size if self._store is not None else 0

    def _similar(self, store: Store, weights: Mapping[int, float], limit: int) -> Iterator[Hit]:
        found = store.postings(affordable(weights, store.frequencies(list(weights))))
        postings = ((weights[term], numbers) for term, numbers in found.items())
        for chunk, score in best_chunks(postings, store.chunks(), limit * _DEAD_SHARE):
            row = store.file_of_chunk(chunk)
            if row is not None:
                yield Hit(self.root / row.path, chunk - row.first_chunk, score)
                limit -= 1
                if not limit:
                    return

    def _answer(self, ask: Callable[[Store], list[_Answer]]) -> list[_Answer]:
        try:
            return ask(self._store) if self._store is not None else []
        except sqlite3.Error as error:
            self._give_up(error)
            return []

    def _give_up(self, error: sqlite3.Error) -> None:
        _log.warning("The index of %s cannot be used: %s. Other files are found by imports only.", self.root, error)
        self.close()


def _all_changes(store: Store, root: Path, exclusions: Exclusions) -> Iterator[None]:
    """Index what is new or changed below the root, and forget what is gone."""
    pending, unchanged = _Pending(store), set[int]()
    for found in found_files(root, exclusions):
        row = store.file_at(found.name) if found else None
        if found and row and (row.modified_ns, row.size) == (found.modified_ns, found.size):
            unchanged.add(row.number)
        elif found:
            pending.add_file(root, found)
        yield
    kept = unchanged | pending.numbers
    pending.write()
    store.remove([row.path for row in store.files() if row.number not in kept])


def _some_changes(store: Store, root: Path, exclusions: Exclusions, names: Iterable[str]) -> Iterator[None]:
    pending, gone = _Pending(store), []
    for name in names:
        found = found_file(root, name, exclusions)
        if found is None or not pending.add_file(root, found):
            gone.append(name)
        yield
    pending.write()
    store.remove(gone)


class _Pending:
    """What was indexed and is not written yet."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._next_file, self._next_chunk = store.unused()
        self.numbers = set[int]()
        self._empty()

    def add_file(self, root: Path, found: FoundFile) -> bool:
        """Index a file; False where it holds no text fit for a prompt."""
        path = root / found.name
        try:
            text = read_source(path)
        except FileUnsuitable:
            return False
        if path.name in MANIFESTS:
            self._add(found, Facts(text, "", Outline(), ()))
        else:
            language = language_of_path(path)
            self._add(found, facts_of(text, language.id if language else ""))
        if self._count >= _POSTINGS_AT_A_TIME:
            self.write()
        return True

    def write(self) -> None:
        """Write what is pending."""
        if self._files:
            batch = Batch(self._next_file, self._next_chunk, self._files, self._symbols, self._postings)
            self._store.write(batch)
            self._empty()

    def _empty(self) -> None:
        self._files: list[FileRow] = []
        self._symbols: list[tuple[str, int]] = []
        self._postings: dict[int, array[int]] = {}
        self._count = 0

    def _add(self, found: FoundFile, facts: Facts) -> None:
        number, first = self._next_file, self._next_chunk
        for chunk, span in enumerate(facts.chunks, first):
            self._add_chunk(chunk, term_counts(facts.text[span.start : span.end]))
        names = {name for definition in facts.outline.definitions for name in definition.names}
        self._symbols += [(name, number) for name in names]
        self._files.append(FileRow(number, found.name, found.modified_ns, found.size, first, len(facts.chunks)))
        self.numbers.add(number)
        self._next_file, self._next_chunk = number + 1, first + len(facts.chunks)

    def _add_chunk(self, chunk: int, counts: Mapping[int, int]) -> None:
        length = sum(counts.values())
        for term, times in counts.items():
            numbers = self._postings.get(term)
            if numbers is None:
                numbers = self._postings[term] = array("I")
            numbers.append(posting(chunk, times, length))
        self._count += len(counts)


def _opened(root: Path) -> Store | None:
    name = hashlib.sha256(str(root).encode("utf-8", "surrogateescape")).hexdigest()[:16]
    try:
        return Store(cache_folder() / "index" / f"{name}.sqlite")
    except (OSError, FimError, sqlite3.Error) as error:
        _log.warning("There is no index of %s: %s. Other files are found by imports only.", root, error)
        return None
