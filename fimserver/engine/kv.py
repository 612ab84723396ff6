"""Keep the book of what the KV cache holds, and plan where a prompt is evaluated: go on, branch off, or start anew.

Nothing here calls llama.cpp; `memory.py` carries the plans out. Several sequences live in one cache of `cells`. A
sequence that branches off shares the cells of what it has in common with its source, so the old anchor and the new one,
or two files, stay warm side by side. The least recently used goes first when cells run short.

Models that cannot forget a part of a sequence (recurrent ones, sliding windows) are not `rewindable`: for them only a
sequence that is a prefix of the prompt as a whole is of use.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import count, islice

# Going on in a sequence forgets what it holds beyond the common part. Up to this much is cheap to evaluate again (the
# last suggestion, a deleted line); a longer tail is worth a sequence of its own.
CHEAP_TAIL_TOKENS = 64

# Less than this in common is not worth the bookkeeping of sharing it.
LEAST_SHARED_TOKENS = 16


@dataclass(slots=True)
class Held:
    """What one sequence holds. `cells` names the cell of each token: shared cells appear in several sequences."""

    number: int
    tokens: list[int] = field(default_factory=list)
    cells: list[int] = field(default_factory=list)
    used_at: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """How to evaluate a prompt: empty `clear`, then run on `sequence`, whose first `keep` tokens are there.

    With `branch_from` they are another sequence's, to be shared first. What `sequence` holds beyond them is forgotten.
    """

    sequence: int
    keep: int
    branch_from: int | None = None
    clear: tuple[int, ...] = ()


def common_length(left: Sequence[int], right: Sequence[int]) -> int:
    """Return how many tokens two lists have in common at their beginning."""
    shorter = min(len(left), len(right))
    if left[:shorter] == right[:shorter]:
        return shorter
    return next(index for index in range(shorter) if left[index] != right[index])


def _saying(tokens: Iterable[int], text: bytes, piece_of: Callable[[int], bytes]) -> list[int]:
    """Return the tokens up to the one that says something else, or more."""
    saying: list[int] = []
    for token in tokens:
        piece = piece_of(token)
        if not piece or not text.startswith(piece):
            break
        saying.append(token)
        text = text[len(piece) :]
    return saying


class Book:
    """What each sequence of the cache holds."""

    def __init__(self, cells: int, sequences: int, *, rewindable: bool = True) -> None:
        self.cells = cells
        self.rewindable = rewindable
        self.held = [Held(number) for number in range(sequences)]
        self._taken = 0
        self._clock = count(1)
        self._next_cell = count()

    def plan(self, tokens: Sequence[int], *, needs_logits: bool = True, busy: Iterable[int] = ()) -> Plan:
        """Return where to evaluate a prompt with the least work. Changes nothing.

        With `needs_logits` the last token is evaluated even where it is there already. Without, this is warming: what
        somebody may be typing behind is not forgotten for it. `busy` sequences belong to paused work: their tail is
        not forgotten, and they are cleared last.
        """
        resting, length = frozenset(busy), len(tokens)
        source, keep = self._best_source(tokens, length - needs_logits)
        other = self._victim(resting | {source.number})
        worth_it = keep >= min(LEAST_SHARED_TOKENS, length - needs_logits)  # the whole of a short prompt is, too
        may_forget = worth_it and source.number not in resting and (needs_logits or other is None)
        if keep and self._goes_on(source, keep, may_forget=may_forget):
            plan = Plan(source.number, keep)
        elif other is not None and keep >= LEAST_SHARED_TOKENS:
            plan = Plan(other.number, keep, source.number, (other.number,))
        else:
            return self.anew(length, busy=resting)
        return self._with_room(plan, length, resting)

    def said(self, tokens: Sequence[int], text: bytes, piece_of: Callable[[int], bytes]) -> list[int]:
        """Return what some sequence holds behind these tokens, as far as that says the text.

        A word is said again for every key in it: what was chosen for its beginning before would be chosen again.
        """
        behind = (
            _saying(islice(held.tokens, len(tokens), None), text, piece_of)
            for held in self.held
            if common_length(held.tokens, tokens) == len(tokens)
        )
        return max(behind, key=len, default=[])

    def anew(self, length: int, *, busy: Iterable[int] = ()) -> Plan:
        """Return the plan for so many tokens that have nothing in common with what is there."""
        resting = frozenset(busy)
        number = (self._victim(resting) or self._victim(frozenset()) or self.held[0]).number
        return self._with_room(Plan(number, 0, clear=(number,)), length, resting)

    def room_for(self, wanted: int, sequence: int, busy: Iterable[int] = ()) -> tuple[int, ...] | None:
        """Return the sequences to clear so that `sequence` can grow by `wanted` tokens; None where nothing helps."""
        return self._clearing(wanted, {sequence}, frozenset(busy), frozenset())

    def spare(self, sequence: int, busy: Iterable[int] = ()) -> int | None:
        """Return another sequence that may be emptied, None where all others are busy."""
        held = self._victim(frozenset(busy) | {sequence})
        return None if held is None else held.number

    def cells_taken(self, without: Iterable[int] = ()) -> int:
        """Return how many cells would be taken without some sequences; shared ones are counted once."""
        gone = frozenset(without)
        return len(frozenset[int]().union(*(held.cells for held in self.held if held.number not in gone)))

    def clear(self, sequence: int) -> None:
        """Note that a sequence was emptied."""
        self.cut(sequence, 0)

    def cut(self, sequence: int, length: int) -> None:
        """Note that a sequence was cut to its first tokens."""
        del self.held[sequence].tokens[length:]
        del self.held[sequence].cells[length:]
        self._taken = self.cells_taken()

    def branch(self, source: int, target: int, length: int) -> None:
        """Note that `target` now shares the first tokens of `source`."""
        self.held[target].tokens = self.held[source].tokens[:length]
        self.held[target].cells = self.held[source].cells[:length]
        self._taken = self.cells_taken()

    def extend(self, sequence: int, tokens: Sequence[int]) -> None:
        """Note that tokens were evaluated at a sequence's end."""
        held = self.held[sequence]
        held.tokens.extend(tokens)
        held.cells.extend(islice(self._next_cell, len(tokens)))
        self._taken += len(tokens)
        self.touch(sequence)

    def touch(self, sequence: int) -> None:
        """Note that a sequence was used just now."""
        self.held[sequence].used_at = next(self._clock)

    def _best_source(self, tokens: Sequence[int], most: int) -> tuple[Held, int]:
        """Return the sequence with the longest beginning in common; of equals the shortest, then the latest used."""

        def rank(held: Held) -> tuple[int, int, int]:
            return self._usable(held, tokens, most), -len(held.tokens), held.used_at

        best = max(self.held, key=rank)
        return best, self._usable(best, tokens, most)

    def _usable(self, held: Held, tokens: Sequence[int], most: int) -> int:
        common = min(common_length(held.tokens, tokens), most)
        return common if self.rewindable or common == len(held.tokens) else 0

    def _goes_on(self, source: Held, keep: int, *, may_forget: bool) -> bool:
        """Say whether a sequence is gone on in: nothing is forgotten for that, or little."""
        tail = len(source.tokens) - keep
        return tail == 0 or (may_forget and tail <= CHEAP_TAIL_TOKENS)

    def _victim(self, spared: frozenset[int]) -> Held | None:
        """Return an empty sequence, else the least recently used one."""
        candidates = [held for held in self.held if held.number not in spared]
        return min(candidates, key=lambda held: (bool(held.tokens), held.used_at), default=None)

    def _with_room(self, plan: Plan, length: int, busy: frozenset[int]) -> Plan:
        """Return the plan with whatever else must be cleared for the prompt to fit."""
        spared = {plan.sequence} | ({plan.branch_from} if plan.branch_from is not None else set())
        freed = frozenset(plan.clear)
        tail = len(self.held[plan.sequence].tokens) - plan.keep if not freed else 0
        more = self._clearing(length - plan.keep - tail, spared, busy, freed)
        if more is None and plan.branch_from is not None:  # the source's own tail is in the way: go on there instead
            return self._with_room(Plan(plan.branch_from, plan.keep), length, busy)
        return Plan(plan.sequence, plan.keep, plan.branch_from, plan.clear + (more or ()))

    def _clearing(
        self, wanted: int, spared: set[int], busy: frozenset[int], cleared: frozenset[int]
    ) -> tuple[int, ...] | None:
        """Return what to clear, idle sequences before busy ones, longest unused first, for `wanted` free cells."""
        taken = self.cells_taken(cleared) if cleared else self._taken
        if self.cells - taken >= wanted:
            return ()
        order = sorted(
            (held for held in self.held if held.tokens and held.number not in spared | cleared),
            key=lambda held: (held.number in busy, held.used_at),
        )
        chosen: list[int] = []
        for held in order:
            chosen.append(held.number)
            if self.cells - self.cells_taken(cleared | set(chosen)) >= wanted:
                return tuple(chosen)
        return None
