"""Turn one request into chunks.

`Answer.steps` is a generator that pauses before every batch: the worker goes on with it, puts it aside for more urgent
work, or closes it.
"""

import codecs
import time
from collections.abc import Callable, Sequence

from fimserver.engine.choosing import Choice, Chooser
from fimserver.engine.endings import StopTexts, goes_in_circles
from fimserver.engine.grammar import Grammar
from fimserver.engine.healing import rest_of
from fimserver.engine.interface import Chunk, Finish, GenerateRequest, Usage
from fimserver.engine.loaded import Loaded
from fimserver.engine.reading import Reading, Steps
from fimserver.engine.sampling import is_clear
from fimserver.errors import FimError

Deliver = Callable[[Chunk | FimError], None]

# Whether a text goes in circles is looked at this often: its end cannot change in fewer tokens.
_CIRCLE_CHECK_TOKENS = 8


class Answer:
    """One request on its way. Times count from `received_at`, on time.perf_counter's clock."""

    def __init__(self, request: GenerateRequest, received_at: float, loaded: Loaded, deliver: Deliver) -> None:
        self._request, self._received_at, self._deliver = request, received_at, deliver
        self._loaded = loaded
        self._reading: Reading | None = None
        self._queued_ms = 0.0
        self._first_token_ms: float | None = None
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._stops = StopTexts(request.stop_texts, len(request.forced))

    def steps(self) -> Steps:
        """Read and answer, pausing before each batch. Raises FimError for what cannot be answered."""
        self._queued_ms = self._elapsed_ms()
        tokens, stable = self._loaded.encoder.encode(self._request.prompt)
        said = self._said(tokens)
        self._reading = reading = Reading(self._loaded, tokens + said, stable)
        grammar = self._loaded.tokeniser.grammar(self._request.grammar) if self._request.grammar else None
        try:
            if self._request.max_tokens:
                chooser = self._chooser(reading, grammar)
                for token in said:
                    self._say(chooser, token)
                yield from self._generate(reading, chooser)
            else:
                yield from reading.read(needs_logits=False)
                self.finish(Finish.MAX_TOKENS)
        except FimError:
            reading.distrust()
            raise
        finally:
            reading.release()
            if grammar:
                grammar.close()

    def finish(self, why: Finish, chunk: Chunk | None = None) -> None:
        """Deliver the last chunk."""
        last = chunk or Chunk()
        self._deliver(Chunk(text=last.text, tokens=last.tokens, logprob=last.logprob, usage=self._usage(), finish=why))

    def _said(self, tokens: Sequence[int]) -> list[int]:
        """Return the tokens by which forced text was said before; they need not be chosen again."""
        if not self._request.forced or self._request.grammar:
            return []
        return self._loaded.memory.book.said(tokens, self._request.forced.encode(), self._loaded.tokeniser.piece)

    def _say(self, chooser: Chooser, token: int) -> None:
        """Deliver the text of a token that was chosen for an earlier request."""
        piece = self._loaded.tokeniser.piece(token)
        chooser.forced = rest_of(chooser.forced, piece)
        text = self._decoder.decode(piece)
        self._stops.appear_in(text)
        self._deliver(Chunk(text=text, usage=self._usage()))

    def _chooser(self, reading: Reading, grammar: Grammar | None) -> Chooser:
        request, loaded = self._request, self._loaded
        return Chooser(
            ends=loaded.ends | loaded.encoder.stop_tokens(request.prompt),
            piece_of=loaded.tokeniser.piece,
            index=loaded.prefix_index,
            forced=request.forced.encode(),
            grammar=grammar,
            judges_end=loaded.middle in reading.tokens and grammar is None,
            temperature=request.temperature,
            first_choice=request.first_choice,
            chance=loaded.chance,
        )

    def _generate(self, reading: Reading, chooser: Chooser) -> Steps:
        drafter, may_draft = self._loaded.drafter(reading.tokens), True
        while True:
            draft: list[int] = []
            if drafter and may_draft and chooser.plain:
                draft = drafter.draft(reading.tokens, self._room(reading))
            yield from reading.read(draft)
            over, may_draft = self._write(reading, chooser, draft)
            if over:
                return

    def _write(self, reading: Reading, chooser: Chooser, draft: Sequence[int]) -> tuple[bool, bool]:
        """Choose a token from each row as long as they say what was drafted; return whether it is over, and clear.

        A batch of many tokens computes with other roundings than one of a single token. Where these might decide, the
        row is not used: the token is read again by itself, so that drafting changes no answer.
        """
        drafted = len(reading.rows) - 1
        for index, row in enumerate(reading.rows):
            logits = self._loaded.llama.logits(row)
            if drafted and not is_clear(logits, chooser.ends):
                return False, False
            choice = chooser.choose(logits, self._loaded.scratch)
            if choice is None:
                self.finish(Finish.END_OF_TEXT)
                return True, True
            if self._deliver_token(reading, choice):
                return True, True
            if index < drafted and choice.token != draft[index]:
                break
        return False, True

    def _deliver_token(self, reading: Reading, choice: Choice) -> bool:
        """Deliver a token's chunk; return whether it was the last."""
        reading.tokens.append(choice.token)
        if self._first_token_ms is None:
            self._first_token_ms = self._elapsed_ms()
        text = self._decoder.decode(self._loaded.tokeniser.piece(choice.token))
        chunk = Chunk(text=text, tokens=1, logprob=choice.logprob, usage=self._usage())
        why = self._reason_to_stop(reading, self._stops.appear_in(text))
        if why:
            self.finish(why, chunk)
        else:
            self._deliver(chunk)
        return why is not None

    def _reason_to_stop(self, reading: Reading, stop_text_seen: bool) -> Finish | None:
        if stop_text_seen:
            return Finish.STOP_TEXT
        generated = reading.generated_tokens
        if generated >= self._request.max_tokens:
            return Finish.MAX_TOKENS
        if len(reading.tokens) >= self._loaded.base_facts.context_tokens:
            return Finish.CONTEXT_FULL
        if generated % _CIRCLE_CHECK_TOKENS == 0 and goes_in_circles(reading.tokens[reading.prompt_tokens :]):
            return Finish.REPETITION
        return None

    def _room(self, reading: Reading) -> int:
        """Return how many tokens a draft may have, so that neither the answer nor the context grows too long."""
        answer = self._request.max_tokens - reading.generated_tokens
        context = self._loaded.base_facts.context_tokens - len(reading.tokens)
        return min(answer, context) - 1

    def _usage(self) -> Usage:
        reading = self._reading
        if reading is None:
            return Usage(queued_ms=self._elapsed_ms(), total_ms=self._elapsed_ms())
        return Usage(
            prompt_tokens=reading.prompt_tokens,
            reused_tokens=reading.reused_tokens,
            evaluated_tokens=reading.evaluated_tokens,
            generated_tokens=reading.generated_tokens,
            queued_ms=self._queued_ms,
            prefill_ms=reading.prefill_ms,
            first_token_ms=self._first_token_ms,
            total_ms=self._elapsed_ms(),
        )

    def _elapsed_ms(self) -> float:
        return (time.perf_counter() - self._received_at) * 1000
