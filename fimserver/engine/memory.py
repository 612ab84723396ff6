"""Carry the plans of `kv.py` out on llama.cpp's KV cache, and keep the book in step with what is really there.

Work that is paused owns its sequence until other work takes it over; it then finds that it has lost it, and takes one
again. What llama.cpp reports after an interrupted batch decides, never what was asked for.
"""

import logging
from collections.abc import Sequence

from fimserver.engine.kv import Book
from fimserver.engine.llama import KvFull, Llama
from fimserver.engine.saved import SavedStates
from fimserver.errors import EngineUnavailable

_log = logging.getLogger(__name__)

# Of the sequences in the cache, those of the files at hand are worth keeping; the rest is their older anchors.
MOST_SAVED = 4


class Memory:
    """The KV cache of one model."""

    def __init__(self, llama: Llama, saved: SavedStates | None = None) -> None:
        self._llama, self._saved = llama, saved
        self.book = Book(llama.options.cells, llama.options.sequences, rewindable=llama.rewindable)
        self.evaluated_tokens = self.prompt_tokens = 0  # since the model was loaded: all, and those of prompts
        self._owners: dict[int, object] = {}

    def take(self, owner: object, tokens: Sequence[int], *, needs_logits: bool = True) -> tuple[int, int]:
        """Return a sequence for the owner, and how many of the tokens it already holds."""
        self.release(owner)
        plan = self.book.plan(tokens, needs_logits=needs_logits, busy=self._owners)
        if self._restore_better(tokens, plan.keep):
            plan = self.book.plan(tokens, needs_logits=needs_logits, busy=self._owners)
        for sequence in plan.clear:
            self._clear(sequence)
        if plan.branch_from is not None:
            self._llama.share(plan.branch_from, plan.sequence, plan.keep)
            self.book.branch(plan.branch_from, plan.sequence, plan.keep)
        self._owners[plan.sequence] = owner
        self.book.touch(plan.sequence)
        return plan.sequence, self._cut(plan.sequence, plan.keep)

    def owns(self, owner: object, sequence: int | None) -> bool:
        """Return whether nobody has taken the owner's sequence over."""
        return sequence is not None and self._owners.get(sequence) is owner

    def length(self, sequence: int) -> int:
        """Return how many tokens a sequence holds."""
        return len(self.book.held[sequence].tokens)

    def tokens(self, sequence: int) -> Sequence[int]:
        """Return the tokens a sequence holds."""
        return self.book.held[sequence].tokens

    def evaluate(self, sequence: int, tokens: Sequence[int], rows: Sequence[int] = ()) -> bool:
        """Evaluate tokens at a sequence's end; return False where it was interrupted. Raises EngineUnavailable."""
        for number in self.book.room_for(len(tokens), sequence, self._owners) or ():
            self._clear(number)
        start = self.length(sequence)
        try:
            done = self._llama.decode(tokens, start, sequence, rows=rows)
        except KvFull:
            done = self._evaluate_alone(sequence, tokens, rows)
        if done:
            self.book.extend(sequence, tokens)
            self.evaluated_tokens += len(tokens)
        else:
            self._cut(sequence, start)
        return done

    def leave_behind(self, owner: object, sequence: int) -> int:
        """Leave the owner's sequence as it is for whoever comes next, and return another one that goes on from it."""
        target = self.book.spare(sequence, self._owners)
        if target is None:
            return sequence
        self._clear(target)
        length = self.length(sequence)
        self._llama.share(sequence, target, length)
        self.book.branch(sequence, target, length)
        self.book.touch(sequence)
        del self._owners[sequence]
        self._owners[target] = owner
        return target

    def cut(self, sequence: int, length: int) -> None:
        """Forget what a sequence holds beyond `length`; where the model cannot, it is emptied."""
        self._cut(sequence, length)

    def release(self, owner: object) -> None:
        """Let go of what the owner holds; its tokens stay for whoever begins with them."""
        self._owners = {sequence: holder for sequence, holder in self._owners.items() if holder is not owner}

    def drop(self, owner: object) -> None:
        """Empty the owner's sequence: what it holds is not to be trusted."""
        for sequence in [number for number, holder in self._owners.items() if holder is owner]:
            self._clear(sequence)

    def clear(self) -> None:
        """Empty every sequence."""
        for held in self.book.held:
            self._clear(held.number)

    def save(self) -> None:
        """Save what was used last, for the next engine."""
        if self._saved is None:
            return
        done: list[list[int]] = []
        for held in sorted(self.book.held, key=lambda held: -held.used_at)[:MOST_SAVED]:
            if not any(tokens[: len(held.tokens)] == held.tokens for tokens in done):
                self._saved.write(held.tokens, self._llama.state(held.number))
                done.append(held.tokens)

    def _restore_better(self, tokens: Sequence[int], keep: int) -> bool:
        """Read a saved state into a sequence, if one has clearly more of a prompt than the cache."""
        saved = self._saved and self._saved.best_for(tokens, better_than=keep, whole=not self._llama.rewindable)
        if not saved or not self._saved:
            return False
        plan = self.book.anew(len(saved.tokens), busy=self._owners)
        for sequence in plan.clear:
            self._clear(sequence)
        state = self._saved.read(saved)
        if state and self._llama.set_state(plan.sequence, state):
            self.book.extend(plan.sequence, saved.tokens)
            if self._cut(plan.sequence, len(saved.tokens)):
                return True
        self._clear(plan.sequence)
        self._saved.forget(saved)
        return False

    def _cut(self, sequence: int, length: int) -> int:
        """Cut a sequence to `length` tokens, or to none where that is refused; return what is left."""
        if self._llama.forget(sequence, length) and self._llama.length(sequence) == length:
            self.book.cut(sequence, length)
            return length
        self._llama.forget(sequence)
        self.book.clear(sequence)
        return 0

    def _clear(self, sequence: int) -> None:
        self._llama.forget(sequence)
        self.book.clear(sequence)
        self._owners.pop(sequence, None)

    def _evaluate_alone(self, sequence: int, tokens: Sequence[int], rows: Sequence[int]) -> bool:
        """Try again with every other sequence gone: llama.cpp found less room than the book promised."""
        _log.warning("The KV cache was fuller than expected; emptying %d other sequences", len(self.book.held) - 1)
        for held in self.book.held:
            if held.number != sequence:
                self._clear(held.number)
        try:
            return self._llama.decode(tokens, self.length(sequence), sequence, rows=rows)
        except KvFull as error:
            raise EngineUnavailable("The KV cache has no room for this prompt.") from error
