"""Remember where the user has been: the places edited last, oldest first.

A place is a few lines around an edit, as they read now. Of two places that say nearly the same only the newer is kept.
All functions are pure; a ring of places is a tuple.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from fimserver.text import line_end, position_at
from fimserver.values import Document, Span

# Edited places kept. A prompt has room for two or three.
_MOST_PLACES = 16

# Lines of a place above and below the edit, and in all.
_LINES_AROUND = 6
_MOST_LINES = 32

# Two places that share this much of their words say the same.
NEARLY_THE_SAME = 0.8

_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Place:
    """Some lines of a document, as they were when they were edited last. Lines count from 0, `last` is included."""

    uri: str
    first: int
    last: int
    text: str


Ring = tuple[Place, ...]


def after_edit(ring: Ring, old: Document, new: Document) -> Ring:
    """Return the ring after a document changed."""
    if old.text == new.text:
        return ring
    span = edited_span(old.text, new.text)
    first, last = position_at(new.starts, span.start)[0], position_at(new.starts, span.end)[0]
    grown = len(new.starts) - len(old.starts)
    return with_place(tuple(_moved(place, new.uri, first, grown) for place in ring), _place(new, first, last))


def with_place(ring: Ring, place: Place) -> Ring:
    """Return the ring with a new place, without those it overlaps or says nearly the same as."""
    kept = [one for one in ring if not _overlap(one, place) and similarity(one.text, place.text) < NEARLY_THE_SAME]
    return (*kept, place)[-_MOST_PLACES:] if place.text.strip() else tuple(kept)


def edited_span(old: str, new: str) -> Span:
    """Return the part of the new text that is not in the old one.

    >>> edited_span("a = 1", "a = 12")
    Span(start=5, end=6)
    """
    shorter = min(len(old), len(new))
    start = _longest(shorter, lambda length: old[:length] == new[:length])
    same = _longest(shorter - start, lambda length: old[len(old) - length :] == new[len(new) - length :])
    return Span(start, len(new) - same)


def similarity(one: str, other: str) -> float:
    """Return the share of their words that two texts have in common, 0 to 1.

    >>> similarity("put the book", "put the lamp")
    0.5
    """
    words, others = set(_WORD.findall(one)), set(_WORD.findall(other))
    return len(words & others) / len(words | others) if words or others else 1.0


def _place(document: Document, first: int, last: int) -> Place:
    """Return the place around some edited lines, cut at its end where too many were edited at once."""
    first = max(0, first - _LINES_AROUND)
    last = min(len(document.starts) - 1, last + _LINES_AROUND, first + _MOST_LINES - 1)
    text = document.text[document.starts[first] : line_end(document.text, document.starts, last)]
    return Place(document.uri, first, last, text)


def _moved(place: Place, uri: str, edited_line: int, grown: int) -> Place:
    """Return a place where it stands after its document grew by some lines above it."""
    if place.uri != uri or place.first <= edited_line:
        return place
    return replace(place, first=place.first + grown, last=place.last + grown)


def _overlap(one: Place, other: Place) -> bool:
    return one.uri == other.uri and one.first <= other.last and other.first <= one.last


def _longest(most: int, agree: Callable[[int], bool]) -> int:
    """Return the greatest length up to `most` at which the texts agree, by halving."""
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if agree(middle) else (low, middle - 1)
    return low
