"""Turn a document into a syntax tree whose positions are code points.

A tree is kept for each of the last few documents, and parsed again from what changed. For one place in a long document
only the neighbourhood is parsed (`parse_near`, see `nearby.py`). Text that no parser should be asked about gives None,
and callers go on with lines and indentation.
"""

import importlib
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from time import monotonic

import tree_sitter
from tree_sitter import Node

from fimserver.syntax.languages import Language, language_named
from fimserver.syntax.nearby import Part, parts_around
from fimserver.syntax.source import Source, difference
from fimserver.values import Document, Span

__all__ = ["Node", "Tree", "forget", "parse", "parse_near", "parse_replaced", "parse_text"]

# Beyond this a parse takes longer than anybody waits: a megabyte of C++ is 0.3 s.
_LARGEST_BYTES = 1_000_000

# A parse that is not done by then is given up: 10,000 lines take 0.05 s to 0.12 s, unnaturally nested text minutes.
_PATIENCE_S = 0.4

# A key pressed in any of the last few documents finds its tree.
_KEPT_TREES = 8

# Up to this length the whole text is parsed again at each key: 0.5 ms in Python, 6 ms in C++ at worst.
_SHORT_BYTES = 32_768

# After so many edits the kept tree says little about where things are, and the whole text is parsed again.
_MOST_EDITS = 400

# No person nests deeper; a walk down such a tree stops here.
_DEEPEST_NODE = 400

# How much of the text is handed to the parser at a time.
_PIECE_BYTES = 65_536


class Tree:
    """A parsed text. `root` and its descendants are tree-sitter's nodes; take their positions from `span`."""

    __slots__ = ("language", "parsed", "root", "source")

    def __init__(self, source: Source, language: Language, parsed: tree_sitter.Tree) -> None:
        self.source = source
        self.language = language
        self.parsed = parsed
        self.root: Node = parsed.root_node

    def span(self, node: Node) -> Span:
        """Return the code points a node covers."""
        return Span(self.source.offset_of(node.start_byte), self.source.offset_of(node.end_byte))

    def text_of(self, node: Node) -> str:
        """Return the text a node covers."""
        return self.source.content[node.start_byte : node.end_byte].decode("utf-8", "replace")

    def path(self, offset: int) -> list[Node]:
        """Return the nodes that cover the character at an offset, from the root to the smallest."""
        goal = self.source.byte_of(offset)
        cursor = self.root.walk()
        nodes = [self.root]
        while len(nodes) < _DEEPEST_NODE and cursor.goto_first_child_for_byte(goal) is not None:
            node = cursor.node
            if node is None or node.start_byte > goal:
                break
            nodes.append(node)
        return nodes


def parse(document: Document) -> Tree | None:
    """Return the document's tree; None where its language is unknown or it cannot be parsed in reasonable time."""
    kept = _current(document)
    if kept is None or kept.tree is None or not kept.edits:
        return kept.tree if kept else None
    tree = _tree(kept.tree.source, kept.tree.language, kept.tree.parsed)
    _kept[document.uri] = _Kept(document.text, kept.language, tree)
    return tree


def parse_near(document: Document, offset: int) -> Tree | None:
    """Return a tree that is right around an offset and may lack what is far from it; None as `parse` does."""
    kept = _current(document)
    if kept is None or kept.tree is None or not kept.edits or _is_cheap(kept.tree) or kept.edits > _MOST_EDITS:
        return parse(document)
    return _neighbourhood(kept.tree, offset)


def parse_replaced(document: Document, replaced: Span, replacement: str) -> Tree | None:
    """Return the tree around a span as it would be with another text there; None as `parse` does."""
    kept = _current(document)
    if kept is None or kept.tree is None:
        return None
    text = document.text[: replaced.start] + replacement + document.text[replaced.end :]
    edited = _edited(kept.tree, Source.of(text))
    if _is_cheap(edited):
        return _tree(edited.source, edited.language, edited.parsed)
    return _neighbourhood(edited, replaced.start)


def parse_text(text: str, language: Language) -> Tree | None:
    """Return the tree of a text that belongs to no open document."""
    source = Source.of(text)
    return _tree(source, language, None) if len(source.content) <= _LARGEST_BYTES else None


def forget(uri: str) -> None:
    """Let go of a closed document's tree."""
    _kept.pop(uri, None)


@dataclass(frozen=True, slots=True)
class _Kept:
    """The last tree of a document, None where none could be had.

    After `edits` edits since it was parsed its nodes stand where they should, but what was typed is not in it.
    """

    text: str
    language: Language
    tree: Tree | None
    edits: int = 0


_kept: OrderedDict[str, _Kept] = OrderedDict()


def _current(document: Document) -> _Kept | None:
    """Return what is kept of the document, moved along with its edits."""
    language = language_named(document.language)
    if language is None:
        return None
    kept = _moved(_kept.get(document.uri), document.text, language)
    _kept[document.uri] = kept
    _kept.move_to_end(document.uri)
    while len(_kept) > _KEPT_TREES:
        _kept.popitem(last=False)
    return kept


def _moved(kept: _Kept | None, text: str, language: Language) -> _Kept:
    if kept is None or kept.language is not language:
        return _Kept(text, language, parse_text(text, language))
    if kept.text == text:
        return kept
    if kept.tree is None:
        # What could not be parsed is not tried again at every key, but when a tenth of it came or went.
        alike = abs(len(text) - len(kept.text)) * 10 <= len(kept.text)
        return kept if alike else _Kept(text, language, parse_text(text, language))
    tree = _edited(kept.tree, Source.of(text))
    return _Kept(text, language, tree if len(tree.source.content) <= _LARGEST_BYTES else None, kept.edits + 1)


def _edited(tree: Tree, source: Source) -> Tree:
    """Return the tree with its nodes where they stand in a newer text."""
    start, old_end, new_end = difference(tree.source.content, source.content)
    parsed = tree.parsed.copy()
    parsed.edit(
        start,
        old_end,
        new_end,
        tree.source.point_of(start),
        tree.source.point_of(old_end),
        source.point_of(new_end),
    )
    return Tree(source, tree.language, parsed)


def _is_cheap(tree: Tree) -> bool:
    return len(tree.source.content) <= _SHORT_BYTES


def _neighbourhood(tree: Tree, offset: int) -> Tree | None:
    """Return a tree of the parts around an offset, as `nearby.py` chooses them from an older tree."""
    parts = parts_around(tree.root, tree.source.byte_of(offset), tree.source)
    return _tree(tree.source, tree.language, None, parts)


def _tree(source: Source, language: Language, old: tree_sitter.Tree | None, parts: Sequence[Part] = ()) -> Tree | None:
    give_up_at = monotonic() + _PATIENCE_S
    # Rows and columns are never asked for, so those of the parts may be anything.
    ranges = [tree_sitter.Range((0, 0), (0, 0), start, end) for start, end in parts]
    parser = tree_sitter.Parser(_grammar(language.grammar), included_ranges=ranges)

    def read(byte: int, _point: object) -> bytes:
        return source.content[byte : byte + _PIECE_BYTES]

    def is_enough(_byte: int, _has_error: bool) -> bool:
        return monotonic() > give_up_at

    try:
        if old is None:
            parsed = parser.parse(read, progress_callback=is_enough)
        else:
            parsed = parser.parse(read, old, progress_callback=is_enough)
    except ValueError:  # the parser was told to give up
        return None
    return Tree(source, language, parsed)


@cache
def _grammar(grammar: tuple[str, str]) -> tree_sitter.Language:
    module, function = grammar
    make: Callable[[], object] = getattr(importlib.import_module(module), function)
    return tree_sitter.Language(make())
