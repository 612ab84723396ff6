"""Have the model read a text: a prompt, and then its continuation as it grows, one small batch at a time.

A batch may be interrupted, and the text put aside between two batches. If its sequence in the KV cache is gone
afterwards, it takes another one and reads what is missing.
"""

import time
from collections.abc import Generator, Sequence

from fimserver.engine.kv import common_length
from fimserver.engine.loaded import Loaded

Steps = Generator[None, None, None]


class Reading:
    """A text on its way through the model. `rows` of the last batch say what follows its last token and the draft's."""

    def __init__(self, loaded: Loaded, tokens: Sequence[int], stable: int) -> None:
        """`stable` is how many of the tokens the next prompt is likely to begin with too."""
        self.tokens = list(tokens)
        self.prompt_tokens = len(tokens)
        self.reused_tokens = self.evaluated_tokens = 0  # of the prompt
        self.prefill_ms = 0.0
        self.rows = range(0)
        self._loaded, self._memory = loaded, loaded.memory
        self._sequence: int | None = None
        self._was_drafted = False
        self._stable = 0 if loaded.llama.rewindable else stable

    @property
    def generated_tokens(self) -> int:
        """How many tokens were added to the prompt."""
        return len(self.tokens) - self.prompt_tokens

    def read(self, draft: Sequence[int] = (), *, needs_logits: bool = True) -> Steps:
        """Read on to the end of the tokens, and the draft after them. Pauses before each batch."""
        while True:
            yield
            done = self._hold(needs_logits)
            end = self._end(done, needs_logits)
            batch = self.tokens[done : done + self._loaded.speed.batch_tokens(end - done)]
            if not batch:
                return
            is_last = needs_logits and done + len(batch) == len(self.tokens)
            drafted = list(draft) if is_last and len(batch) == 1 else []
            rows = range(len(batch) - 1, len(batch) + len(drafted)) if is_last else range(0)
            if self._evaluate(batch + drafted, rows) and is_last:
                self.rows, self._was_drafted = rows, bool(drafted)
                return
            draft = ()  # what was interrupted goes on with the least there is

    def _end(self, done: int, needs_logits: bool) -> int:
        """Return up to where to read: to the end, where the model can rewind.

        One that cannot pauses where the next prompt may differ, to leave a sequence behind, and leaves out the last
        token of a prompt that is only warmed, as its logits cannot be had without reading it.
        """
        if self._loaded.llama.rewindable:
            return len(self.tokens)
        return self._stable if done < self._stable else len(self.tokens) - (not needs_logits)

    def release(self) -> None:
        """Let go of the sequence; what it holds stays for whoever begins with it."""
        self._memory.release(self)

    def distrust(self) -> None:
        """Empty the sequence: what led to an error is not to be gone on from."""
        self._memory.drop(self)

    def _hold(self, needs_logits: bool) -> int:
        """Hold a sequence that begins as the tokens do; return how many of them it has."""
        if self._sequence is None or not self._memory.owns(self, self._sequence):
            first_time = self._sequence is None
            self._sequence, done = self._memory.take(self, self.tokens, needs_logits=needs_logits)
            self.reused_tokens = done if first_time else self.reused_tokens
        elif self._was_drafted:  # what was drafted and not chosen is forgotten; the last token is read anew, by itself
            agreed = common_length(self._memory.tokens(self._sequence), self.tokens)
            self._memory.cut(self._sequence, min(agreed, len(self.tokens) - 1))
        self._was_drafted = False
        done = self._memory.length(self._sequence)
        if done and done == self._stable:
            self._sequence, self._stable = self._memory.leave_behind(self, self._sequence), 0
        return done

    def _evaluate(self, batch: Sequence[int], rows: range) -> bool:
        assert self._sequence is not None
        loaded = self._loaded
        threads = loaded.threads.for_batch(len(batch))
        loaded.llama.use_threads(threads)
        before, started = self._memory.length(self._sequence), time.perf_counter()
        finished = self._memory.evaluate(self._sequence, batch, rows)
        seconds = time.perf_counter() - started
        if before < self.prompt_tokens:
            self.prefill_ms += seconds * 1000
            evaluated = min(self._memory.length(self._sequence), self.prompt_tokens) - before
            self.evaluated_tokens += evaluated
            self._memory.prompt_tokens += evaluated if finished else 0
        if finished:
            loaded.speed.note(len(batch), seconds, drafted=len(rows) > 1)
            loaded.threads.note(len(batch), threads, seconds)
        else:
            loaded.speed.note_interrupted()
        return finished
