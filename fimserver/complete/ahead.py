"""Turn a shown suggestion into the document it would make, so that what follows can be prepared while it is read."""

from fimserver.text import main_line_ending, spliced_line_starts
from fimserver.values import Completion, CursorContext, Document, Shape, Span


def after_accepting(context: CursorContext, completion: Completion) -> tuple[Document, int]:
    """Return the document once the completion is accepted, and where the user goes on.

    Behind a finished line that is the next line, at the same indentation: the key most people press is Enter.
    """
    document, replaced = context.document, completion.replaces
    ends_line = document.text[replaced.end : replaced.end + 1] in ("", "\n", "\r")
    enter = main_line_ending(document.text) + context.indent if completion.shape is Shape.LINE and ends_line else ""
    return with_text(document, replaced, completion.text + enter)


def with_text(document: Document, replaced: Span, text: str) -> tuple[Document, int]:
    """Return the document with a span replaced, and the offset behind what was put there."""
    whole = document.text[: replaced.start] + text + document.text[replaced.end :]
    starts = spliced_line_starts(document.starts, whole, replaced.start, replaced.end, text)
    after = Document(document.uri, document.language, document.version, whole, starts)
    return after, replaced.start + len(text)
