"""Turn what the model wrote at a cursor into the outcome of a request, with how it came about."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from fimserver.complete.filters import Step, refine
from fimserver.complete.stream import GIVEN_UP, Written
from fimserver.errors import EngineError, EngineLoading, EngineRefused, FimError, ModelError, PromptTooLong
from fimserver.values import Completion, CursorContext, Outcome, Reason, Rejection, Shape, Span, Timings

# How an engine's error reads as a reason: the first that fits.
_REASON_OF: tuple[tuple[type[FimError], Reason], ...] = (
    (EngineLoading, Reason.ENGINE_LOADING),
    (PromptTooLong, Reason.PROMPT_TOO_LONG),
    (EngineRefused, Reason.ENGINE_REFUSED),
    (ModelError, Reason.ENGINE_REFUSED),
    (EngineError, Reason.ENGINE_UNAVAILABLE),
)


@dataclass(frozen=True, slots=True)
class Landing:
    """An outcome, and for `fimserver why` what the model wrote and what the filters made of it."""

    outcome: Outcome
    written: Written = Written(text="")
    steps: Sequence[Step] = ()
    context: CursorContext | None = None

    def timed(self, total_ms: float) -> "Landing":
        """Return the landing with the time the whole request took."""
        timings = replace(self.outcome.timings, total_ms=total_ms)
        return replace(self, outcome=replace(self.outcome, timings=timings))


def landed(context: CursorContext, written: Written, *, complete: bool = True) -> Landing:
    """Return the filtered completion, or the rejection, of what the model wrote."""
    if written.stopped_by == GIVEN_UP:
        doubt = Rejection(reason=Reason.LOW_CONFIDENCE, detail="It became too unsure on the way.")
        return Landing(replace(doubt, timings=_timings(written, 0)), written)
    text, steps = refine(written.text, context)
    if isinstance(text, Rejection):
        return Landing(replace(text, timings=_timings(written, 0)), written, steps)
    start = context.line_start if context.blank_prefix else context.offset
    completion = Completion(
        text=text,
        replaces=Span(start, context.offset + (len(context.tail) if context.closing_tail else 0)),
        shape=Shape.BLOCK if "\n" in text else context.shape,
        source="model",
        mean_logprob=written.mean_logprob(len(text)),
        first_logprob=written.first_logprob(),
        complete=complete,
        timings=_timings(written, len(text)),
    )
    return Landing(completion, written, steps)


def landed_copy(context: CursorContext, rest: str, instead_of: Landing) -> Landing:
    """Return the landing of a line copied from elsewhere, in the place of what the model wrote.

    It has no log-probability: the gate, which judges the model, lets it pass.
    """
    text, steps = refine(rest, context)
    if isinstance(text, Rejection):
        return instead_of
    end = context.offset + len(context.tail)
    timings = replace(instead_of.outcome.timings, shown_tokens=0)
    completion = Completion(
        text=text, replaces=Span(context.offset, end), shape=Shape.LINE, source="copied", timings=timings
    )
    return Landing(completion, instead_of.written, steps)


def landed_with_error(error: FimError) -> Landing:
    """Return the rejection that an engine's error is."""
    reason = next((reason for kind, reason in _REASON_OF if isinstance(error, kind)), Reason.ENGINE_UNAVAILABLE)
    return Landing(Rejection(reason=reason, detail=str(error)))


def _timings(written: Written, shown_characters: int) -> Timings:
    usage = written.usage
    return Timings(
        prompt_tokens=usage.prompt_tokens,
        reused_tokens=usage.reused_tokens,
        evaluated_tokens=usage.evaluated_tokens,
        generated_tokens=usage.generated_tokens,
        shown_tokens=written.tokens_within(shown_characters),
        first_token_ms=usage.first_token_ms,
    )
