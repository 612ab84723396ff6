"""Read a text in which the cursor is drawn: `def f(‸):`."""

from fimserver.values import Completion, Document, Shape, Span

CURSOR = "‸"


def drawn(text: str, *, language: str = "python", uri: str = "file:///project/main.py") -> tuple[Document, int]:
    """Return the document without the mark, and the mark's offset."""
    offset = text.index(CURSOR)
    assert text.count(CURSOR) == 1, "one cursor only"
    return Document.of(text.replace(CURSOR, ""), uri=uri, language=language), offset


def applied(document: Document, completion: Completion) -> str:
    """Return the text after the completion was accepted, the cursor drawn at its end."""
    start, end = completion.replaces.start, completion.replaces.end
    return document.text[:start] + completion.text + CURSOR + document.text[end:]


def completion_of(text: str, start: int, end: int | None = None) -> Completion:
    """Return a completion as the model's answer to a line."""
    return Completion(text=text, replaces=Span(start, start if end is None else end), shape=Shape.LINE, source="model")
