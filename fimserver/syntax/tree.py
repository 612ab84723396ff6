"""Turn a text into a syntax tree whose positions are code points.

Text that no parser should be asked about gives None, and callers go on with lines and indentation.
"""

import re
from collections.abc import Sequence

import tree_sitter
from tree_sitter import Node

from fimserver.syntax.joined import Joined
from fimserver.syntax.languages import Language
from fimserver.syntax.parsing import edited, parsed
from fimserver.syntax.source import BYTES_PER_CODE_POINT, Edit, Source, difference
from fimserver.values import Span

__all__ = ["UNNATURAL_LENGTH", "Node", "Tree", "after_edits", "is_parseable", "parse_text", "parsed_again", "tree_of"]

# Beyond so many characters a parse takes longer than anybody waits: a megabyte of C++ is 0.3 s.
_LONGEST = 1_000_000

# So many brackets opened in a row are not code, and what they enclose is slow to parse and to walk.
UNNATURAL_LENGTH = 200
_UNNATURAL = re.compile(rf"(?:[(\[{{]\s*){{{UNNATURAL_LENGTH}}}")

# No person nests deeper; a walk down such a tree stops here.
_DEEPEST_NODE = 400


class Tree:
    """A parsed text. `root` and its descendants are tree-sitter's nodes; take their positions from `span`.

    Where the text is `joined` from parts of a document, positions are those in the document.
    """

    __slots__ = ("joined", "language", "parsed", "root", "source")

    def __init__(
        self, source: Source, language: Language, parsed: tree_sitter.Tree, joined: Joined | None = None
    ) -> None:
        self.source = source
        self.language = language
        self.parsed = parsed
        self.joined = joined
        self.root: Node = parsed.root_node

    def span(self, node: Node) -> Span:
        """Return the code points a node covers."""
        own = _own_span(node)
        return own if self.joined is None else self.joined.outside(own)

    def text_of(self, node: Node) -> str:
        """Return the text a node covers."""
        own = _own_span(node)
        return self.source.text[own.start : own.end]

    def path(self, offset: int) -> list[Node]:
        """Return the nodes that cover the character at an offset, from the root to the smallest."""
        own = offset if self.joined is None else self.joined.inside(offset)
        goal = own * BYTES_PER_CODE_POINT
        cursor = self.root.walk()
        nodes = [self.root]
        while len(nodes) < _DEEPEST_NODE and cursor.goto_first_child_for_byte(goal) is not None:
            node = cursor.node
            if node is None or self.span(node).start > offset:
                break
            nodes.append(node)
        return nodes


def parse_text(text: str, language: Language, *, giving_way: bool = False) -> Tree | None:
    """Return the tree of a text that belongs to no open document, `giving_way` to those somebody waits for."""
    return tree_of(Source(text), language, giving_way=giving_way) if is_parseable(text) else None


def is_parseable(text: str) -> bool:
    """Say whether a parser should be asked about a text: it is not too long, and may be code."""
    return len(text) <= _LONGEST and _UNNATURAL.search(text) is None


def tree_of(source: Source, language: Language, old: Tree | None = None, *, giving_way: bool = False) -> Tree | None:
    """Return the tree of a source, None where it takes too long; of an `old` one that has moved along, what is new."""
    found = parsed(source, language, old.parsed if old else None, giving_way=giving_way)
    return Tree(source, language, found) if found is not None else None


def after_edits(tree: Tree, edits: Sequence[Edit], text: str) -> Tree:
    """Return the tree with its nodes where they stand in a newer text, after the edits that made it."""
    moved = tree.parsed
    for edit in edits:
        moved = edited(moved, *edit)
    return Tree(Source(text), tree.language, moved)


def parsed_again(tree: Tree, text: str) -> Tree | None:
    """Return the tree of a newer text, parsed from what changed."""
    moved = after_edits(tree, [difference(tree.source.text, text)], text)
    return tree_of(moved.source, moved.language, moved)


def _own_span(node: Node) -> Span:
    return Span(node.start_byte // BYTES_PER_CODE_POINT, node.end_byte // BYTES_PER_CODE_POINT)
