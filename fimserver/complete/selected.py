"""Turn a suggestion behind an entry of the editor's completion list into one for the document as it is.

The entry is chosen but not yet accepted: what is asked about is the document with it, `edited`.
"""

from dataclasses import replace

from fimserver.values import Completion, Document, Outcome, Reason, Rejection, Span


def with_selected(found: Completion, selected: tuple[Span, str], document: Document, edited: Document) -> Outcome:
    """Return the suggestion beginning with the entry and replacing what that would."""
    span, text = selected
    whole = edited.text[span.start : found.replaces.start] + found.text
    if not whole.startswith(text):
        return Rejection(reason=Reason.EMPTY, detail="Nothing goes on from the selected entry.")
    grown = len(edited.text) - len(document.text)
    return replace(found, text=whole, replaces=Span(span.start, found.replaces.end - grown))
