"""The index of a folder: kept on disk, brought up to date by what changed, made again where it is damaged."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import zip_longest
from pathlib import Path

import pytest

from fimserver.retrieval.exclude import Exclusions
from fimserver.retrieval.index import Index
from fimserver.retrieval.terms import term_counts
from fimserver.settings import ContextSettings
from tests.unit.retrieval.workspaces import lay_out

FILES = {
    "shelf.py": "class Shelf:\n    def put_upright(self, book): ...\n",
    "lamp.py": "def light_candle(wick): ...\n",
    "deep/er/lamp.py": "def light_torch(oil): ...\n",
    "notes.txt": "def not_code(): ...\n",
}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FIMSERVER_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    return lay_out(folder, FILES)


@contextmanager
def index_of(root: Path) -> Iterator[Index]:
    index = Index(root, Exclusions((root,), ContextSettings()))
    with closing(index):
        yield index


def refreshed(index: Index, *names: str) -> Index:
    for _ in index.refresh(names or None):
        pass
    return index


def defining(index: Index, name: str) -> list[str]:
    return sorted(path.relative_to(index.root).as_posix() for path in index.defining(name))


def like(index: Index, text: str) -> list[str]:
    return [hit.path.name for hit in index.similar(dict.fromkeys(term_counts(text), 1.0), 5)]


def test_finds_definitions_names_and_text(root: Path) -> None:
    with index_of(root) as index:
        assert defining(refreshed(index), "put_upright") == ["shelf.py"]
        assert sorted(path.relative_to(root).as_posix() for path in index.named("lamp.py")) == [
            "deep/er/lamp.py",
            "lamp.py",
        ]
        assert like(index, "candle wick")[0] == "lamp.py"
        assert defining(index, "not_code") == []
        assert index.totals() == (3, 3)


def test_what_changed_is_read_again_and_what_is_gone_is_forgotten(root: Path) -> None:
    with index_of(root) as index:
        refreshed(index)
        (root / "shelf.py").write_text("class Cupboard: ...\n")
        (root / "lamp.py").rename(root / "candle.py")
        (root / "new.py").write_text("def fresh_air(): ...\n")
        refreshed(index)
        assert defining(index, "put_upright") == []
        assert defining(index, "Cupboard") == ["shelf.py"]
        assert defining(index, "light_candle") == ["candle.py"]
        assert defining(index, "fresh_air") == ["new.py"]
        assert like(index, "put upright book") == []


def test_only_what_is_named_is_looked_at(root: Path) -> None:
    with index_of(root) as index:
        refreshed(index)
        for name in ("shelf.py", "lamp.py"):
            (root / name).write_text("def fresh_air(): ...\n")
        refreshed(index, "shelf.py", "gone.py")
        assert defining(index, "fresh_air") == ["shelf.py"]
        (root / "shelf.py").unlink()
        refreshed(index, "shelf.py")
        assert defining(index, "fresh_air") == []


def test_changes_that_are_told_meanwhile_are_taken_in_afterwards(root: Path) -> None:
    with index_of(root) as index:
        everything = index.refresh()
        next(everything)
        (root / "shelf.py").write_text("def fresh_air(): ...\n")
        told = index.refresh(["shelf.py"])
        for _ in zip_longest(everything, told):
            pass
        assert defining(index, "fresh_air") == ["shelf.py"]
        assert defining(index, "light_candle") == ["lamp.py"]
        assert defining(index, "put_upright") == []


def test_what_became_excluded_is_forgotten(root: Path) -> None:
    with index_of(root) as index:
        assert defining(refreshed(index), "light_torch") == ["deep/er/lamp.py"]
    (root / ".fimignore").write_text("deep/\n")
    with index_of(root) as index:
        assert defining(refreshed(index), "light_torch") == []


def test_it_is_still_there_when_it_is_opened_again(root: Path) -> None:
    with index_of(root) as index:
        refreshed(index)
    with index_of(root) as index:
        assert defining(index, "put_upright") == ["shelf.py"]


@pytest.mark.parametrize("content", [b"", b"no database at all", b"SQLite format 3\0" + b"\xff" * 4_000])
def test_a_damaged_index_is_made_again(root: Path, home: Path, content: bytes) -> None:
    with index_of(root) as index:
        refreshed(index)
    [path] = home.rglob("*.sqlite")
    path.write_bytes(content)
    with index_of(root) as index:
        assert defining(refreshed(index), "put_upright") == ["shelf.py"]


def test_a_second_window_reads_what_the_first_has_written(root: Path) -> None:
    with index_of(root) as first, index_of(root) as second:
        refreshed(second)
        assert defining(second, "put_upright") == []
        refreshed(first)
        assert defining(second, "put_upright") == ["shelf.py"]


def test_where_nothing_can_be_written_there_is_no_index_and_no_error(root: Path, home: Path) -> None:
    home.write_text("a file where the folder should be")
    with index_of(root) as index:
        assert (defining(refreshed(index), "put_upright"), index.totals()) == ([], (0, 0))


def test_the_index_holds_no_source_text(root: Path, home: Path) -> None:
    (root / "secret.py").write_text("def open_door():\n    return 'canary_5e1f' + canary_local\n")
    with index_of(root) as index:
        refreshed(index)
    written = b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file())
    assert b"open_door" in written
    assert b"canary" not in written


def test_many_changes_are_joined_and_what_is_dead_is_dropped(root: Path, home: Path) -> None:
    with index_of(root) as index:
        for number in range(260):
            (root / "shelf.py").write_text(f"def version_{number}(): ...\n")
            refreshed(index, "shelf.py")
        assert defining(index, "version_259") == ["shelf.py"]
        assert like(index, "version 259") == ["shelf.py"]
    [path] = home.rglob("*.sqlite")
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM batches").fetchone()[0] < 201


def test_of_too_many_files_the_first_are_indexed(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fimserver.retrieval.scan._MOST_FILES", 2)
    with index_of(root) as index:
        assert refreshed(index).totals()[0] == 2
