"""Count the syntax errors around a place, without a suggestion and with it."""

from fimserver.syntax.tree import Node, Tree, parse_both
from fimserver.values import Document, Span


def error_count(document: Document, start: int, end: int, replacement: str) -> tuple[int, int]:
    """Return how many syntax errors there are as the text is, and with ``[start, end)`` replaced.

    Both are 0 where there is no grammar to judge by. In a long file only the neighbourhood is looked at, the same for
    both counts.
    """
    trees = parse_both(document, Span(start, end), replacement)
    return (_errors(trees[0]), _errors(trees[1])) if trees else (0, 0)


def _errors(tree: Tree) -> int:
    """Count what the parser could not place and what it had to make up."""
    found, waiting = 0, [tree.root]
    while waiting:
        node: Node = waiting.pop()
        if node.has_error:
            found += node.is_error or node.is_missing
            waiting += node.children
    return found
