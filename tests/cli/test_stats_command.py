"""`fimserver stats`: tables, a page, JSON, and nothing left after --forget."""

import time
from pathlib import Path

import pytest

from fimserver.statistics.events import Accepted, Looked, Shown, Taken
from fimserver.statistics.store import Store, statistics_file
from tests.cli.in_process import run_here

TODAY = time.strftime("%Y-%m-%d")


@pytest.fixture
def counted(home: Path) -> None:
    """Four suggestions of today, of which one was taken and kept."""
    store = Store(statistics_file())
    for key, language in enumerate(("python", "python", "python", "go")):
        store.write([Shown(key=key, day=TODAY, language=language, model="tiny", characters=8, waited_ms=25.0)])
    store.write([Accepted(key=0, taken=Taken.WHOLE, saved_characters=8), Looked(key=0, after_s=30, kept=True)])
    store.close()


@pytest.mark.usefixtures("counted")
def test_tables_say_what_became_of_the_suggestions() -> None:
    ran = run_here("stats")
    lines = [line.split() for line in ran.out.splitlines()]
    assert ran.out.startswith("shown             4\naccepted          1 (25 %): 1 whole, 0 by line, 0 by word\n")
    assert "100 % after 30 s, - after 2 min, - after 5 min" in ran.out
    assert "50 % within 25 ms" in ran.out
    assert ["go", "1", "0", "%", "0", "25", "ms", "░░░░░░░░░░░░░"] in lines
    assert ["python", "3", "33", "%", "8", "25", "ms", "█████████████░░░░░░░░░░░░░░░░░░░░░░░░░░░"] in lines


def test_nothing_counted_is_said() -> None:
    assert run_here("stats", "--days", "7").out == "No suggestion was shown in the last 7 days.\n"


def test_switched_off_is_said(home: Path) -> None:
    (home / "config").mkdir()
    (home / "config" / "settings.toml").write_text("[privacy]\nstatistics = false\n", "utf-8")
    assert run_here("stats").out.startswith("Nothing is being counted: privacy.statistics is off.\n")


@pytest.mark.usefixtures("counted")
def test_the_page_is_written_where_it_is_wanted(tmp_path: Path) -> None:
    assert run_here("stats", "--html", tmp_path / "page.html").out == f"Written: {tmp_path / 'page.html'}\n"
    assert f"{TODAY}: 1 of 4" in (tmp_path / "page.html").read_text("utf-8")


def test_a_page_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    ran = run_here("stats", "--html", tmp_path / "file" / "page.html")
    assert (ran.code, "cannot be written" in ran.err) == (1, True)


@pytest.mark.usefixtures("counted")
def test_what_is_forgotten_is_gone() -> None:
    assert run_here("stats", "--forget").code == 0
    assert run_here("stats").out == "No suggestion was shown in the last 30 days.\n"


def test_a_damaged_file_is_named_with_what_mends_it() -> None:
    statistics_file().parent.mkdir(parents=True)
    statistics_file().write_bytes(b"no counts" * 100)
    ran = run_here("stats")
    assert (ran.code, "fimserver stats --forget" in ran.err) == (2, True)
