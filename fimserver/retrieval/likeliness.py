"""Say how likely a definition is needed at a cursor, as a number from 0 to about 2.

It is what the way to it is worth (imported by name, a member of an imported module, found by its name), how near the
cursor its name stands, and whether it fits what was typed. All sources are compared by these numbers, so they stand
together here. They were chosen on holes cut from open-source packages (`bench/cross_file.py`).
"""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

from fimserver.retrieval.candidate import Candidate, head
from fimserver.retrieval.facts import Facts
from fimserver.retrieval.query import Query

# What the way to a definition is worth.
BY_NAME = 0.6
BY_NAME_AND_UNUSED = 1.0  # an import that nothing uses yet was written for what is typed next
OF_MODULE = 0.12
OF_MODULE_NEAR = 0.2
OF_MODULE_AND_USED = 0.4
OF_PACKAGE = 0.06
BY_SEARCH = 0.3
BY_VARIABLE = 0.3
OF_BASE = 0.3
OF_PARTNER = 0.15
OF_VISITED = 0.08
OF_CLASS = 0.3  # of what the class itself is worth
OF_FIELD = -0.1  # a field's name says what it is; a method must be seen to be called
_PRIVATE = -0.08

# What the cursor has to say.
NEAR = 0.5
_OFTEN = 0.04  # for each doubling of the times the document has it
_POPULAR = 0.025  # for each doubling of the chunks of the workspace that have it
FITS_RECEIVER = 0.6
_FITS_TYPED = 0.8
_CONTRADICTS_TYPED = 0.3  # a factor


def popularity_worth(chunks: int) -> float:
    """Return what it is worth that a name stands in so many chunks of the workspace."""
    return _POPULAR * min(8.0, math.log2(1 + chunks))


def likeliness(query: Query, names: Sequence[str], way: float) -> float:
    """Return how likely a definition is needed that is reached in a way worth this much."""
    if not names:
        return 0.0
    near = max(query.closeness.get(name, 0.0) for name in names)
    often = max(query.counts.get(name, 0) for name in names)
    score = way + NEAR * near + _OFTEN * min(4.0, math.log2(1 + often))
    score += _PRIVATE if names[0].startswith("_") else 0.0
    if query.typed:
        fits = any(name.lower().startswith(query.typed.lower()) for name in names)
        score = score + _FITS_TYPED if fits else score * _CONTRADICTS_TYPED
    return score


def with_members(
    query: Query, path: Path, facts: Facts, index: int, way: float, here: str, source: str
) -> Iterator[Candidate]:
    """Yield a definition, and the members of a class. It goes by the name `here` in the document."""
    definitions = facts.outline.definitions
    one = definitions[index]
    score = likeliness(query, (here, *one.names), way)
    yield head(path, facts, index, score, source)
    for number in _members(facts, index):
        member_way = OF_CLASS * score + (FITS_RECEIVER if here in query.receivers else 0.0)
        member_way += OF_FIELD if definitions[number].head_end == definitions[number].end else 0.0
        yield head(path, facts, number, likeliness(query, definitions[number].names, member_way), source)


def _members(facts: Facts, index: int) -> Iterator[int]:
    """Yield the definitions that stand in another, or say that they belong to it: Go's methods, Rust's `impl`."""
    definitions = facts.outline.definitions
    own = definitions[index].names[:1]
    for number, member in enumerate(definitions):
        belongs = member.parent == index or (own and member.owner == own[0] and number != index)
        if belongs and member.names:
            yield number
