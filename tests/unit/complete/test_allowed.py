"""In which documents nothing is ever suggested, and how a selected entry of the editor's list goes on."""

from pathlib import Path

import pytest

from fimserver.complete.allowed import forbidden
from fimserver.complete.selected import with_selected
from fimserver.settings import CompletionSettings
from fimserver.values import Completion, Document, Reason, Rejection, Span
from tests.drawn import applied, completion_of


class Excluding:
    """Other files of a workspace in which one rule excludes one name."""

    def rule_against_completion(self, path: Path) -> str:
        return ".fimignore:1 *.key" if path.suffix == ".key" else ""


@pytest.mark.parametrize(
    ("document", "settings", "reason"),
    [
        pytest.param(Document.of("x"), {}, None, id="a text"),
        pytest.param(Document.of("x"), {"enabled": False}, Reason.DISABLED, id="switched off"),
        pytest.param(Document.of("x"), {"disabled_languages": ("python",)}, Reason.DISABLED, id="for this language"),
        pytest.param(Document.of("x"), {"disabled_languages": ("go",)}, None, id="for another language"),
        pytest.param(
            Document.of("x", language="csharp"),
            {"disabled_languages": ("cs",)},
            Reason.DISABLED,
            id="for this language by another of its names",
        ),
        pytest.param(Document.of("a\0b"), {}, Reason.UNSUITABLE_FILE, id="binary"),
        pytest.param(Document.of("x" * 2_000_001), {}, Reason.UNSUITABLE_FILE, id="too long"),
        pytest.param(Document.of("\n" * 99_999), {}, None, id="as many lines as may be"),
        pytest.param(Document.of("\n" * 100_000), {}, Reason.UNSUITABLE_FILE, id="too many lines"),
        pytest.param(Document.of("x", uri="file:///a/b.key"), {}, Reason.EXCLUDED, id="excluded"),
        pytest.param(Document.of("x", uri="untitled:b.key"), {}, None, id="no file, no rule"),
    ],
)
def test_a_document_is_refused(document: Document, settings: dict[str, object], reason: Reason | None) -> None:
    refused = forbidden(document, CompletionSettings(**settings), Excluding())  # type: ignore[arg-type]
    assert (refused and refused.reason) == reason
    assert refused is None or refused.detail


def selected(found: Completion) -> Completion | Rejection:
    """Return what becomes of a suggestion in `x = total`, asked for while `total` is selected behind `x = to`."""
    document, edited = Document.of("x = to"), Document.of("x = total")
    return with_selected(found, (Span(4, 6), "total"), document, edited)


def test_a_suggestion_behind_a_selected_entry_replaces_what_the_entry_would() -> None:
    found = selected(completion_of("(items)", 9))
    assert isinstance(found, Completion)
    assert applied(Document.of("x = to"), found) == "x = total(items)‸"


def test_a_suggestion_that_changes_the_entry_is_none() -> None:
    found = selected(completion_of("times = 1", 4, 9))
    assert isinstance(found, Rejection)
    assert found.reason is Reason.EMPTY
