"""Decide when the snippets of a prompt change: seldom, because a change costs the evaluation of all that stands after.

    typing on in one place            the snippets stay as they are
    paused, or gone elsewhere         they change if others are clearly better

What stays keeps its order at the front, where the engine has already evaluated it; what is new stands behind it, the
best last, next to the text before the cursor.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from fimserver.retrieval.candidate import PATH_TOKENS, estimated_tokens
from fimserver.values import Snippet

# Others must be worth so much more than those in use: a little when the user paused, a lot when they went elsewhere,
# for then somebody waits.
_CLEARLY_BETTER_PAUSED = 1.15
_CLEARLY_BETTER_MOVED = 2.0

# Lines the cursor may go and still be in the same place.
_SAME_PLACE_LINES = 24


@dataclass(frozen=True, slots=True)
class Settled:
    """The snippets in use for a document, and where the cursor was when they were chosen."""

    snippets: tuple[Snippet, ...] = ()
    line: int = -1

    def is_near(self, line: int) -> bool:
        """Tell whether a cursor is still in the place these were chosen for."""
        return abs(line - self.line) <= _SAME_PLACE_LINES


def settled(previous: Settled | None, candidates: Sequence[Snippet], *, line: int, paused: bool) -> Settled:
    """Return the snippets to use now. `candidates` are the best for the cursor's place, the best last.

    What is in use counts as far as the candidates still offer it: a file that changed or went is worth nothing.
    """
    fresh = Settled(tuple(candidates), line)
    if previous is None:
        return fresh
    if not paused and previous.is_near(line):
        return previous
    needed = _CLEARLY_BETTER_PAUSED if paused else _CLEARLY_BETTER_MOVED
    offered = sum(snippet.score for snippet in candidates)
    held = sum(snippet.score * _held_share(snippet, previous.snippets) for snippet in candidates)
    if offered <= needed * held:
        return Settled(previous.snippets, line)
    return Settled(in_stable_order(previous.snippets, candidates), line)


def in_stable_order(previous: Sequence[Snippet], chosen: Sequence[Snippet]) -> tuple[Snippet, ...]:
    """Return the chosen snippets, those in use already first and in their order, the best of the new ones last."""
    texts = {(snippet.path, snippet.text): snippet for snippet in chosen}
    kept = [texts[key] for one in previous if (key := (one.path, one.text)) in texts]
    return (*kept, *(snippet for snippet in chosen if snippet not in kept))


def within(snippets: Sequence[Snippet], limit_tokens: int) -> tuple[Snippet, ...]:
    """Return the snippets, without the least likely ones where all do not fit."""
    left, kept = limit_tokens, set[int]()
    for index in sorted(range(len(snippets)), key=lambda index: -snippets[index].score):
        cost = estimated_tokens(snippets[index].text) + PATH_TOKENS
        if cost <= left:
            left -= cost
            kept.add(index)
    return tuple(snippet for index, snippet in enumerate(snippets) if index in kept)


def _held_share(wanted: Snippet, held: Sequence[Snippet]) -> float:
    """Return the share of a snippet's lines that are in use already."""
    lines = set(wanted.text.split("\n"))
    known = {line for snippet in held if snippet.path == wanted.path for line in snippet.text.split("\n")}
    return len(lines & known) / len(lines)
