"""Count the syntax errors around a place, without a suggestion and with it."""

from fimserver.syntax.kept import parse_with
from fimserver.syntax.tree import Node
from fimserver.values import Document, Span


def error_count(document: Document, start: int, end: int, replacement: str) -> tuple[int, int]:
    """Return how many syntax errors there are as the text is, and with ``[start, end)`` replaced.

    Both are 0 where there is no grammar to judge by. In a long file only the neighbourhood is looked at, the same for
    both counts.
    """
    replaced = Span(start, end)
    return _errors(document, replaced, document.text[start:end]), _errors(document, replaced, replacement)


def errors_added(document: Document, start: int, end: int, replacement: str) -> int:
    """Return how many more errors there are with a replacement: at most 0 where there are none with it.

    That is so for most suggestions, and the text as it is need not be looked at then.
    """
    replaced = Span(start, end)
    after = _errors(document, replaced, replacement)
    return after - _errors(document, replaced, document.text[start:end]) if after else 0


def _errors(document: Document, replaced: Span, replacement: str) -> int:
    """Count what the parser could not place and what it had to make up."""
    tree = parse_with(document, replaced, replacement)
    found, waiting = 0, [tree.root] if tree else []
    while waiting:
        node: Node = waiting.pop()
        if node.has_error:
            found += node.is_error or node.is_missing
            waiting += node.children
    return found
