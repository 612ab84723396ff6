"""Keep an index of one workspace root on disk: a SQLite file of postings, symbols and files.

A file that is indexed again gets a new number and new chunks; whatever still points at its old ones counts as dead
until `compact` drops it. The index holds numbers and the names of definitions, no source text. One process writes, the
others read.
"""

import os
import sqlite3
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from fimserver.files import private_folder
from fimserver.retrieval.bm25 import chunk_of

# A file with another number was written by another version: it is made again.
_VERSION = 2

_SCHEMA = """
CREATE TABLE files (
    number INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE, name TEXT NOT NULL, modified_ns INTEGER NOT NULL,
    size INTEGER NOT NULL, first_chunk INTEGER NOT NULL, chunks INTEGER NOT NULL);
CREATE INDEX files_by_name ON files (name);
CREATE INDEX files_by_chunk ON files (first_chunk);
CREATE TABLE symbols (name TEXT NOT NULL, file INTEGER NOT NULL, PRIMARY KEY (name, file)) WITHOUT ROWID;
CREATE TABLE batches (number INTEGER PRIMARY KEY);
CREATE TABLE numbers (unused_file INTEGER NOT NULL, unused_chunk INTEGER NOT NULL, dropped_chunks INTEGER NOT NULL);
INSERT INTO numbers VALUES (1, 0, 0);
CREATE TABLE frequencies (term INTEGER PRIMARY KEY, postings INTEGER NOT NULL);
CREATE TABLE postings (
    term INTEGER NOT NULL, batch INTEGER NOT NULL, numbers BLOB NOT NULL, PRIMARY KEY (term, batch)) WITHOUT ROWID;
"""

_COLUMNS = "number, path, modified_ns, size, first_chunk, chunks"

# SQLite's own cache of pages, in KiB.
_CACHE_KIB = 16_384

# A query reads one piece of a term's postings for every batch written since they were joined last.
_MOST_BATCHES = 200
_TOLERATED_DEAD_CHUNKS = 2_000
_TERMS_AT_A_TIME = 2_000
_COMPACTED = 0  # the batch number of joined postings; written batches count from 1


@dataclass(frozen=True, slots=True)
class FileRow:
    """A file as it was indexed. `path` is relative to the root."""

    number: int
    path: str
    modified_ns: int
    size: int
    first_chunk: int
    chunks: int


@dataclass(frozen=True, slots=True)
class Batch:
    """What is written at one go. The `next_` numbers are the first that it does not use."""

    next_file: int
    next_chunk: int
    files: Sequence[FileRow]
    symbols: Iterable[tuple[str, int]]  # name, file number
    postings: Mapping[int, "array[int]"]


class Store:
    """One index file, used by one thread. Every method may raise sqlite3.Error."""

    def __init__(self, path: Path) -> None:
        private_folder(path.parent)
        self.path = path
        self._writing = _lock(path)
        if self._writing:
            _make_if_missing(path)
        self._connection = _connected(path)

    @property
    def writable(self) -> bool:
        """True where this process is the one that may write."""
        return self._writing is not None

    def close(self) -> None:
        """Let go of the file, and of the right to write it."""
        self._connection.close()
        if self._writing:
            self._writing.close()

    def totals(self) -> tuple[int, int]:
        """Return the numbers of files and of living chunks."""
        files, chunks = self._connection.execute("SELECT count(*), total(chunks) FROM files").fetchone()
        return files, int(chunks)

    def unused(self) -> tuple[int, int]:
        """Return the first file number and the first chunk number that were never used."""
        file, chunk = self._connection.execute("SELECT unused_file, unused_chunk FROM numbers").fetchone()
        return file, chunk

    def chunks(self) -> int:
        """Return how many chunks the postings speak of, living or dead; unlike `totals` it costs one row."""
        query = "SELECT unused_chunk - dropped_chunks FROM numbers"
        return int(self._connection.execute(query).fetchone()[0])

    def file_at(self, path: str) -> FileRow | None:
        """Return what is known of a file."""
        return next(self._files("path = ?", path), None)

    def files_named(self, name: str, most: int) -> list[FileRow]:
        """Return the first files with this last part of their path."""
        return list(self._files("name = ? LIMIT ?", name, most))

    def files(self) -> Iterator[FileRow]:
        """Yield every file."""
        return self._files("1")

    def file_of_chunk(self, chunk: int) -> FileRow | None:
        """Return the file a chunk belongs to, None where it is dead."""
        row = next(self._files("first_chunk <= ? ORDER BY first_chunk DESC LIMIT 1", chunk), None)
        return row if row and chunk < row.first_chunk + row.chunks else None

    def files_defining(self, name: str, most: int) -> list[FileRow]:
        """Return the first files that define a name."""
        query = f"SELECT {_COLUMNS} FROM symbols JOIN files ON number = file WHERE symbols.name = ? LIMIT ?"  # noqa: S608
        return [FileRow(*row) for row in self._connection.execute(query, (name, most))]

    def frequencies(self, terms: Sequence[int]) -> dict[int, int]:
        """Return in how many chunks, living or dead, each term stands, for a row each; without those in none."""
        query = f"SELECT term, postings FROM frequencies WHERE term IN ({','.join('?' * len(terms))})"  # noqa: S608
        return dict(self._connection.execute(query, terms))

    def postings(self, terms: Sequence[int]) -> dict[int, "array[int]"]:
        """Return the postings of those terms that have any."""
        found: dict[int, array[int]] = {}
        query = f"SELECT term, numbers FROM postings WHERE term IN ({','.join('?' * len(terms))})"  # noqa: S608
        for term, blob in self._connection.execute(query, terms):
            found.setdefault(term, array("I")).frombytes(blob)
        return found

    def write(self, batch: Batch) -> None:
        """Add a batch; its files take the place of what was known of their paths."""
        with self._connection as connection:
            number = connection.execute("INSERT INTO batches VALUES (NULL)").lastrowid
            next_numbers = (batch.next_file, batch.next_chunk)
            connection.execute("UPDATE numbers SET unused_file = ?, unused_chunk = ?", next_numbers)
            connection.executemany(
                "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?, ?)", map(_values, batch.files)
            )
            connection.executemany("INSERT OR IGNORE INTO symbols VALUES (?, ?)", batch.symbols)
            connection.executemany(
                "INSERT INTO postings VALUES (?, ?, ?)",
                ((term, number, numbers.tobytes()) for term, numbers in sorted(batch.postings.items())),
            )
            connection.executemany(
                "INSERT INTO frequencies VALUES (?, ?) "
                "ON CONFLICT (term) DO UPDATE SET postings = postings + excluded.postings",
                ((term, len(numbers)) for term, numbers in sorted(batch.postings.items())),
            )

    def remove(self, paths: Iterable[str]) -> None:
        """Forget files that are gone or excluded now."""
        with self._connection as connection:
            connection.executemany("DELETE FROM files WHERE path = ?", ((path,) for path in paths))

    def needs_compacting(self) -> bool:
        """Tell whether half of the chunks are dead, or the lists lie in too many pieces."""
        _, living = self.totals()
        (batches,) = self._connection.execute("SELECT count(*) FROM batches").fetchone()
        return batches > _MOST_BATCHES or self.chunks() - living > living + _TOLERATED_DEAD_CHUNKS

    def compact(self) -> Iterator[None]:
        """Drop what is dead and join each term's postings, some terms at each step."""
        alive = self._living_chunks()
        with self._connection as connection:
            connection.execute("DELETE FROM symbols WHERE file NOT IN (SELECT number FROM files)")
            connection.execute("DELETE FROM batches")
        last = -1
        while True:
            query = "SELECT DISTINCT term FROM postings WHERE term > ? ORDER BY term LIMIT ?"
            terms = [term for (term,) in self._connection.execute(query, (last, _TERMS_AT_A_TIME))]
            if not terms:
                break
            with self._connection:
                for term in terms:
                    self._compact_term(term, alive)
            last = terms[-1]
            yield
        with self._connection:
            self._connection.execute("UPDATE numbers SET dropped_chunks = ?", (alive.count(0),))

    def _compact_term(self, term: int, alive: bytearray) -> None:
        numbers = array("I", (number for number in self.postings([term])[term] if alive[chunk_of(number)]))
        self._connection.execute("DELETE FROM postings WHERE term = ?", (term,))
        self._connection.execute("DELETE FROM frequencies WHERE term = ?", (term,))
        if numbers:
            self._connection.execute("INSERT INTO postings VALUES (?, ?, ?)", (term, _COMPACTED, numbers.tobytes()))
            self._connection.execute("INSERT INTO frequencies VALUES (?, ?)", (term, len(numbers)))

    def _living_chunks(self) -> bytearray:
        alive = bytearray(self.unused()[1])
        for row in self.files():
            alive[row.first_chunk : row.first_chunk + row.chunks] = b"\1" * row.chunks
        return alive

    def _files(self, condition: str, *values: object) -> Iterator[FileRow]:
        query = f"SELECT {_COLUMNS} FROM files WHERE {condition}"  # noqa: S608
        return (FileRow(*row) for row in self._connection.execute(query, values))


def _values(row: FileRow) -> tuple[object, ...]:
    return row.number, row.path, PurePosixPath(row.path).name, row.modified_ns, row.size, row.first_chunk, row.chunks


def _lock(path: Path) -> sqlite3.Connection | None:
    """Return the connection that holds the right to write, None where another process has it."""
    beside = path.with_suffix(".lock")
    os.close(os.open(beside, os.O_CREAT | os.O_RDWR, 0o600))
    lock = sqlite3.connect(beside, timeout=0, isolation_level=None)
    try:
        lock.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError:
        lock.close()
        return None
    return lock


def _make_if_missing(path: Path) -> None:
    """Make the index file, and make it anew where it is damaged or another version's."""
    if not _is_sound(path):
        for name in (path, path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")):
            name.unlink(missing_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.executescript(_SCHEMA)
            connection.execute(f"PRAGMA user_version = {_VERSION}")


def _is_sound(path: Path) -> bool:
    if not path.exists():
        return False
    try:
        with closing(sqlite3.connect(path)) as connection:
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            connection.execute("SELECT max(first_chunk) FROM files").fetchone()
            return bool(version == _VERSION)
    except sqlite3.DatabaseError:
        return False


def _connected(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=1.0)
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    return connection
