"""Turn a shown suggestion into the document it would make, so that what follows can be prepared while it is read."""

from fimserver.text import main_line_ending, spliced_line_starts
from fimserver.values import Completion, CursorContext, Document, Shape, Span


def after_accepting(context: CursorContext, completion: Completion) -> tuple[Document, int]:
    """Return the document once the completion is accepted, and where the user goes on.

    Behind a finished line that is the next line, at the same indentation: the key most people press is Enter.
    """
    document, offset = with_text(context.document, completion.replaces, completion.text)
    if completion.shape is Shape.LINE and document.text[offset : offset + 1] in ("", "\n", "\r"):
        return with_text(document, Span(offset, offset), main_line_ending(document.text) + context.indent)
    return document, offset


def with_text(document: Document, replaced: Span, text: str) -> tuple[Document, int]:
    """Return the document with a span replaced, and the offset behind what was put there."""
    whole = document.text[: replaced.start] + text + document.text[replaced.end :]
    starts = spliced_line_starts(document.starts, whole, replaced.start, replaced.end, text)
    after = Document(document.uri, document.language, document.version, whole, starts)
    return after, replaced.start + len(text)
