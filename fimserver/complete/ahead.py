"""Turn a shown suggestion into the document it would make, so that what follows can be prepared while it is read."""

from fimserver.text import main_line_ending
from fimserver.values import Completion, CursorContext, Document, Shape


def after_accepting(context: CursorContext, completion: Completion) -> tuple[Document, int]:
    """Return the document once the completion is accepted, and where the user goes on.

    Behind a finished line that is the next line, at the same indentation: the key most people press is Enter.
    """
    document, replaced = context.document, completion.replaces
    ends_line = document.text[replaced.end : replaced.end + 1] in ("", "\n", "\r")
    enter = main_line_ending(document.text) + context.indent if completion.shape is Shape.LINE and ends_line else ""
    inserted = completion.text + enter
    return document.edited(replaced, inserted), replaced.start + len(inserted)
