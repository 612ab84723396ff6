"""Turn the protocol's positions into offsets and completions into items. Only this module knows UTF-8 and UTF-16.

A position's `character` counts units of the encoding agreed upon at the start: bytes, UTF-16 units or code points.
Surrogates that stand alone count as one UTF-16 unit and three bytes; JSON can bring them in.
"""

from dataclasses import dataclass
from typing import Protocol

from lsprotocol import types

from fimserver.lsp.client import Encoding
from fimserver.lsp.names import ACCEPTED
from fimserver.text import line_end, main_line_ending, position_at, with_line_ending
from fimserver.values import Completion, Document, Span


class Place(Protocol):
    """A position of the protocol."""

    line: int
    character: int


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A completion with its name, and the document and cursor it was made for."""

    completion: Completion
    name: str
    document: Document
    cursor: int


def column_of(line: str, units: int, encoding: Encoding) -> int:
    """Return the column that lies `units` into a line, at most the line's length.

    Inside of a character it is that character's own column.

    >>> column_of("a😀b", 3, "utf-16"), column_of("a😀b", 2, "utf-16"), column_of("a😀b", 99, "utf-16")
    (2, 1, 3)
    """
    if encoding == "utf-32" or line.isascii():
        return min(units, len(line))
    if encoding == "utf-8":
        encoded = line.encode("utf-8", "surrogatepass")[: units + 1]
        # The first bytes of characters that begin before the unit; the one that begins at it is not counted.
        begun = sum(byte & 0xC0 != 0x80 for byte in encoded)
        return begun - 1 if len(encoded) > units else begun
    head = line.encode("utf-16-le", "surrogatepass")[: 2 * units].decode("utf-16-le", "surrogatepass")
    return len(head) - 1 if head and head[-1] != line[len(head) - 1] else len(head)


def units_of(text: str, encoding: Encoding) -> int:
    """Return the length of a text in units of the encoding.

    >>> [units_of("a😀", encoding) for encoding in ("utf-8", "utf-16", "utf-32")]
    [5, 3, 2]
    """
    if encoding == "utf-32" or text.isascii():
        return len(text)
    if encoding == "utf-8":
        return len(text.encode("utf-8", "surrogatepass"))
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def offset_of(document: Document, place: Place, encoding: Encoding) -> int:
    """Return the offset of a position, clamped as the protocol asks: to the line's end, or to the text's end."""
    if place.line >= len(document.starts):
        return len(document.text)
    start = document.starts[place.line]
    line = document.text[start : line_end(document.text, document.starts, place.line)]
    return start + column_of(line, place.character, encoding)


def position_of(document: Document, offset: int, encoding: Encoding) -> types.Position:
    """Return the position of an offset."""
    line, column = position_at(document.starts, offset)
    start = document.starts[line]
    return types.Position(line, units_of(document.text[start : start + column], encoding))


def range_of(document: Document, span: Span, encoding: Encoding) -> types.Range:
    """Return the range of a span."""
    return types.Range(position_of(document, span.start, encoding), position_of(document, span.end, encoding))


def is_on_cursor_line(document: Document, span: Span, cursor: int) -> bool:
    """Return whether a span holds the cursor and no line end: editors draw and apply no other."""
    line, _ = position_at(document.starts, cursor)
    first, last = document.starts[line], line_end(document.text, document.starts, line)
    return first <= span.start <= cursor <= span.end <= last


def inline_item(suggestion: Suggestion, encoding: Encoding) -> types.InlineCompletionItem:
    r"""Return a suggestion as ghost text.

    Its lines end with ``\n``: editors put their own line ends in its place, and Neovim shows a ``\r`` as ``^M``.
    """
    completion = suggestion.completion
    return types.InlineCompletionItem(
        insert_text=with_line_ending(completion.text, "\n"),
        range=range_of(suggestion.document, completion.replaces, encoding),
        command=_accepted(suggestion),
    )


def menu_item(suggestion: Suggestion, encoding: Encoding) -> types.CompletionItem:
    """Return a suggestion as an entry of the completion menu.

    It takes in the word before the cursor, because menus compare what was typed of a word with the filter text:
    after `ret‸` the completion `urn x` becomes an entry `return x`. Its lines end as the document's own do.
    """
    completion, text = suggestion.completion, suggestion.document.text
    start = min(completion.replaces.start, _word_start(text, suggestion.cursor))
    whole = text[start : completion.replaces.start] + completion.text
    first_line, _, more = whole.strip().partition("\n")
    return types.CompletionItem(
        label=f"{first_line.rstrip()} …" if more else first_line.rstrip(),
        kind=types.CompletionItemKind.Snippet if more else types.CompletionItemKind.Text,
        detail="fimserver",
        documentation=types.MarkupContent(types.MarkupKind.PlainText, whole) if more else None,
        filter_text=whole.partition("\n")[0],
        insert_text_format=types.InsertTextFormat.PlainText,
        text_edit=types.TextEdit(
            range_of(suggestion.document, Span(start, completion.replaces.end), encoding),
            with_line_ending(whole, main_line_ending(text)),
        ),
        command=_accepted(suggestion),
    )


def _accepted(suggestion: Suggestion) -> types.Command:
    """Return the command by which an editor says that a suggestion was taken whole."""
    return types.Command(title="Accepted", command=ACCEPTED, arguments=[suggestion.name])


def _word_start(text: str, cursor: int) -> int:
    start = cursor
    while start and (text[start - 1].isalnum() or text[start - 1] == "_"):
        start -= 1
    return start
