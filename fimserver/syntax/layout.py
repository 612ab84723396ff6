"""Read a document by its lines and their indentation."""

import re
from collections.abc import Iterator

from fimserver.syntax.languages import Language
from fimserver.syntax.lines import scan
from fimserver.syntax.opening import lacks_its_brace, line_opens_block
from fimserver.text import leading_blanks, line_end
from fimserver.values import Document

# How a tab compares with spaces where a file mixes them.
_TAB_COLUMNS = 4

# So many empty lines in a row end any search for a neighbour.
_FARTHEST_LINES = 200

# So many lines a signature may take, and what is said of it under it.
_LONGEST_HEADER_LINES = 40
_LONGEST_REMARK_LINES = 40

# Where a file shows no indentation of its own; Go's is what its formatter writes.
_UNITS = {"go": "\t"}
_UNIT = "    "

# A line that is a block comment or a documenting string, or ends one.
DOCUMENTATION = re.compile(r"\s*(?:/\*.*\*/|\"\"\"[^\"]+\"\"\"|\'\'\'[^\']+\'\'\'|.*\*/|\"\"\"|\'\'\')\s*")

# Lines that are asked how the file indents.
_SAMPLE_LINES = 100


def columns(blanks: str) -> int:
    """Return how wide an indentation is."""
    return len(blanks.expandtabs(_TAB_COLUMNS))


def line_text(document: Document, line: int) -> str:
    """Return a line without its terminator."""
    return document.text[document.starts[line] : line_end(document.text, document.starts, line)]


def indent_of(document: Document, line: int) -> str:
    """Return the blanks a line begins with."""
    return leading_blanks(line_text(document, line))


def line_above(document: Document, line: int) -> int | None:
    """Return the nearest line above that is not blank."""
    numbers = range(line - 1, max(-1, line - _FARTHEST_LINES), -1)
    return next((number for number in numbers if line_text(document, number).strip()), None)


def line_below(document: Document, line: int) -> int | None:
    """Return the nearest line below that is not blank."""
    numbers = range(line + 1, min(len(document.starts), line + _FARTHEST_LINES))
    return next((number for number in numbers if line_text(document, number).strip()), None)


def header_above(document: Document, line: int, language: Language | None) -> int | None:
    """Return the line that opened a block, if only comments and documentation lie between it and this one."""
    for _ in range(_LONGEST_REMARK_LINES):
        above = line_above(document, line)
        if above is None:
            return None
        text = line_text(document, above)
        if line_opens_block(text, language):
            return above
        if not is_remark(text, language):
            return None
        line = above
    return None


def header_indent(document: Document, line: int, language: Language | None) -> str:
    r"""Return the indentation of the statement that ends on a line: that of the line on which its brackets open.

    >>> header_indent(Document.of("def f(a,\n      b):"), 1, None)
    ''
    """
    missing = scan(line_text(document, line), language).unopened
    for above in range(line - 1, max(-1, line - _LONGEST_HEADER_LINES), -1):
        if missing <= 0:
            break
        line = above
        found = scan(line_text(document, above), language)
        missing += found.unopened - len(found.brackets.replace("{", ""))
    return indent_of(document, line)


def begins_block(document: Document, line: int, text: str, language: Language | None) -> bool:
    """Say whether a block belongs behind the text of a line: it opens one, or its brace belongs on the next line.

    A header without its brace has none where its body stands in the document already.
    """
    if line_opens_block(text, language):
        return True
    below = line_below(document, line)
    has_body = below is not None and (
        line_text(document, below).strip() == "{" or columns(indent_of(document, below)) > columns(leading_blanks(text))
    )
    return not has_body and lacks_its_brace(text, language)


def is_remark(line: str, language: Language | None) -> bool:
    """Say whether a line is nothing but a comment or a documenting string."""
    return scan(line, language).code_end == 0 or DOCUMENTATION.fullmatch(line) is not None


def expected_indent(document: Document, line: int, prefix: str, language: Language | None) -> str:
    """Return the blanks a suggestion's first line should begin with.

    On a line that has text, or blanks that someone typed, these are its own. On an empty line they follow from the
    lines around it: one step in after a header, else as deep as what follows.
    """
    blanks = leading_blanks(prefix)
    if prefix:
        return blanks
    above, below = line_above(document, line), line_below(document, line)
    if above is not None and line_opens_block(line_text(document, above), language):
        return header_indent(document, above, language) + indent_unit(document, above, language)
    return indent_of(document, below) if below is not None else ""


def indent_unit(document: Document, line: int, language: Language | None) -> str:
    """Return one step of indentation as the lines around this one use it."""
    for number in outwards(document, line):
        here, next_line = indent_of(document, number), min(number + 1, len(document.starts) - 1)
        deeper = indent_of(document, next_line)
        if deeper.startswith(here) and here != deeper and line_text(document, next_line).strip():
            return deeper[len(here) :]
    return _UNITS.get(language.id, _UNIT) if language else _UNIT


def outwards(document: Document, line: int) -> Iterator[int]:
    """Yield a line's number and those of its neighbours, the nearest first: the file's habits show in a few of them."""
    lines = len(document.starts)
    for distance in range(_SAMPLE_LINES + 1):
        if line >= distance:
            yield line - distance
        if 0 < distance < min(_SAMPLE_LINES, lines - line):
            yield line + distance
