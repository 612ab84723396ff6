"""What the index on disk costs to ask, and what it knows after files were replaced."""

import os
import sqlite3
from array import array
from collections.abc import Callable, Iterator, Mapping, Sized
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


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(Store(tmp_path / "index.sqlite")) as store:
        yield store


def write_file(store: Store, path: str, chunks: int, terms: Mapping[int, int], name: str = "name") -> None:
    """Write a file that defines a name in a batch of its own; `terms` says in how many of its chunks each stands."""
    file, first = store.unused()
    postings = {
        term: array("I", (posting(first + chunk, 1, 80) for chunk in range(count))) for term, count in terms.items()
    }
    row = FileRow(file, path, 1, 1, first, chunks)
    store.write(Batch(file + 1, first + chunks, [row], [(name, file)], postings))


def test_how_often_a_term_stands_is_known_without_its_postings(store: Store) -> None:
    write_file(store, "a.py", 5, {RARE: 1, EVERYWHERE: 5})
    write_file(store, "b.py", 3, {EVERYWHERE: 3})
    assert store.frequencies([RARE, EVERYWHERE, GONE]) == {RARE: 1, EVERYWHERE: 8}
    assert store.chunks() == 8
    assert {term: len(numbers) for term, numbers in store.postings([RARE, EVERYWHERE]).items()} == {
        RARE: 1,
        EVERYWHERE: 8,
    }


def test_a_name_is_found_however_often_its_file_was_written(store: Store) -> None:
    for _ in range(9):
        write_file(store, "a.py", 1, {})
    write_file(store, "b.py", 1, {})
    assert [row.path for row in store.files_defining("name", 2)] == ["a.py", "b.py"]


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


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The steps that SQLite's machine has taken for an index opened from now on: each row that is read takes some."""
    taken, connected = [0], store_module._connected

    def count() -> None:
        taken[0] += 1

    def counting(path: Path) -> sqlite3.Connection:
        connection = connected(path)
        connection.set_progress_handler(count, 1)
        return connection

    monkeypatch.setattr(store_module, "_connected", counting)
    return taken


QUESTIONS: dict[str, tuple[Callable[[Index], Sized], int]] = {
    "what is like a text": (lambda index: index.similar({RARE: 1.0, EVERYWHERE: 1.0}, 24), 5),
    "how often words stand": (lambda index: index.frequencies([RARE, EVERYWHERE]), 2),
    "who defines a name": (lambda index: index.defining("rare_name"), 1),
    "who defines a name that all define": (lambda index: index.defining("name"), 0),
    "which files are called so": (lambda index: index.named("rare.py"), 1),
    "which files are called as all are": (lambda index: index.named("any.py"), 500),
}


@pytest.mark.parametrize(("question", "answers"), QUESTIONS.values(), ids=QUESTIONS)
def test_a_question_costs_no_more_in_more_files(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    steps: list[int],
    question: Callable[[Index], Sized],
    answers: int,
) -> None:
    costs = []
    for files in (600, 1_200):
        monkeypatch.setenv("FIMSERVER_HOME", str(tmp_path / str(files)))
        with closing(index_of_files(tmp_path, files)) as index:
            steps[0] = 0
            assert len(question(index)) == answers
            costs.append(steps[0])
    assert costs[0] == costs[1]


def index_of_files(root: Path, files: int) -> Index:
    """Return an index of a file of its own kind and many others, a hundred to a batch."""
    exclusions = Exclusions((root,), ContextSettings())
    Index(root, exclusions).close()
    [path] = Path(os.environ["FIMSERVER_HOME"]).rglob("*.sqlite")
    with closing(Store(path)) as store:
        write_file(store, "rare.py", 9, {RARE: 5, EVERYWHERE: 9}, "rare_name")
        for batch in range(files // 100):
            file, chunk = store.unused()
            rows = [FileRow(file + nth, f"{batch}/{nth}/any.py", 1, 1, chunk + 9 * nth, 9) for nth in range(100)]
            everywhere = array("I", (posting(each, 1, 80) for each in range(chunk, chunk + 900)))
            symbols = [("name", row.number) for row in rows]
            store.write(Batch(file + 100, chunk + 900, rows, symbols, {EVERYWHERE: everywhere}))
    return Index(root, exclusions)
