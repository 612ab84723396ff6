"""Judge the text a model wants in place of what it quoted: it must be code, new, and bring no syntax error.

It is fitted to its place first: the quote's indentation, the document's line ends. What is refused costs the fix only,
not the finding.
"""

from fimserver.errors import EditRefused
from fimserver.review.edits import check_characters, checked
from fimserver.text import leading_blanks, main_line_ending, position_at, with_line_ending
from fimserver.values import Document, Span

# A finding mends a line or a few; who wants to write more was talked into it.
_MOST_LINES = 40


def sound_replacement(document: Document, span: Span, replacement: str | None) -> str | None:
    """Return the text to put in place of a span, None where it should not be put there."""
    if replacement is None or replacement.count("\n") >= _MOST_LINES:
        return None
    try:
        check_characters(replacement, document, span)
    except EditRefused:
        return None
    text = _fitted(document, span, replacement)
    if text.split() == document.text[span.start : span.end].split():
        return None
    return None if checked(document, span, text).new_errors else text


def _fitted(document: Document, span: Span, replacement: str) -> str:
    """Return the replacement with the indentation of where it goes.

    The span begins behind its line's indentation. A replacement that brings it is used without; one that begins at
    column 0 has it put before its other lines.
    """
    start = document.starts[position_at(document.starts, span.start)[0]]
    indent = document.text[start : span.start]
    text = with_line_ending(replacement, "\n").rstrip("\n")
    if not indent.isspace():
        fitted = text
    elif leading_blanks(text) == indent:
        fitted = text.removeprefix(indent)
    else:
        fitted = text.strip("\n").replace("\n", f"\n{indent}").replace(f"\n{indent}\n", "\n\n")
    return with_line_ending(fitted, main_line_ending(document.text))
