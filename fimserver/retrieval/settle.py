"""Decide when the snippets of a prompt change: seldom, because a change costs the evaluation of all that stands after.

While the user types on nobody asks. When they have paused, or gone elsewhere, the snippets change if others are clearly
better. What stays keeps its order at the front, where the engine has already evaluated it; what is new stands behind
it, the best last, next to the text before the cursor.
"""

from collections.abc import Sequence

from fimserver.retrieval.candidate import PATH_TOKENS, estimated_tokens
from fimserver.values import Snippet

# What is true of a moment only goes with it, however little that is worth.
_OF_THE_MOMENT = frozenset({"diagnostics"})

# Others must be worth so many times those in use.
_CLEARLY_BETTER = 1.15


def settled(previous: Sequence[Snippet], candidates: Sequence[Snippet]) -> tuple[Snippet, ...]:
    """Return the snippets to use now. `candidates` are the best for the cursor's place, the best last.

    What is in use counts as far as the candidates still offer it: a file that changed or went is worth nothing.
    """
    previous = [one for one in previous if one.source not in _OF_THE_MOMENT or one in candidates]
    offered = sum(snippet.score for snippet in candidates)
    held = sum(snippet.score * _held_share(snippet, previous) for snippet in candidates)
    if previous and offered <= _CLEARLY_BETTER * held:
        return tuple(previous)
    return in_stable_order(previous, candidates)


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
