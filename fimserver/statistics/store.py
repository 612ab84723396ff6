"""Keep one row for each suggestion that was shown, in a SQLite file that all windows write to.

A row holds a day, a language, a model's name and numbers. No text, no path and no time of day is ever in it.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import astuple, dataclass
from pathlib import Path

from fimserver.errors import StatisticsUnreadable
from fimserver.files import private_folder, state_folder
from fimserver.statistics.events import Accepted, Event, Shown, Taken

# A year and a month, so that a month can be compared with that of the year before.
_KEPT_DAYS = 396

# The last look at what was accepted is five minutes later: so many suggestions are not shown in that time.
_MOST_FOLLOWED = 2_000

# Other windows write for milliseconds.
_PATIENCE_S = 5.0

_SCHEMA = """
CREATE TABLE IF NOT EXISTS suggestions (
    number INTEGER PRIMARY KEY, day TEXT NOT NULL, language TEXT NOT NULL, model TEXT NOT NULL,
    characters INTEGER NOT NULL, waited_ms REAL, taken INTEGER NOT NULL DEFAULT 0, saved INTEGER NOT NULL DEFAULT 0,
    kept_30 INTEGER, kept_120 INTEGER, kept_300 INTEGER);
CREATE INDEX IF NOT EXISTS suggestions_by_day ON suggestions (day);
"""

_INSERT = "INSERT INTO suggestions (day, language, model, characters, waited_ms) VALUES (?, ?, ?, ?, ?)"
_TAKE = "UPDATE suggestions SET taken = max(taken, ?), saved = saved + ? WHERE number = ?"
_LOOK = {
    30: "UPDATE suggestions SET kept_30 = ? WHERE number = ?",
    120: "UPDATE suggestions SET kept_120 = ? WHERE number = ?",
    300: "UPDATE suggestions SET kept_300 = ? WHERE number = ?",
}
_READ = """
SELECT day, language, model, characters, waited_ms, taken, saved, kept_30, kept_120, kept_300
FROM suggestions WHERE day > date('now', 'localtime', ?) ORDER BY number
"""


@dataclass(frozen=True, slots=True)
class Row:
    """What became of one suggestion. `kept` goes with KEPT_AFTER_S; None is not known, or not yet."""

    day: str
    language: str
    model: str
    characters: int
    waited_ms: float | None
    taken: Taken = Taken.NOTHING
    saved: int = 0
    kept: tuple[bool | None, ...] = (None, None, None)


def statistics_file() -> Path:
    """Return the file in which suggestions are counted."""
    return state_folder() / "statistics.sqlite3"


class Store:
    """One process's way to the file, used by one thread. Every method may raise sqlite3.Error or OSError."""

    def __init__(self, path: Path) -> None:
        private_folder(path.parent)
        path.touch(mode=0o600)
        self._connection = sqlite3.connect(path, timeout=_PATIENCE_S)
        self._connection.execute("PRAGMA synchronous = OFF")  # a crash of the machine may cost the last counts
        self._connection.execute("PRAGMA cache_size = -200")  # kB: of what is appended nothing is read again
        self._connection.executescript(_SCHEMA)
        self._connection.execute("DELETE FROM suggestions WHERE day < date('now', ?)", (f"-{_KEPT_DAYS} days",))
        self._connection.commit()
        self._numbers: dict[int, int] = {}  # of the latest rows, by the suggestion's key in this process

    def write(self, events: Iterable[Event]) -> None:
        """Note events, all or none of them. One of a suggestion that was not shown, or long ago, is passed over."""
        with self._connection:
            for event in events:
                self._write(event)

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def _write(self, event: Event) -> None:
        number = self._numbers.get(event.key)
        if isinstance(event, Shown):
            row = self._connection.execute(_INSERT, astuple(event)[1:])
            self._numbers[event.key] = int(row.lastrowid or 0)
            if len(self._numbers) > _MOST_FOLLOWED:
                del self._numbers[next(iter(self._numbers))]
        elif isinstance(event, Accepted):
            self._connection.execute(_TAKE, (event.taken, event.saved_characters, number))
        else:
            self._connection.execute(_LOOK[event.after_s], (event.kept, number))


def rows_of(days: int, path: Path) -> list[Row]:
    """Return what was counted in the last days, today among them. Raises StatisticsUnreadable."""
    if not path.exists():
        return []
    with _readable(path), closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
        return list(map(_row, connection.execute(_READ, (f"-{days} days",))))


def forget(path: Path) -> None:
    """Drop everything that was counted. Windows that are open count on from nothing. Raises StatisticsUnreadable."""
    if not path.exists():
        return
    try:
        with closing(sqlite3.connect(path, timeout=_PATIENCE_S)) as connection:
            connection.executescript("DELETE FROM suggestions; VACUUM;")
    except sqlite3.Error:
        path.unlink()  # it is no file of counts; there is nothing to lose


def _row(found: tuple[object, ...]) -> Row:
    day, language, model, characters, waited_ms, taken, saved, *kept = found
    return Row(  # what SQLite returns is what the schema says
        str(day),
        str(language),
        str(model),
        int(str(characters)),
        None if waited_ms is None else float(str(waited_ms)),
        Taken(int(str(taken))),
        int(str(saved)),
        tuple(None if one is None else bool(one) for one in kept),
    )


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise StatisticsUnreadable(f"{path} cannot be read: {error}. Start anew: fimserver stats --forget") from error
