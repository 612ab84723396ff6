"""Turn a document into a syntax tree whose positions are code points.

A tree is kept for each of the last few documents, and parsed again from what changed. For one place in a long document
only the neighbourhood is parsed (`parse_near`, see `nearby.py`). Text that no parser should be asked about gives None,
and callers go on with lines and indentation.
"""

import re
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

import tree_sitter
from tree_sitter import Node

from fimserver.syntax.languages import Language, language_named
from fimserver.syntax.nearby import Part, parts_around
from fimserver.syntax.parsing import edited, parsed, parsed_parts
from fimserver.syntax.source import BYTES_PER_CODE_POINT, Source
from fimserver.values import Document, Span

__all__ = ["Node", "Tree", "forget", "parse", "parse_near", "parse_text", "parse_with", "prepare"]

# Beyond so many characters a parse takes longer than anybody waits: a megabyte of C++ is 0.3 s.
_LONGEST = 1_000_000

# So many brackets opened in a row are not code, and what they enclose is slow to parse and to walk.
_UNNATURAL_LENGTH = 200
_UNNATURAL = re.compile(rf"(?:[(\[{{]\s*){{{_UNNATURAL_LENGTH}}}")

# A key pressed in any of the last few documents finds its tree.
_KEPT_TREES = 8

# Up to so many characters the whole text is parsed again at each key: 0.5 ms in Python, 6 ms in C++ at worst.
_SHORT = 32_768

# After so many edits the kept tree says little about where things are, and the whole text is parsed again.
_MOST_EDITS = 400

# No person nests deeper; a walk down such a tree stops here.
_DEEPEST_NODE = 400


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
        return Span(node.start_byte // BYTES_PER_CODE_POINT, node.end_byte // BYTES_PER_CODE_POINT)

    def text_of(self, node: Node) -> str:
        """Return the text a node covers."""
        span = self.span(node)
        return self.source.text[span.start : span.end]

    def path(self, offset: int) -> list[Node]:
        """Return the nodes that cover the character at an offset, from the root to the smallest."""
        goal = offset * BYTES_PER_CODE_POINT
        cursor = self.root.walk()
        nodes = [self.root]
        while len(nodes) < _DEEPEST_NODE and cursor.goto_first_child_for_byte(goal) is not None:
            node = cursor.node
            if node is None or node.start_byte > goal:
                break
            nodes.append(node)
        return nodes


def prepare(document: Document) -> Future[Tree | None] | None:
    """Begin to parse a long document in another thread, so that no key waits for it. Until then it has no tree.

    Returns what tells when it is done; None where the text is short, or parsed already.
    """
    language, kept = language_named(document.language), _kept.get(document.uri)
    if language is None or len(document.text) <= _SHORT or (kept is not None and kept.language is language):
        return None
    coming = _threads.submit(parse_text, document.text, language, giving_way=True)
    _keep(document.uri, _Kept(document.text, language, None, coming=coming))
    return coming


def parse(document: Document) -> Tree | None:
    """Return the document's tree; None where the language is unknown, or the text too long or no code."""
    kept = _current(document)
    if kept is None or kept.tree is None or not kept.edits:
        return kept.tree if kept else None
    tree = _tree_of(kept.tree.source, kept.language, kept.tree)
    # Where that takes too long, the neighbourhoods still come from the older tree.
    _kept[document.uri] = replace(kept, edits=1) if tree is None else _Kept(document.text, kept.language, tree)
    return tree


def parse_near(document: Document, offset: int) -> Tree | None:
    """Return a tree that is right around an offset and may lack what is far from it; None as `parse` does."""
    kept = _current(document)
    if kept is None or kept.tree is None or not kept.edits or _is_cheap(kept.tree):
        return parse(document)
    if kept.edits > _MOST_EDITS and kept.coming is None:
        old = Tree(kept.tree.source, kept.language, kept.tree.parsed.copy())  # a thread needs a tree of its own
        coming = _threads.submit(_tree_of, old.source, kept.language, old, giving_way=True)
        _kept[document.uri] = replace(kept, coming=coming)
    return _neighbourhood(kept.tree, offset)


def parse_with(document: Document, replaced: Span, replacement: str) -> Tree | None:
    """Return the tree around a span as it would be with another text there; None as `parse` does.

    Of a long text it is the tree of the neighbourhood alone, and says nothing of where that stands.
    """
    kept = _current(document)
    if kept is None or kept.tree is None:
        return None
    now, text = kept.tree, document.text[: replaced.start] + replacement + document.text[replaced.end :]
    if _is_cheap(now):
        then = _edited(now, text)
        return _tree_of(then.source, then.language, then)
    parts = parts_around(now.root, replaced.start, now.source, now.language.prelude)
    shifted = (_shifted(part, replaced, len(text) - len(document.text)) for part in parts)
    return _tree_of(Source("".join(text[start:end] for start, end in shifted)), now.language)


def parse_text(text: str, language: Language, *, giving_way: bool = False) -> Tree | None:
    """Return the tree of a text that belongs to no open document, `giving_way` to those somebody waits for."""
    return _tree_of(Source(text), language, giving_way=giving_way) if _is_parseable(text) else None


def forget(uri: str) -> None:
    """Let go of a closed document's tree."""
    _kept.pop(uri, None)


@dataclass(frozen=True, slots=True)
class _Kept:
    """The last tree of a document, None where none could be had.

    After `edits` edits since it was parsed its nodes stand where they should, but what was typed is not in it. A
    newer one, or the first, may be `coming` from another thread.
    """

    text: str
    language: Language
    tree: Tree | None
    edits: int = 0
    coming: Future[Tree | None] | None = None


# One is enough: people open one file after the other.
_threads = ThreadPoolExecutor(max_workers=1, thread_name_prefix="syntax")

_kept: OrderedDict[str, _Kept] = OrderedDict()


def _current(document: Document) -> _Kept | None:
    """Return what is kept of the document, moved along with its edits."""
    language = language_named(document.language)
    if language is None:
        return None
    kept = _moved(_kept.get(document.uri), document.text, language)
    _keep(document.uri, kept)
    return kept


def _keep(uri: str, kept: _Kept) -> None:
    _kept[uri] = kept
    _kept.move_to_end(uri)
    while len(_kept) > _KEPT_TREES:
        _kept.popitem(last=False)


def _moved(kept: _Kept | None, text: str, language: Language) -> _Kept:
    if kept is None or kept.language is not language:
        return _Kept(text, language, parse_text(text, language))
    kept = _arrived(kept)
    if kept.text == text or (kept.tree is None and kept.coming is not None):
        return kept
    if kept.tree is None:
        # What could not be parsed is not tried again at every key, but when a tenth of it came or went.
        alike = abs(len(text) - len(kept.text)) * 10 <= len(kept.text)
        return kept if alike else _Kept(text, language, parse_text(text, language))
    if len(text) - len(kept.text) >= _UNNATURAL_LENGTH and not _is_parseable(text):
        return _Kept(text, language, None)
    return replace(kept, text=text, tree=_edited(kept.tree, text), edits=kept.edits + 1)


def _arrived(kept: _Kept) -> _Kept:
    """Return what is kept with the tree that has come meanwhile, if one has, and its own, older text."""
    if kept.coming is None or not kept.coming.done():
        return kept
    tree = kept.coming.result()
    if tree is None:  # it took too long; an older tree still tells the neighbourhoods
        return replace(kept, edits=min(kept.edits, 1), coming=None)
    return _Kept(tree.source.text, kept.language, tree)


def _edited(tree: Tree, text: str) -> Tree:
    """Return the tree with its nodes where they stand in a newer text."""
    source, start, old_end, new_end = tree.source.changed(text)
    return Tree(source, tree.language, edited(tree.parsed, start, old_end, new_end))


def _is_parseable(text: str) -> bool:
    return len(text) <= _LONGEST and _UNNATURAL.search(text) is None


def _is_cheap(tree: Tree) -> bool:
    return len(tree.source.text) <= _SHORT


def _neighbourhood(tree: Tree, offset: int) -> Tree:
    """Return a tree of the parts around an offset, as `nearby.py` chooses them from an older tree."""
    return _tree_of_parts(tree, parts_around(tree.root, offset, tree.source, tree.language.prelude))


def _shifted(part: Part, replaced: Span, shift: int) -> Part:
    """Return where a part stands after a replacement; the one in which it happens includes all of it."""
    start, end = part
    behind = start > replaced.start and start >= replaced.end
    return start + shift if behind else start, end + shift if end >= replaced.end else end


def _tree_of_parts(tree: Tree, parts: Sequence[Part]) -> Tree:
    return Tree(tree.source, tree.language, parsed_parts(tree.source, tree.language, parts))


def _tree_of(source: Source, language: Language, old: Tree | None = None, *, giving_way: bool = False) -> Tree | None:
    found = parsed(source, language, old.parsed if old else None, giving_way=giving_way)
    return Tree(source, language, found) if found is not None else None
