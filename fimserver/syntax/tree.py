"""Turn a document into a syntax tree whose positions are code points; the only module that imports tree-sitter.

A tree is kept for each of the last few documents and parsed again from what changed. tree-sitter counts UTF-8 bytes:
for a text that is all ASCII these are its code points, for any other a table of check points turns one into the other.
Text that no parser should be asked about gives None, and callers go on with lines and indentation.
"""

import importlib
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Iterator
from functools import cache
from itertools import accumulate
from time import monotonic

import tree_sitter
from tree_sitter import Node

from fimserver.syntax.languages import Language, language_named
from fimserver.values import Document, Span

__all__ = ["Node", "Tree", "forget", "parse", "parse_text"]

# Beyond this a parse takes longer than a key may: a megabyte of C++ is 0.3 s.
_LARGEST_BYTES = 1_000_000

# A parse that is not done by then is given up: 10,000 lines take 0.05 s to 0.12 s, unnaturally nested text minutes.
_PATIENCE_S = 0.4

# A key pressed in any of the last few documents finds its tree.
_KEPT_TREES = 8

# No person nests deeper; a walk down such a tree stops here.
_DEEPEST_NODE = 400

# One check point for this many code points: a conversion encodes half as many in the mean, in about a microsecond.
_CHECK_POINT_STEP = 2048

# How much of the text is handed to the parser at a time.
_PIECE_BYTES = 65_536


class Tree:
    """A parsed text. `root` and its descendants are tree-sitter's nodes; take their positions from `span`."""

    __slots__ = ("_check_points", "_parsed", "language", "root", "source", "text")

    def __init__(self, text: str, source: bytes, language: Language, parsed: tree_sitter.Tree) -> None:
        self.text = text
        self.source = source
        self.language = language
        self.root: Node = parsed.root_node
        self._parsed = parsed
        self._check_points: list[int] | None = None

    def span(self, node: Node) -> Span:
        """Return the code points a node covers."""
        return Span(self.offset_of(node.start_byte), self.offset_of(node.end_byte))

    def text_of(self, node: Node) -> str:
        """Return the text a node covers."""
        return self.source[node.start_byte : node.end_byte].decode("utf-8", "replace")

    def path(self, offset: int) -> list[Node]:
        """Return the nodes that cover the character at an offset, from the root to the smallest."""
        goal = self.byte_of(offset)
        cursor = self.root.walk()
        nodes = [self.root]
        while len(nodes) < _DEEPEST_NODE and cursor.goto_first_child_for_byte(goal) is not None:
            node = cursor.node
            if node is None or node.start_byte > goal:
                break
            nodes.append(node)
        return nodes

    def byte_of(self, offset: int) -> int:
        """Return the byte at which a code point begins."""
        if len(self.source) == len(self.text):
            return offset
        index = min(offset // _CHECK_POINT_STEP, len(self._points()) - 1)
        return self._points()[index] + len(_encoded(self.text[index * _CHECK_POINT_STEP : offset]))

    def offset_of(self, byte: int) -> int:
        """Return the code point that begins at a byte."""
        if len(self.source) == len(self.text):
            return byte
        index = bisect_right(self._points(), byte) - 1
        behind = self.source[self._points()[index] : byte]
        return index * _CHECK_POINT_STEP + len(behind.decode("utf-8", "ignore"))

    def _points(self) -> list[int]:
        if self._check_points is None:
            self._check_points = list(_check_points(self.text))
        return self._check_points

    def parsed_again(self, text: str, source: bytes) -> "Tree | None":
        """Return the tree of a newer text, made from this one and what differs."""
        start, old_end, new_end = _difference(self.source, source)
        edited = self._parsed.copy()
        edited.edit(
            start,
            old_end,
            new_end,
            _point(self.source, start),
            _point(self.source, old_end),
            _point(source, new_end),
        )
        return _tree(text, source, self.language, edited)


def parse(document: Document) -> Tree | None:
    """Return the document's tree; None where its language is unknown or it cannot be parsed in reasonable time."""
    language = language_named(document.language)
    if language is None:
        return None
    last = _kept.get(document.uri)
    if last is None or last.language is not language:
        return _keep(document, language, parse_text(document.text, language))
    if last.text == document.text or (last.tree is None and _alike_in_size(last.text, document.text)):
        _kept.move_to_end(document.uri)
        return last.tree
    return _keep(document, language, _changed_tree(last.tree, document.text, language))


def parse_text(text: str, language: Language) -> Tree | None:
    """Return the tree of a text that belongs to no open document."""
    source = _encoded(text)
    return _tree(text, source, language, None) if len(source) <= _LARGEST_BYTES else None


def forget(uri: str) -> None:
    """Let go of a closed document's tree."""
    _kept.pop(uri, None)


class _Kept:
    """What became of the last parse of a document: its tree, or None where it could not be had."""

    __slots__ = ("language", "text", "tree")

    def __init__(self, text: str, language: Language, tree: Tree | None) -> None:
        self.text = text
        self.language = language
        self.tree = tree


_kept: OrderedDict[str, _Kept] = OrderedDict()


def _keep(document: Document, language: Language, tree: Tree | None) -> Tree | None:
    _kept[document.uri] = _Kept(document.text, language, tree)
    _kept.move_to_end(document.uri)
    while len(_kept) > _KEPT_TREES:
        _kept.popitem(last=False)
    return tree


def _alike_in_size(old: str, new: str) -> bool:
    """Say whether less than a tenth came or went: what could not be parsed is not tried again at every key."""
    return abs(len(new) - len(old)) * 10 <= len(old)


def _changed_tree(tree: Tree | None, text: str, language: Language) -> Tree | None:
    source = _encoded(text)
    if tree is None or len(source) > _LARGEST_BYTES:
        return parse_text(text, language)
    return tree.parsed_again(text, source)


def _tree(text: str, source: bytes, language: Language, old: tree_sitter.Tree | None) -> Tree | None:
    give_up_at = monotonic() + _PATIENCE_S
    parser = tree_sitter.Parser(_grammar(language.grammar))

    def read(byte: int, _point: object) -> bytes:
        return source[byte : byte + _PIECE_BYTES]

    def is_enough(_byte: int, _has_error: bool) -> bool:
        return monotonic() > give_up_at

    try:
        if old is None:
            parsed = parser.parse(read, progress_callback=is_enough)
        else:
            parsed = parser.parse(read, old, progress_callback=is_enough)
    except ValueError:  # the parser was told to give up
        return None
    return Tree(text, source, language, parsed)


@cache
def _grammar(grammar: tuple[str, str]) -> tree_sitter.Language:
    module, function = grammar
    make: Callable[[], object] = getattr(importlib.import_module(module), function)
    return tree_sitter.Language(make())


def _encoded(text: str) -> bytes:
    # A lone surrogate, which editors can send, becomes one question mark: one code point, one byte.
    return text.encode("utf-8", "replace")


def _check_points(text: str) -> Iterator[int]:
    pieces = (text[start : start + _CHECK_POINT_STEP] for start in range(0, len(text), _CHECK_POINT_STEP))
    return accumulate((len(_encoded(piece)) for piece in pieces), initial=0)


def _difference(old: bytes, new: bytes) -> tuple[int, int, int]:
    """Return where two texts begin to differ, and where each has its common end.

    >>> _difference(b"a = 1", b"a = 12")
    (5, 5, 6)
    """
    start = _longest(min(len(old), len(new)), lambda low, high: old[low:high] == new[low:high])
    most = min(len(old), len(new)) - start
    same = _longest(
        most, lambda low, high: old[len(old) - high : len(old) - low] == new[len(new) - high : len(new) - low]
    )
    return start, len(old) - same, len(new) - same


def _longest(most: int, same: Callable[[int, int], bool]) -> int:
    """Return how many bytes agree, by halving: the comparisons copy each byte once or twice and loop in C."""
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        if same(low, middle):
            low = middle
        else:
            high = middle - 1
    return low


def _point(source: bytes, byte: int) -> tuple[int, int]:
    return source.count(b"\n", 0, byte), byte - (source.rfind(b"\n", 0, byte) + 1)
