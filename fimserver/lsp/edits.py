r"""Turn a change that an editor reports into the lines that change, by the protocol's own line rules.

A text is a list of its lines, each with its terminator (`\n`, `\r\n` or `\r`); the last has none and may be empty. An
edit costs its own lines only, however long the text. Half a surrogate pair, which JSON can bring, is a character here:
two that come to meet are joined.
"""

import io
import re

from lsprotocol.types import Position, TextDocumentContentChangePartial

from fimserver.lsp.client import Encoding
from fimserver.lsp.convert import column_of, units_of

SURROGATE = re.compile("[\ud800-\udfff]")

Place = tuple[int, int]  # a line, and a column in it


class CannotApply(Exception):
    """A change that does not fit the text it is meant for; the text says why."""


def split_lines(text: str) -> list[str]:
    r"""Return the lines of a text.

    >>> split_lines("a\r\nb\n")
    ['a\r\n', 'b\n', '']
    """
    # As fimserver.text, which finds the starts only, and seven times as fast: a long file is split when it is opened.
    lines = list(io.StringIO(text, newline=""))
    if not lines or lines[-1].endswith(("\n", "\r")):
        lines.append("")
    return lines


def apply_change(
    lines: list[str], change: TextDocumentContentChangePartial, encoding: Encoding
) -> tuple[Place, Place] | None:
    """Replace a range in a list of lines. Raises CannotApply for a range that is none.

    Returns where the range began and ended, None where characters were cut or joined at its ends.
    """
    start, end = change.range.start, change.range.end
    if (end.line, end.character) < (start.line, start.character):
        raise CannotApply(f"a range ends at {_shown(end)}, before its start {_shown(start)}")
    cuts = _cuts_character(lines, start, encoding) or _cuts_character(lines, end, encoding)
    if encoding == "utf-8" and cuts:
        raise CannotApply(f"the range from {_shown(start)} to {_shown(end)} cuts a character")
    first, last = _place(lines, start, encoding), _place(lines, end, encoding)
    halves = any(SURROGATE.search(text) for text in (lines[first[0]], lines[last[0]], change.text))
    if encoding == "utf-16" and (cuts or halves):
        _apply_in_units(lines, change)
        return None
    _splice(lines, first, last, change.text)
    return (first, last) if not halves else None


def _splice(lines: list[str], start: Place, end: Place, inserted: str) -> None:
    """Replace what lies between two places, given as line and column."""
    (first, first_column), (last, last_column) = start, end
    text = lines[first][:first_column] + inserted + lines[last][last_column:]
    if first and lines[first - 1].endswith("\r"):  # a `\r` and a `\n` that have come to meet are one line end
        first -= 1
        text = lines[first] + text
    fresh = split_lines(text)
    if last + 1 < len(lines):
        fresh.pop()  # the empty rest after the last line's terminator, where other lines follow
    lines[first : last + 1] = fresh


def _place(lines: list[str], position: Position, encoding: Encoding) -> Place:
    """Return the line and column of a position, clamped to the line's end or the text's end."""
    if position.line >= len(lines):
        return len(lines) - 1, len(lines[-1])
    line = lines[position.line].rstrip("\r\n")
    return position.line, column_of(line, position.character, encoding)


def _cuts_character(lines: list[str], position: Position, encoding: Encoding) -> bool:
    """Return whether a position lies between the bytes or the surrogates of one character."""
    line, column = _place(lines, position, encoding)
    text = lines[line]
    if encoding == "utf-32" or text.isascii() or line != position.line:
        return False
    return units_of(text[:column], encoding) != min(position.character, units_of(text.rstrip("\r\n"), encoding))


def _apply_in_units(lines: list[str], change: TextDocumentContentChangePartial) -> None:
    """Replace a range in a text of which each character is one UTF-16 unit, and join what has become pairs."""
    in_units = split_lines(_halved("".join(lines)))
    start, end = (_place(in_units, place, "utf-32") for place in (change.range.start, change.range.end))
    _splice(in_units, start, end, _halved(change.text))
    lines[:] = split_lines(_joined("".join(in_units)))


def _halved(text: str) -> str:
    """Return the text with every surrogate pair as two characters."""
    units = text.encode("utf-16-le", "surrogatepass")
    return "".join(chr(units[at] | units[at + 1] << 8) for at in range(0, len(units), 2))


def _joined(text: str) -> str:
    """Return the text with every two characters that are a surrogate pair as one."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def _shown(position: Position) -> str:
    return f"{position.line}:{position.character}"
