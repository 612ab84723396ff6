"""Turn one request into chunks, one small batch at a time.

`Answer.steps` is a generator that pauses before every batch: the worker goes on with it, puts it aside for more urgent
work, or closes it. An answer put aside may have lost its sequence; it takes another and evaluates what is gone.
"""

import codecs
import time
from collections.abc import Callable, Generator, Sequence

from fimserver.engine.choosing import Choice, Chooser
from fimserver.engine.grammar import Grammar
from fimserver.engine.interface import Chunk, Finish, GenerateRequest, Usage
from fimserver.engine.loading import Loaded
from fimserver.errors import FimError

Deliver = Callable[[Chunk | FimError], None]

# A text goes round in circles when its end is the same few tokens four times, and these are 48 tokens at least: a
# table of zeros may be meant, but not that long.
_CIRCLE_ROUNDS = 4
_CIRCLE_TOKENS = 48
_LONGEST_CIRCLE_TOKENS = 32


class Answer:
    """One request on its way. Times count from `received_at`, on time.perf_counter's clock."""

    def __init__(self, request: GenerateRequest, received_at: float, loaded: Loaded, deliver: Deliver) -> None:
        self._request, self._received_at, self._deliver = request, received_at, deliver
        self._loaded, self._memory = loaded, loaded.memory
        self._tokens: list[int] = []
        self._sequence: int | None = None
        self._prompt_tokens = self._reused_tokens = self._evaluated_tokens = 0
        self._queued_ms = self._prefill_ms = 0.0
        self._first_token_ms: float | None = None
        self._grammar: Grammar | None = None

    def steps(self) -> Generator[None, None, None]:
        """Evaluate and answer, pausing before each batch. Raises FimError for what cannot be answered."""
        self._queued_ms = self._elapsed_ms()
        self._tokens = self._loaded.encoder.encode(self._request.prompt)
        self._prompt_tokens = len(self._tokens)
        try:
            if self._request.max_tokens:
                yield from self._generate(self._make_chooser())
            else:
                yield from self._evaluate(needs_logits=False)
                self.finish(Finish.MAX_TOKENS)
        except FimError:
            self._memory.drop(self)  # what led to an error is not to be gone on from
            raise
        finally:
            self._memory.release(self)
            if self._grammar:
                self._grammar.close()

    def finish(self, why: Finish, chunk: Chunk | None = None) -> None:
        """Deliver the last chunk."""
        last = chunk or Chunk()
        self._deliver(Chunk(text=last.text, tokens=last.tokens, logprob=last.logprob, usage=self._usage(), finish=why))

    def _make_chooser(self) -> Chooser:
        request, loaded = self._request, self._loaded
        self._grammar = loaded.llama.grammar(request.grammar) if request.grammar else None
        return Chooser(
            ends=loaded.ends | loaded.encoder.stop_tokens(request.prompt),
            piece_of=loaded.llama.piece,
            index=lambda: loaded.prefix_index,
            forced=request.forced.encode(),
            grammar=self._grammar,
            judges_end=loaded.middle in self._tokens and self._grammar is None,
            temperature=request.temperature,
            first_choice=request.first_choice,
            chance=loaded.chance,
        )

    def _generate(self, chooser: Chooser) -> Generator[None, None, None]:
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        stops = StopTexts(self._request.stop_texts, len(self._request.forced))
        while True:
            yield from self._evaluate()
            choice = chooser.choose(self._loaded.llama.logits(self._row), self._loaded.scratch)
            if choice is None:
                return self.finish(Finish.END_OF_TEXT)
            text = decoder.decode(self._loaded.llama.piece(choice.token))
            chunk, why = self._take(choice, text), self._reason_to_stop(stops.appear_in(text))
            if why:
                return self.finish(why, chunk)
            self._deliver(chunk)

    def _take(self, choice: Choice, text: str) -> Chunk:
        self._tokens.append(choice.token)
        if self._first_token_ms is None:
            self._first_token_ms = self._elapsed_ms()
        return Chunk(text=text, tokens=1, logprob=choice.logprob, usage=self._usage())

    def _reason_to_stop(self, stop_text_seen: bool) -> Finish | None:
        if stop_text_seen:
            return Finish.STOP_TEXT
        generated = len(self._tokens) - self._prompt_tokens
        if generated >= self._request.max_tokens:
            return Finish.MAX_TOKENS
        if len(self._tokens) >= self._loaded.base_facts.context_tokens:
            return Finish.CONTEXT_FULL
        if goes_in_circles(self._tokens[self._prompt_tokens :] if generated % 8 == 0 else ()):
            return Finish.REPETITION
        return None

    def _evaluate(self, *, needs_logits: bool = True) -> Generator[None, None, None]:
        """Evaluate what the KV cache does not hold yet, so that the last token's logits can be read."""
        while True:
            yield
            done = self._hold(needs_logits)
            batch = self._tokens[done : done + self._loaded.speed.batch_tokens]
            if not batch:
                return
            is_last = done + len(batch) == len(self._tokens)
            rows = (len(batch) - 1,) if is_last and needs_logits else ()
            if self._evaluate_batch(batch, rows) and is_last:
                self._row = len(batch) - 1
                return

    def _hold(self, needs_logits: bool) -> int:
        """Hold a sequence that begins as the tokens do; return how many of them it has."""
        assert self._tokens
        if self._sequence is not None and self._memory.owns(self, self._sequence):
            return self._memory.length(self._sequence)
        first_time = self._sequence is None
        self._sequence, done = self._memory.take(self, self._tokens, needs_logits=needs_logits)
        if first_time:
            self._reused_tokens = done
        return done

    def _evaluate_batch(self, batch: Sequence[int], rows: Sequence[int]) -> bool:
        assert self._sequence is not None
        threads = self._loaded.threads.for_batch(len(batch))
        self._loaded.llama.use_threads(threads)
        before, started = self._memory.length(self._sequence), time.perf_counter()
        finished = self._memory.evaluate(self._sequence, batch, rows)
        seconds = time.perf_counter() - started
        if before < self._prompt_tokens:
            self._prefill_ms += seconds * 1000
            self._evaluated_tokens += min(self._memory.length(self._sequence), self._prompt_tokens) - before
        if finished:
            self._loaded.speed.note(len(batch), seconds)
            self._loaded.threads.note(len(batch), threads, seconds)
        else:
            self._loaded.speed.note_interrupted()
        return finished

    def _usage(self) -> Usage:
        return Usage(
            prompt_tokens=self._prompt_tokens,
            reused_tokens=self._reused_tokens,
            evaluated_tokens=self._evaluated_tokens,
            generated_tokens=max(0, len(self._tokens) - self._prompt_tokens),
            queued_ms=self._queued_ms,
            prefill_ms=self._prefill_ms,
            first_token_ms=self._first_token_ms,
            total_ms=self._elapsed_ms(),
        )

    def _elapsed_ms(self) -> float:
        return (time.perf_counter() - self._received_at) * 1000


class StopTexts:
    """Finds the first stop text in what arrives piece by piece, after text that was forced."""

    def __init__(self, texts: Sequence[str], skip: int = 0) -> None:
        self._texts = tuple(text for text in texts if text)
        self._reach = max(map(len, self._texts), default=0) - 1
        self._skip, self._tail = skip, ""

    def appear_in(self, text: str) -> bool:
        """Return whether a stop text is complete with this piece."""
        if not self._texts:
            return False
        fresh = text[self._skip :]
        self._skip = max(0, self._skip - len(text))
        seen = self._tail + fresh
        self._tail = seen[-self._reach :] if self._reach > 0 else ""
        return any(stop in seen for stop in self._texts)


def goes_in_circles(tokens: Sequence[int]) -> bool:
    """Return whether a text's end is one short piece over and over.

    >>> goes_in_circles([1, 2, 3] * 16), goes_in_circles([1, 2, 3] * 15), goes_in_circles(list(range(99)))
    (True, False, False)
    """
    return any(
        _is_circle(tokens, period, max(_CIRCLE_TOKENS, period * _CIRCLE_ROUNDS))
        for period in range(1, _LONGEST_CIRCLE_TOKENS + 1)
    )


def _is_circle(tokens: Sequence[int], period: int, length: int) -> bool:
    end = tokens[-length:]
    return len(end) == length and end[period:] == end[:-period]
