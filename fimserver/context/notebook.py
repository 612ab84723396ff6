"""Turn the cells of a notebook into one document, so that a cell is completed in sight of those above and below it.

For all that follows it is a document like any other: its anchor is held while the user types in a cell, and moves to
the next cell as it moves to the next function of a file.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from fimserver.syntax.languages import language_named
from fimserver.values import Document, Span

# An empty line, as between definitions: there a window likes to begin.
_BETWEEN_CELLS = "\n\n"

_PROSE = "markdown"


@dataclass(frozen=True, slots=True)
class Whole:
    """The document in which a text is completed, and the offset at which that text begins in it."""

    document: Document
    start: int = 0

    def inside(self, span: Span) -> Span:
        """Return a span of the text as a span of the document."""
        return Span(self.start + span.start, self.start + span.end)

    def outside(self, span: Span) -> Span:
        """Return a span of the document as a span of the text."""
        return Span(span.start - self.start, span.end - self.start)


def whole_notebook(uri: str, above: Sequence[Document], cell: Document, below: Sequence[Document]) -> Whole:
    r"""Return the notebook as it is seen from one of its cells.

    Cells in the same language stand as they are, Markdown as comments; what is in another language is left out.

    >>> title = Document.of("# Sales", language="markdown")
    >>> whole_notebook("file:///a.ipynb", [title, Document.of("n = 1")], Document.of("n += "), []).document.text
    '# # Sales\n\nn = 1\n\nn += '
    """
    before = "".join(text + _BETWEEN_CELLS for text in _seen(above, cell.language))
    after = "".join(_BETWEEN_CELLS + text for text in _seen(below, cell.language))
    text = before + cell.text + after
    return Whole(Document.of(text, uri=uri, language=cell.language, version=cell.version), len(before))


def _seen(cells: Iterable[Document], language: str) -> Iterator[str]:
    """Yield what a cell in this language sees of others."""
    for cell in cells:
        text = cell.text if cell.language == language else _commented(cell, language)
        if text.strip():
            yield text


def _commented(cell: Document, language: str) -> str:
    """Return prose as comments of a language; nothing where it is no prose, or the language has no such comments."""
    of = language_named(language)
    if cell.language != _PROSE or of is None:
        return ""
    return "\n".join(f"{of.line_comment} {line}".rstrip() for line in cell.text.splitlines())
