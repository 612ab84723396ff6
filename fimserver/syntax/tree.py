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

from fimserver.syntax.joined import Joined
from fimserver.syntax.languages import Language, language_named
from fimserver.syntax.nearby import parts_around
from fimserver.syntax.parsing import edited, parsed
from fimserver.syntax.source import BYTES_PER_CODE_POINT, Edit, Source, difference
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

# What lies within an edit has no place any more. One of more characters counts as many: two places changed at once.
_LONG_EDIT = 4_096

# The parts chosen for a place hold enough around others that are not farther away.
_NEAR = 256

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
    if kept.edits >= _MOST_EDITS and kept.coming is None:
        old = Tree(kept.tree.source, kept.language, kept.tree.parsed.copy())  # a thread needs a tree of its own
        coming = _threads.submit(_tree_of, old.source, kept.language, old, giving_way=True)
        _kept[document.uri] = replace(kept, coming=coming, since=())
    return _neighbourhood(document, kept, Span(offset, offset))


def parse_with(document: Document, replaced: Span, replacement: str) -> Tree | None:
    """Return the tree around a span as it would be with another text there; None as `parse` does.

    Of a long text it is the tree of the neighbourhood alone, and says nothing of where that stands.
    """
    kept = _current(document)
    if kept is None or kept.tree is None:
        return None
    if _is_cheap(kept.tree):
        return _parsed_again(kept.tree, document.text[: replaced.start] + replacement + document.text[replaced.end :])
    near = _neighbourhood(document, kept, replaced)
    if near is None or near.joined is None:
        return None
    return _parsed_again(near, near.joined.replaced(replaced, replacement))


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
    newer one, or the first, may be `coming` from another thread, of the text before the edits `since`. `near` is the
    last neighbourhood that was parsed, `parts` are what it was parsed from as that stands in this text (None where an
    edit was elsewhere), and `place` is where the place stands now that they were chosen for.
    """

    text: str
    language: Language
    tree: Tree | None
    edits: int = 0
    coming: Future[Tree | None] | None = None
    since: tuple[Edit, ...] = ()
    near: Tree | None = None
    parts: Joined | None = None
    place: Span = Span(0, 0)


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
    return _arrived(kept if kept.text == text else _changed(kept, text))


def _changed(kept: _Kept, text: str) -> _Kept:
    """Return what is kept with its tree moved to a newer text."""
    if kept.tree is None and kept.coming is None:
        # What could not be parsed is not tried again at every key, but when a tenth of it came or went.
        alike = abs(len(text) - len(kept.text)) * 10 <= len(kept.text)
        return kept if alike else _Kept(text, kept.language, parse_text(text, kept.language))
    if len(text) - len(kept.text) >= _UNNATURAL_LENGTH and not _is_parseable(text):
        return _Kept(text, kept.language, None)
    start, old_end, new_end = edit = difference(kept.text, text)
    tree = _edited(kept.tree, [edit], text) if kept.tree else None
    since = (*kept.since, edit) if kept.coming else ()
    parts = kept.parts.edited(Span(start, old_end), text[start:new_end]) if kept.parts else None
    shift = new_end - old_end if old_end <= kept.place.start else 0
    place = Span(kept.place.start + shift, kept.place.end + shift)
    return replace(kept, text=text, tree=tree, edits=kept.edits + _weight(edit), since=since, parts=parts, place=place)


def _arrived(kept: _Kept) -> _Kept:
    """Return what is kept with the tree that has come meanwhile, if one has."""
    if kept.coming is None or not kept.coming.done():
        return kept
    tree = kept.coming.result()
    if tree is None:  # it took too long; an older tree still tells the neighbourhoods
        return replace(kept, edits=min(kept.edits, 1), coming=None, since=())
    tree = _edited(tree, kept.since, kept.text) if kept.since else tree
    return _Kept(kept.text, kept.language, tree, edits=sum(map(_weight, kept.since)), near=kept.near)


def _edited(tree: Tree, edits: Sequence[Edit], text: str) -> Tree:
    """Return the tree with its nodes where they stand in a newer text, after the edits that made it."""
    moved = tree.parsed
    for edit in edits:
        moved = edited(moved, *edit)
    return Tree(Source(text), tree.language, moved)


def _weight(edit: Edit) -> int:
    """Return as how many an edit counts."""
    start, old_end, new_end = edit
    return 1 if max(old_end, new_end) - start <= _LONG_EDIT else _MOST_EDITS


def _is_parseable(text: str) -> bool:
    return len(text) <= _LONGEST and _UNNATURAL.search(text) is None


def _is_cheap(tree: Tree) -> bool:
    return len(tree.source.text) <= _SHORT


def _neighbourhood(document: Document, kept: _Kept, place: Span) -> Tree | None:
    """Return a tree of the parts around a place, as `nearby.py` chooses them from an older tree of the whole.

    They are chosen once for a place and what is typed there.
    """
    whole, near, joined = kept.tree, kept.near, kept.parts
    assert whole is not None
    if joined is None or not _is_near(joined, kept.place, place):
        joined = Joined.of(document.text, parts_around(whole.root, place, whole.source, whole.language.prelude))
        kept = replace(kept, place=place)
    elif near is not None and near.joined is joined:
        return near
    again = _parsed_again(near, joined.text) if near else _tree_of(Source(joined.text), kept.language)
    near = Tree(again.source, again.language, again.parsed, joined) if again else None
    _kept[document.uri] = replace(_kept[document.uri], near=near, parts=joined, place=kept.place)
    return near


def _is_near(joined: Joined, chosen: Span, place: Span) -> bool:
    """Say whether the parts around one place are those around another: close to it, and nothing left out between."""
    between = Span(min(chosen.start, place.start), max(chosen.end, place.end))
    return between.end - between.start <= _NEAR and joined.holds_all_of(between)


def _parsed_again(tree: Tree, text: str) -> Tree | None:
    """Return the tree of a newer text, parsed from what changed."""
    moved = _edited(tree, [difference(tree.source.text, text)], text)
    return _tree_of(moved.source, moved.language, moved)


def _own_span(node: Node) -> Span:
    return Span(node.start_byte // BYTES_PER_CODE_POINT, node.end_byte // BYTES_PER_CODE_POINT)


def _tree_of(source: Source, language: Language, old: Tree | None = None, *, giving_way: bool = False) -> Tree | None:
    found = parsed(source, language, old.parsed if old else None, giving_way=giving_way)
    return Tree(source, language, found) if found is not None else None
