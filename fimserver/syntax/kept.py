"""Turn a document into its syntax tree, which is kept from key to key.

A tree is kept for each of the last few documents, and parsed again from what changed. For one place in a long document
only the neighbourhood is parsed (`parse_near`, see `nearby.py`).
"""

from collections import OrderedDict
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

from fimserver.syntax.joined import Joined
from fimserver.syntax.languages import Language, language_named
from fimserver.syntax.nearby import parts_around
from fimserver.syntax.source import Edit, Source, difference
from fimserver.syntax.tree import UNNATURAL_LENGTH, Tree, after_edits, is_parseable, parse_text, parsed_again, tree_of
from fimserver.values import Document, Span

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
    tree = tree_of(kept.tree.source, kept.language, kept.tree)
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
        coming = _threads.submit(tree_of, old.source, kept.language, old, giving_way=True)
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
        return parsed_again(kept.tree, document.text[: replaced.start] + replacement + document.text[replaced.end :])
    near = _neighbourhood(document, kept, replaced)
    if near is None or near.joined is None:
        return None
    return parsed_again(near, near.joined.replaced(replaced, replacement))


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
    if len(text) - len(kept.text) >= UNNATURAL_LENGTH and not is_parseable(text):
        return _Kept(text, kept.language, None)
    start, old_end, new_end = edit = difference(kept.text, text)
    tree = after_edits(kept.tree, [edit], text) if kept.tree else None
    since = (*kept.since, edit) if kept.coming else ()
    parts = kept.parts.edited(Span(start, old_end), text[start:new_end]) if kept.parts else None
    place = _place_after(kept.place, edit)
    return replace(kept, text=text, tree=tree, edits=kept.edits + _weight(edit), since=since, parts=parts, place=place)


def _place_after(place: Span, edit: Edit) -> Span:
    """Return where a place stands after an edit: one before it moves it along."""
    _, old_end, new_end = edit
    shift = new_end - old_end if old_end <= place.start else 0
    return Span(place.start + shift, place.end + shift)


def _arrived(kept: _Kept) -> _Kept:
    """Return what is kept with the tree that has come meanwhile, if one has."""
    if kept.coming is None or not kept.coming.done():
        return kept
    tree = kept.coming.result()
    if tree is None:  # it took too long; an older tree still tells the neighbourhoods
        return replace(kept, edits=min(kept.edits, 1), coming=None, since=())
    tree = after_edits(tree, kept.since, kept.text) if kept.since else tree
    return _Kept(kept.text, kept.language, tree, edits=sum(map(_weight, kept.since)), near=kept.near)


def _weight(edit: Edit) -> int:
    """Return as how many an edit counts."""
    start, old_end, new_end = edit
    return 1 if max(old_end, new_end) - start <= _LONG_EDIT else _MOST_EDITS


def _is_cheap(tree: Tree) -> bool:
    return len(tree.source.text) <= _SHORT


def _neighbourhood(document: Document, kept: _Kept, place: Span) -> Tree | None:
    """Return a tree of the parts around a place, as `nearby.py` chooses them from an older tree of the whole.

    They are chosen once for a place and what is typed there.
    """
    whole, near, joined, chosen = kept.tree, kept.near, kept.parts, kept.place
    assert whole is not None
    if joined is None or not _is_near(joined, chosen, place):
        joined = Joined.of(document.text, parts_around(whole.root, place, whole.source, whole.language.prelude))
        chosen = place
    elif near is not None and near.joined is joined:
        return near
    again = parsed_again(near, joined.text) if near else tree_of(Source(joined.text), kept.language)
    near = Tree(again.source, again.language, again.parsed, joined) if again else None
    _kept[document.uri] = replace(_kept[document.uri], near=near, parts=joined, place=chosen)
    return near


def _is_near(joined: Joined, chosen: Span, place: Span) -> bool:
    """Say whether the parts around one place are those around another: close to it, and nothing left out between."""
    between = Span(min(chosen.start, place.start), max(chosen.end, place.end))
    return between.end - between.start <= _NEAR and joined.holds_all_of(between)
