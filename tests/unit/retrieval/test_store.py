"""What the index on disk costs to ask, and what it knows after files were replaced."""

import os
import sqlite3
from array import array
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

import pytest

from fimserver.retrieval import store as store_module
from fimserver.retrieval.bm25 import posting
from fimserver.retrieval.exclude import Exclusions
from fimserver.retrieval.index import Index
from fimserver.retrieval.store import Batch, FileRow, Store
from fimserver.settings import ContextSettings

RARE, EVERYWHERE, GONE = 1, 2, 3

# More than a query reads of one term.
CHUNKS_PER_FILE = 4_000


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(Store(tmp_path / "index.sqlite")) as store:
        yield store


def write_file(store: Store, path: str, chunks: int, terms: Mapping[int, int]) -> None:
    """Write a file in a batch of its own; `terms` says in how many of its chunks each stands."""
    file, first = store.unused()
    postings = {
        term: array("I", (posting(first + chunk, 1, 80) for chunk in range(count))) for term, count in terms.items()
    }
    row = FileRow(file, path, 1, 1, first, chunks)
    store.write(Batch(file + 1, first + chunks, [row], [("name", file)], postings))


def test_how_often_a_term_stands_is_known_without_its_postings(store: Store) -> None:
    write_file(store, "a.py", 5, {RARE: 1, EVERYWHERE: 5})
    write_file(store, "b.py", 3, {EVERYWHERE: 3})
    assert store.frequencies([RARE, EVERYWHERE, GONE]) == {RARE: 1, EVERYWHERE: 8}
    assert store.chunks() == 8
    assert {term: len(numbers) for term, numbers in store.postings([RARE, EVERYWHERE]).items()} == {
        RARE: 1,
        EVERYWHERE: 8,
    }


def test_what_is_dead_counts_until_it_is_dropped_and_is_dropped_once(store: Store) -> None:
    write_file(store, "a.py", 5, {RARE: 1})
    for _ in range(3):
        write_file(store, "b.py", 3_000, {EVERYWHERE: 3_000, GONE: 1})
    write_file(store, "b.py", 3_000, {EVERYWHERE: 3_000})
    assert store.frequencies([EVERYWHERE, GONE]) == {EVERYWHERE: 12_000, GONE: 3}
    assert store.chunks() == 12_005
    assert store.needs_compacting()
    for _ in store.compact():
        pass
    assert store.frequencies([RARE, EVERYWHERE, GONE]) == {RARE: 1, EVERYWHERE: 3_000}
    assert store.chunks() == store.totals()[1] == 3_005
    assert not store.needs_compacting()


def test_a_question_costs_as_little_in_many_files_as_in_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted in steps of SQLite's machine: each row that is read takes some."""
    steps, connected = [0], store_module._connected

    def count() -> None:
        steps[0] += 1

    def counting(path: Path) -> sqlite3.Connection:
        connection = connected(path)
        connection.set_progress_handler(count, 1)
        return connection

    monkeypatch.setattr(store_module, "_connected", counting)
    costs = []
    for files in (1, 60):
        monkeypatch.setenv("FIMSERVER_HOME", str(tmp_path / str(files)))
        with closing(written_index(tmp_path, files)) as index:
            steps[0] = 0
            hits = index.similar({RARE: 1.0, EVERYWHERE: 1.0}, 24)
            costs.append(steps[0])
        assert [hit.chunk for hit in hits] == [4, 3, 2, 1, 0]
    assert costs[1] == costs[0]


def written_index(root: Path, files: int) -> Index:
    """Return an index of files that all hold one word in every chunk, and one of them another in five."""
    exclusions = Exclusions((root,), ContextSettings())
    Index(root, exclusions).close()
    [path] = Path(os.environ["FIMSERVER_HOME"]).rglob("*.sqlite")
    with closing(Store(path)) as store:
        write_file(store, "rare.py", CHUNKS_PER_FILE, {RARE: 5, EVERYWHERE: CHUNKS_PER_FILE})
        for number in range(files - 1):
            write_file(store, f"{number}.py", CHUNKS_PER_FILE, {EVERYWHERE: CHUNKS_PER_FILE})
    return Index(root, exclusions)
