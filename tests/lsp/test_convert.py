"""Positions count bytes, UTF-16 units or code points; items have a range on one line around the cursor."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fimserver.lsp.client import Encoding
from fimserver.lsp.convert import (
    Suggestion,
    column_of,
    inline_item,
    is_on_cursor_line,
    menu_item,
    offset_of,
    position_of,
    units_of,
)
from fimserver.values import Completion, Document, Shape, Span
from tests.drawn import drawn
from tests.texts import ANY_CHARACTER

ENCODINGS: tuple[Encoding, ...] = ("utf-8", "utf-16", "utf-32")

LINES = st.text(st.sampled_from("ab é漢😀\u0301\f\x85\u2028\ud800\udc00") | ANY_CHARACTER)


@dataclass(frozen=True)
class At:
    line: int
    character: int


COLUMNS = {
    "bytes": ("aé漢😀b", "utf-8", [0, 1, 1, 2, 2, 2, 3, 3, 3, 3, 4, 5, 5]),
    "UTF-16 units": ("aé漢😀b", "utf-16", [0, 1, 2, 3, 3, 4, 5, 5]),
    "code points": ("aé漢😀b", "utf-32", [0, 1, 2, 3, 4, 5, 5]),
    "halves of surrogate pairs count one unit": ("\ud83dx", "utf-16", [0, 1, 2, 2]),
    "halves of surrogate pairs count three bytes": ("\ud83dx", "utf-8", [0, 0, 0, 1, 2, 2]),
    "an empty line": ("", "utf-16", [0, 0, 0]),
}


@pytest.mark.parametrize(("line", "encoding", "columns"), COLUMNS.values(), ids=COLUMNS)
def test_columns_are_rounded_down_to_a_character_and_clamped_to_the_line(
    line: str, encoding: Encoding, columns: list[int]
) -> None:
    assert [column_of(line, units, encoding) for units in range(len(columns))] == columns


@pytest.mark.parametrize("encoding", ENCODINGS)
@given(line=LINES)
def test_every_column_survives_the_way_out_and_back(line: str, encoding: Encoding) -> None:
    for column in range(len(line) + 1):
        assert column_of(line, units_of(line[:column], encoding), encoding) == column


@pytest.mark.parametrize("encoding", ENCODINGS)
@given(text=st.text(st.sampled_from("aé😀\r\n\f\u2028")))
def test_every_offset_survives_the_way_out_and_back(text: str, encoding: Encoding) -> None:
    document = Document.of(text)
    for offset in range(len(text) + 1):
        inside_line_end = text[offset - 1 : offset + 1] == "\r\n"
        if not inside_line_end:
            assert offset_of(document, position_of(document, offset, encoding), encoding) == offset


OFFSETS = {
    "S2: past the end of the last line is its end": ("abc", 0, 10, 3),
    "S3: one past a line's end is its end": ("ab\ncd", 0, 3, 2),
    "S3: one past a line's end stays before CRLF": ("ab\r\ncd", 0, 3, 2),
    "S4: far past an inner line's end is its end": ("ab\ncd\nef", 1, 99, 5),
    "S5: a line past the end is the text's end": ("ab\ncd", 7, 0, 5),
    "S1: form feed is no line end": ("a\fb\nc", 1, 0, 4),
    "S1: U+2028 is no line end": ("a\u2028b\nc", 1, 0, 4),
    "S1: U+0085 is no line end": ("a\x85b\nc", 1, 0, 4),
    "S6: a lone CR is a line end": ("a\rb", 1, 1, 3),
    "S7: inside a surrogate pair is before it": ("a😀b", 0, 2, 1),
    "an empty text": ("", 0, 0, 0),
}


@pytest.mark.parametrize(("text", "line", "character", "offset"), OFFSETS.values(), ids=OFFSETS)
def test_positions_are_clamped(text: str, line: int, character: int, offset: int) -> None:
    assert offset_of(Document.of(text), At(line, character), "utf-16") == offset


SPANS = {
    "the cursor alone": ("ab‸c", 2, 2, True),
    "from the line's start to its end": ("x\nab‸c\ny", 2, 5, True),
    "a closing tail": ("f(‸)", 2, 3, True),
    "over the line's end": ("ab‸\ncd", 2, 4, False),
    "over the line's start": ("x\nab‸", 1, 4, False),
    "before the cursor only": ("abc‸", 0, 1, False),
    "after the cursor only": ("‸abc", 1, 2, False),
    "into the middle of CRLF": ("ab‸\r\n", 2, 3, False),
}


@pytest.mark.parametrize(("text", "start", "end", "sound"), SPANS.values(), ids=SPANS)
def test_a_range_holds_the_cursor_and_no_line_end(text: str, start: int, end: int, sound: bool) -> None:
    document, cursor = drawn(text)
    assert is_on_cursor_line(document, Span(start, end), cursor) is sound


def suggestion(drawing: str, text: str, *, before: int = 0, after: int = 0) -> Suggestion:
    """A suggestion that replaces so many characters before and after the cursor."""
    document, cursor = drawn(drawing)
    span = Span(cursor - before, cursor + after)
    return Suggestion(Completion(text=text, replaces=span, shape=Shape.LINE, source="model"), "c7", document, cursor)


@pytest.mark.parametrize(("encoding", "character"), [("utf-8", 5), ("utf-16", 3), ("utf-32", 2)])
def test_ghost_text_always_has_a_range_and_a_command_that_names_it(encoding: Encoding, character: int) -> None:
    item = inline_item(suggestion("a😀‸)", "x)", after=1), encoding)
    assert item.insert_text == "x)"
    assert item.range is not None
    assert (item.range.start.character, item.range.end.character) == (character, character + 1)
    assert item.command is not None
    assert (item.command.command, item.command.arguments) == ("fimserver.accepted", ["c7"])


def test_ghost_text_has_plain_line_ends_in_a_crlf_document() -> None:
    assert inline_item(suggestion("a\r\nb‸\r\n", "\r\nc"), "utf-16").insert_text == "\nc"


MENU = {
    # name: (text, completion, replaced characters before and after the cursor; label, filter text, new text, start)
    "the word before the cursor is taken in": ("    ret‸", "urn x", 0, 0, "return x", "return x", "return x", 4),
    "after a dot there is no word": ("a.‸", "b()", 0, 0, "b()", "b()", "b()", 2),
    "a closing tail is replaced": ("f(‸)", "x)", 0, 1, "x)", "x)", "x)", 2),
    "blanks are replaced by a dedent": ("    ‸", "else:", 4, 0, "else:", "else:", "else:", 0),
    "of more lines the first is shown": ("if x‸", ":\n    y", 0, 0, "x: …", "x:", "x:\n    y", 3),
    "line ends are the document's own": ("a\r\nb‸", "\n  c", 0, 0, "b …", "b", "b\r\n  c", 0),
}


@pytest.mark.parametrize(
    ("text", "new", "before", "after", "label", "filter_text", "new_text", "start"), MENU.values(), ids=MENU
)
def test_menu_entries(
    text: str, new: str, before: int, after: int, label: str, filter_text: str, new_text: str, start: int
) -> None:
    item = menu_item(suggestion(text, new, before=before, after=after), "utf-16")
    edit = item.text_edit
    assert edit is not None
    assert (item.label, item.filter_text, edit.new_text) == (label, filter_text, new_text)
    assert edit.range.start.character == start  # type: ignore[union-attr]
