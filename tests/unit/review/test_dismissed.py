"""What was dismissed is remembered without any of its text, and comes back when its lines change."""

from dataclasses import replace
from pathlib import Path

import pytest

from fimserver.review import dismissed
from fimserver.review.findings import Category, Finding, Severity
from fimserver.values import Document, Span

TEXT = "secret = 1\nother = 2\n"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FIMSERVER_HOME", str(tmp_path))
    return tmp_path


def finding(text: str = TEXT, category: Category = Category.BUG, uri: str = "file:///shop/till.py") -> Finding:
    start = text.index("secret")
    return Finding(
        document=Document.of(text, uri=uri),
        span=Span(start, start + 6),
        category=category,
        severity=Severity.NOTE,
        message="Do not.",
    )


def is_known(one: Finding) -> bool:
    return dismissed.is_dismissed(one, dismissed.read_dismissed())


STAYS = {
    "as it is": finding(),
    "in other words": replace(finding(), message="Never."),
    "with other severity": replace(finding(), severity=Severity.ERROR),
    "further down": finding("import os\n" + TEXT),
    "indented": finding("if x:\n    " + TEXT),
}
COMES_BACK = {
    "on a line that changed": finding(TEXT.replace("= 1", "= 3")),
    "as another kind": finding(category=Category.SECURITY),
    "in another file": finding(uri="file:///shop/shelf.py"),
}


@pytest.mark.parametrize("one", STAYS.values(), ids=STAYS)
def test_a_dismissed_finding_stays_away(one: Finding) -> None:
    dismissed.dismiss(dismissed.finding_key(finding()))
    assert is_known(one)


@pytest.mark.parametrize("one", COMES_BACK.values(), ids=COMES_BACK)
def test_a_dismissed_finding_comes_back(one: Finding) -> None:
    dismissed.dismiss(dismissed.finding_key(finding()))
    assert not is_known(one)


def test_a_kind_is_dismissed_in_its_project_only(home: Path) -> None:
    for name in ("one", "two"):
        (home / name / ".git").mkdir(parents=True)
    here = finding(uri=(home / "one" / "src" / "a.py").as_uri())
    dismissed.dismiss(dismissed.kind_key(here.category, dismissed.project_of(here)))
    assert is_known(finding("secret = 9\n", uri=(home / "one" / "b.py").as_uri()))
    assert not is_known(finding(category=Category.TESTS, uri=(home / "one" / "b.py").as_uri()))
    assert not is_known(finding(uri=(home / "two" / "a.py").as_uri()))


def test_nothing_of_the_text_is_written() -> None:
    dismissed.dismiss(dismissed.finding_key(finding()))
    assert not any(word in dismissed.dismissed_file().read_text() for word in ("secret", "till", "Do not"))


def test_all_can_be_restored() -> None:
    dismissed.dismiss(dismissed.finding_key(finding()))
    assert (dismissed.restore_all(), dismissed.restore_all()) == (1, 0)
    assert not is_known(finding())


@pytest.mark.parametrize("content", [b"", b"{}", b"[1, null]", b"\xff"], ids=["empty", "object", "numbers", "bytes"])
def test_a_damaged_file_dismisses_nothing(content: bytes) -> None:
    dismissed.dismissed_file().parent.mkdir(parents=True)
    dismissed.dismissed_file().write_bytes(content)
    assert dismissed.read_dismissed() == frozenset()
    dismissed.dismiss("key")
    assert dismissed.read_dismissed() == {"key"}
