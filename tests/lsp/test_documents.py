r"""Documents follow the editor's edits exactly, or say that they cannot.

The reference below keeps a text as the editor does: as UTF-16 units, bytes or code points, with nothing but the line
rules of the protocol and slicing.
"""

import logging
import re
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lsprotocol.types import (
    Position,
    Range,
    TextDocumentContentChangeEvent,
    TextDocumentContentChangePartial,
    TextDocumentContentChangeWholeDocument,
)

from fimserver.complete.allowed import LARGEST_FILE_CHARACTERS, LARGEST_FILE_LINES
from fimserver.lsp.client import Encoding
from fimserver.lsp.documents import Documents
from fimserver.text import line_starts
from fimserver.values import Document, Reason, Rejection

URI = "file:///a.py"


def change(start: tuple[int, int], end: tuple[int, int], text: str) -> TextDocumentContentChangePartial:
    return TextDocumentContentChangePartial(Range(Position(*start), Position(*end)), text)


def whole(text: str) -> TextDocumentContentChangeWholeDocument:
    return TextDocumentContentChangeWholeDocument(text)


def opened(text: str, encoding: Encoding = "utf-16") -> Documents:
    documents = Documents(encoding)
    documents.open(URI, "python", 1, text)
    return documents


EDITS = {
    "insert": ("abc", [change((0, 1), (0, 1), "X")], "aXbc"),
    "delete": ("abc", [change((0, 1), (0, 2), "")], "ac"),
    "over lines": ("ab\ncd\nef", [change((0, 1), (2, 1), "-")], "a-f"),
    "insert lines": ("ab\ncd", [change((0, 2), (0, 2), "\nX\nY")], "ab\nX\nY\ncd"),
    "everything": ("ab\ncd\n", [change((0, 0), (2, 0), "")], ""),
    "at the end": ("ab\n", [change((1, 0), (1, 0), "c\n")], "ab\nc\n"),
    "each change sees the one before": ("", [change((0, 0), (0, 0), "ab"), change((0, 1), (0, 1), "\n")], "a\nb"),
    "whole text": ("abc", [whole("x\ny")], "x\ny"),
    "whole text, then a change": ("abc", [whole("x\ny"), change((1, 0), (1, 1), "z")], "x\nz"),
    "S1: after a form feed": ("a = 1\n\f\nb = 2\nc = 3\n", [change((3, 0), (3, 0), "X")], "a = 1\n\f\nb = 2\nXc = 3\n"),
    "S1: after U+2028": ("a\u2028b\nc", [change((1, 0), (1, 1), "X")], "a\u2028b\nX"),
    "S2: past the end of the last line": ("abc", [change((0, 10), (0, 10), "X")], "abcX"),
    "S3: one past the end of a line": ("ab\ncd", [change((0, 3), (0, 3), "X")], "abX\ncd"),
    "S3: one past the end of a CRLF line": ("ab\r\ncd", [change((0, 3), (0, 3), "X")], "abX\r\ncd"),
    "S4: far past the end of a line": ("ab\ncd\nef", [change((1, 99), (1, 99), "X")], "ab\ncdX\nef"),
    "S5: a line past the end": ("ab\ncd", [change((9, 5), (9, 5), "X")], "ab\ncdX"),
    "S6: LF meets a lone CR": ("a\rb", [change((1, 0), (1, 0), "\n")], "a\r\nb"),
    "S6: CR meets LF": ("a\nb", [change((0, 1), (0, 1), "\r")], "a\r\nb"),
    "S6: a pair of CR LF is taken apart": ("a\r\nb", [change((0, 1), (1, 0), "\r")], "a\rb"),
    "S6: after an emoji": ("😀b\n", [change((0, 2), (0, 2), "X")], "😀Xb\n"),
    "S7: half an emoji is deleted": ("a😀b", [change((0, 1), (0, 2), "")], "a\N{REPLACEMENT CHARACTER}b"),
    "S7: an emoji that comes in halves": (
        "ab",
        [change((0, 1), (0, 1), "\ud83d"), change((0, 2), (0, 2), "\ude00"), change((0, 3), (0, 3), "X")],
        "a😀Xb",
    ),
    "S7: two halves that come to meet": (
        "\ud83dab\ncd\ude00",
        [change((0, 1), (1, 2), ""), change((0, 2), (0, 2), "X")],
        "😀X",
    ),
    "half an emoji in a text that was opened": ("\ud83d", [], "\N{REPLACEMENT CHARACTER}"),
}


@pytest.mark.parametrize(("before", "changes", "after"), EDITS.values(), ids=EDITS)
def test_edits_are_applied_by_the_protocols_line_rules(
    before: str, changes: list[TextDocumentContentChangeEvent], after: str
) -> None:
    documents = opened(before)
    documents.change(URI, 2, changes)
    document = documents.get(URI)
    assert isinstance(document, Document)
    assert document.text == after
    assert list(document.starts) == line_starts(after)
    assert document.version == 2


LOST = {
    "S8: an inverted range": (2, [change((0, 4), (0, 2), "X")]),
    "S8: an inverted range over lines": (2, [change((1, 0), (0, 2), "X")]),
    "S10: a version that goes back": (0, [change((0, 0), (0, 0), "X")]),
    "a sound change before an unsound one does not help": (
        2,
        [change((0, 0), (0, 0), "X"), change((0, 4), (0, 2), "X")],
    ),
}


@pytest.mark.parametrize(("version", "changes"), LOST.values(), ids=LOST)
def test_what_cannot_be_applied_exactly_puts_the_document_out_of_step(
    version: int, changes: list[TextDocumentContentChangeEvent], caplog: pytest.LogCaptureFixture
) -> None:
    documents = opened("abcdef\n")
    documents.change(URI, version, changes)
    documents.change(URI, 3, [change((0, 0), (0, 0), "Y")])
    missing = documents.get(URI)
    assert isinstance(missing, Rejection)
    assert (missing.reason, "out of step" in missing.detail) == (Reason.UNKNOWN_DOCUMENT, True)
    assert len(caplog.records) == 1, "one line in the log, not one for every later key"
    assert "abcdef" not in caplog.text


def test_utf_8_positions_inside_a_character_put_the_document_out_of_step() -> None:
    documents = opened("é", "utf-8")
    documents.change(URI, 2, [change((0, 1), (0, 1), "X")])
    assert isinstance(documents.get(URI), Rejection)


def test_a_document_out_of_step_recovers_when_its_whole_text_comes() -> None:
    documents = opened("abc")
    documents.change(URI, 2, [change((0, 2), (0, 1), "")])
    documents.change(URI, 3, [whole("new"), change((0, 0), (0, 0), "a ")])
    document = documents.get(URI)
    assert isinstance(document, Document)
    assert document.text == "a new"


def test_a_document_out_of_step_recovers_when_it_is_opened_again() -> None:
    documents = opened("abc")
    documents.lose_step(URI, "a test")
    documents.open(URI, "python", 7, "new")
    assert isinstance(documents.get(URI), Document)


def test_s11_an_edit_of_what_was_never_opened_makes_no_document(caplog: pytest.LogCaptureFixture) -> None:
    documents = Documents("utf-16")
    for version in range(5):
        documents.change(URI, version, [change((0, 0), (0, 0), "X")])
    assert isinstance(documents.get(URI), Rejection)
    assert len(caplog.records) == 1


def test_s12_a_second_open_replaces_the_text() -> None:
    documents = opened("abc")
    documents.open(URI, "go", 1, "xyz")
    document = documents.get(URI)
    assert isinstance(document, Document)
    assert (document.text, document.language) == ("xyz", "go")


def test_a_closed_document_is_forgotten() -> None:
    documents = opened("abc")
    documents.close(URI)
    documents.close(URI)
    missing = documents.get(URI)
    assert isinstance(missing, Rejection)
    assert "not opened" in missing.detail


def test_an_earlier_version_is_left_as_it_was() -> None:
    documents = opened("abc")
    earlier = documents.get(URI)
    documents.change(URI, 2, [change((0, 0), (0, 3), "")])
    assert isinstance(earlier, Document)
    assert earlier.text == "abc"


LARGEST = "x" * LARGEST_FILE_CHARACTERS
LONGEST = "\n" * (LARGEST_FILE_LINES - 1)

TOO_LARGE: dict[str, tuple[str, list[TextDocumentContentChangeEvent]]] = {
    "when it is opened": (LARGEST + "x", []),
    "by an edit": (LARGEST, [change((0, 0), (0, 0), "x")]),
    "by its whole text": ("", [whole(LARGEST + "x")]),
    "with its lines when it is opened": (LONGEST + "\r", []),
    "with its lines by an edit": (LONGEST, [change((0, 0), (0, 0), "\n")]),
    "with its lines by its whole text": ("", [whole(LONGEST + "\n")]),
}


@pytest.mark.parametrize(("text", "changes"), TOO_LARGE.values(), ids=TOO_LARGE)
def test_a_document_that_is_too_large_is_not_kept(text: str, changes: list[TextDocumentContentChangeEvent]) -> None:
    documents = opened(text)
    documents.change(URI, 2, changes)
    missing = documents.get(URI)
    assert isinstance(missing, Rejection)
    assert missing.reason is Reason.UNSUITABLE_FILE
    documents.change(URI, 3, [whole("small")])
    assert isinstance(documents.get(URI), Document)


@pytest.mark.parametrize("text", [LARGEST, LONGEST], ids=["by its characters", "by its lines"])
def test_the_largest_document_is_kept(text: str) -> None:
    assert isinstance(opened(text).get(URI), Document)


# Against a reference.

PIECES = st.sampled_from(
    ["a", "b ", "\n", "\r", "\r\n", "\f", "\x85", "\u2028", "é", "漢", "😀", "\u0301", "\t", "x" * 9]
)
TEXTS = st.lists(PIECES, max_size=8).map("".join)
PLACES = st.tuples(st.integers(0, 6), st.integers(0, 14))


@dataclass(frozen=True)
class Edit:
    start: tuple[int, int]
    end: tuple[int, int]
    text: str


EDITS_AT_RANDOM = st.lists(
    st.builds(lambda places, text: Edit(min(places), max(places), text), st.tuples(PLACES, PLACES), TEXTS),
    min_size=1,
    max_size=12,
)


class Reference:
    """A text as its units in the encoding, one character each."""

    def __init__(self, text: str, encoding: Encoding) -> None:
        self._encoding = encoding
        self._units = self._cut(text)

    def _cut(self, text: str) -> str:
        if self._encoding == "utf-8":
            return text.encode().decode("latin-1")
        if self._encoding == "utf-16":
            units = memoryview(text.encode("utf-16-le", "surrogatepass")).cast("H")
            return "".join(map(chr, units))
        return text

    @property
    def text(self) -> str:
        if self._encoding == "utf-8":
            return self._units.encode("latin-1").decode()
        return self._units.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")

    def offset(self, place: tuple[int, int]) -> int:
        lines = list(re.finditer(r"[^\r\n]*(\r\n|\r|\n|$)", self._units))
        lines = lines[:-1] if len(lines) > 1 and lines[-2].group(1) == "" else lines
        if place[0] >= len(lines):
            return len(self._units)
        line = lines[place[0]]
        return min(line.start() + place[1], line.start(1))

    def cuts_character(self, edit: Edit) -> bool:
        if self._encoding != "utf-8":
            return False
        offsets = (self.offset(edit.start), self.offset(edit.end))
        return any(ord(unit) & 0xC0 == 0x80 for at in offsets for unit in self._units[at : at + 1])

    def apply(self, edit: Edit) -> None:
        start, end = self.offset(edit.start), self.offset(edit.end)
        self._units = self._units[:start] + self._cut(edit.text) + self._units[end:]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
@settings(max_examples=200)
@given(text=TEXTS, edits=EDITS_AT_RANDOM)
def test_documents_stay_in_step_with_a_reference(encoding: Encoding, text: str, edits: list[Edit]) -> None:
    documents, reference = opened(text, encoding), Reference(text, encoding)
    for version, edit in enumerate(edits, 2):
        if reference.cuts_character(edit):
            continue
        reference.apply(edit)
        documents.change(URI, version, [change(edit.start, edit.end, edit.text)])
        document = documents.get(URI)
        assert isinstance(document, Document)
        assert document.text == reference.text
        assert list(document.starts) == line_starts(document.text)
        lines = range(-len(document.starts), len(document.starts))
        assert [document.starts[line] for line in lines] == 2 * line_starts(document.text)


def test_500_edits_at_once_cost_their_own_lines_only() -> None:
    """Multi-cursor edits and formatters: the text is put together once, not 500 times."""
    documents = opened("value = compute(1)\n" * 10_000)
    documents.change(URI, 2, [change((line, 0), (line, 5), "result") for line in range(0, 10_000, 20)])
    document = documents.get(URI)
    assert isinstance(document, Document)
    assert document.text.count("result") == 500
    assert list(document.starts) == line_starts(document.text)


@pytest.fixture(autouse=True)
def _warnings(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
