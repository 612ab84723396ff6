"""What is noted of a suggestion is found again, and nothing else is in the file."""

import sqlite3
import time
from dataclasses import replace
from pathlib import Path

import pytest

from fimserver.errors import StatisticsUnreadable
from fimserver.statistics.events import Accepted, Event, Looked, Shown, Taken
from fimserver.statistics.recorder import Recorder
from fimserver.statistics.store import Row, Store, forget, rows_of

TODAY = time.strftime("%Y-%m-%d")
LONG_AGO = "2001-01-01"

SHOWN = Shown(key=1, day=TODAY, language="python", model="tiny", characters=9, waited_ms=12.5)
ROW = Row(TODAY, "python", "tiny", 9, 12.5)


def shown(key: int, day: str = TODAY) -> Shown:
    return Shown(key=key, day=day, language="go", model="tiny", characters=1, waited_ms=None)


def accepted(taken: Taken, saved: int) -> Accepted:
    return Accepted(key=1, taken=taken, saved_characters=saved)


NOTED: dict[str, tuple[list[Event], list[Row]]] = {
    "nothing": ([], []),
    "shown only": ([SHOWN], [ROW]),
    "taken whole": ([SHOWN, accepted(Taken.WHOLE, 9)], [Row(TODAY, "python", "tiny", 9, 12.5, Taken.WHOLE, 9)]),
    "a word, then a line: the greater counts, the characters add up": (
        [SHOWN, accepted(Taken.LINE, 4), accepted(Taken.WORD, 2)],
        [Row(TODAY, "python", "tiny", 9, 12.5, Taken.LINE, 6)],
    ),
    "kept at first, then changed, then not looked at": (
        [SHOWN, Looked(key=1, after_s=30, kept=True), Looked(key=1, after_s=120, kept=False)],
        [Row(TODAY, "python", "tiny", 9, 12.5, kept=(True, False, None))],
    ),
    "of one that was never shown, nothing": ([accepted(Taken.WHOLE, 9)], []),
    "each suggestion is a row": ([SHOWN, shown(2)], [ROW, Row(TODAY, "go", "tiny", 1, None)]),
    "days that are asked for": ([shown(1, LONG_AGO), shown(2)], [Row(TODAY, "go", "tiny", 1, None)]),
}


@pytest.mark.parametrize(("events", "rows"), NOTED.values(), ids=NOTED)
def test_what_was_noted_is_found(events: list[Event], rows: list[Row], tmp_path: Path) -> None:
    store = Store(tmp_path / "counts")
    store.write(events)
    store.close()
    assert rows_of(30, tmp_path / "counts") == rows


def test_the_recorder_has_written_everything_once_it_is_closed(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "counts")
    for event in (SHOWN, shown(2), accepted(Taken.WORD, 3)):
        recorder.note(event)
    recorder.close(patience_s=30)
    assert [(row.language, row.saved) for row in rows_of(1, tmp_path / "counts")] == [("python", 3), ("go", 0)]


def test_windows_count_into_the_same_file(tmp_path: Path) -> None:
    first, second = Store(tmp_path / "counts"), Store(tmp_path / "counts")
    first.write([SHOWN])
    second.write([shown(1), accepted(Taken.WHOLE, 1)])
    first.write([accepted(Taken.WORD, 2)])
    assert [(row.language, row.saved) for row in rows_of(1, tmp_path / "counts")] == [("python", 2), ("go", 1)]
    first.close()
    second.close()


def test_of_many_suggestions_the_latest_are_followed(tmp_path: Path) -> None:
    store = Store(tmp_path / "counts")
    store.write([shown(key) for key in range(2_001)])
    store.write([replace(accepted(Taken.WHOLE, 1), key=key) for key in (0, 1, 2_000)])
    store.close()
    taken = [row.taken for row in rows_of(1, tmp_path / "counts")]
    assert [number for number, one in enumerate(taken) if one] == [1, 2_000]


def test_what_is_older_than_a_year_and_a_month_is_dropped(tmp_path: Path) -> None:
    store = Store(tmp_path / "counts")
    store.write([shown(1, LONG_AGO), shown(2)])
    store.close()
    Store(tmp_path / "counts").close()
    assert len(rows_of(100_000, tmp_path / "counts")) == 1


def test_a_folder_that_cannot_be_written_costs_the_counts_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    recorder = Recorder(tmp_path / "file" / "counts")
    recorder.note(SHOWN)
    recorder.close(patience_s=30)
    assert rows_of(1, tmp_path / "file" / "counts") == []


def test_a_damaged_file_is_named_with_what_mends_it(tmp_path: Path) -> None:
    damaged = tmp_path / "counts"
    damaged.write_bytes(b"no counts" * 100)
    with pytest.raises(StatisticsUnreadable, match="fimserver stats --forget"):
        rows_of(1, damaged)
    forget(damaged)
    assert rows_of(1, damaged) == []


def test_what_was_forgotten_is_gone_while_a_window_is_open(tmp_path: Path) -> None:
    store = Store(tmp_path / "counts")
    store.write([SHOWN])
    forget(tmp_path / "counts")
    store.write([shown(2)])
    assert [row.language for row in rows_of(1, tmp_path / "counts")] == ["go"]
    store.close()


def test_the_file_has_no_column_for_text_but_language_model_and_day(tmp_path: Path) -> None:
    Store(tmp_path / "counts").close()
    columns = sqlite3.connect(tmp_path / "counts").execute("PRAGMA table_info(suggestions)").fetchall()
    assert [name for _, name, kind, *_ in columns if kind == "TEXT"] == ["day", "language", "model"]
    assert (tmp_path / "counts").stat().st_mode & 0o077 == 0
