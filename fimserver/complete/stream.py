"""Read the model's answer piece by piece and stop the moment it is whole: what will not be shown is not generated.

The stops of `stops.py` are asked at every piece; the first that cuts ends the generation.
"""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace

from fimserver.complete.confidence import is_hopeless
from fimserver.complete.stops import Stopping, stopped
from fimserver.engine.interface import Chunk, Finish, Usage

# What stopped an answer that became too unsure to be shown.
GIVEN_UP = "too-unsure"


@dataclass(frozen=True, slots=True)
class Piece:
    """A chunk's place in the answer: it ends at `end`, took `tokens` tokens with `logprob` in sum."""

    end: int
    tokens: int
    logprob: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What the model wrote, cut where it was whole. `stopped_by` names the stop, or the engine's finish."""

    text: str
    pieces: tuple[Piece, ...] = ()
    usage: Usage = Usage()
    stopped_by: str = ""
    ended: bool = True  # false where something other than the answer's own end cut it: deadline, length

    def tokens_within(self, characters: int) -> int:
        """Return how many tokens reach into the first `characters` characters."""
        return sum(piece.tokens for piece, begin in self._placed() if begin < characters)

    def mean_logprob(self, characters: int) -> float | None:
        """Return the mean log-probability of the tokens within the first `characters` characters."""
        within = [piece for piece, begin in self._placed() if begin < characters]
        tokens = sum(piece.tokens for piece in within)
        return sum(piece.logprob for piece in within) / tokens if tokens else None

    def first_logprob(self) -> float | None:
        """Return the log-probability of the first piece."""
        return self.pieces[0].logprob if self.pieces else None

    def _placed(self) -> list[tuple[Piece, int]]:
        begins = [0, *(piece.end for piece in self.pieces)]
        return list(zip(self.pieces, begins, strict=False))


async def write(
    chunks: AsyncGenerator[Chunk, None],
    stopping: Stopping,
    on_growth: Callable[[Written], None],
    so_far: Written | None = None,
) -> Written:
    """Read an answer until it is whole. Ends the generation by closing the stream.

    `so_far` is what an earlier answer wrote that this one continues. Raises EngineError.
    """
    begun = so_far or Written(text="")
    written = replace(begun, ended=False, stopped_by="stream-ended")
    async with aclosing(chunks) as stream:
        async for chunk in stream:
            written = _with_chunk(written, chunk, begun.usage)
            if (stop := stopped(written.text, len(chunk.text), stopping)) is not None:
                name, cut = stop
                return replace(written, text=written.text[:cut], stopped_by=name, ended=True)
            if is_hopeless([piece.logprob for piece in written.pieces], stopping.gate):
                return replace(written, stopped_by=GIVEN_UP, ended=False)
            if chunk.finish is not None:
                ended = chunk.finish in (Finish.END_OF_TEXT, Finish.STOP_TEXT)
                return replace(written, stopped_by=chunk.finish.value, ended=ended)
            on_growth(written)
    return written


def _with_chunk(written: Written, chunk: Chunk, before: Usage) -> Written:
    text = written.text + chunk.text
    pieces = (*written.pieces, Piece(len(text), chunk.tokens, chunk.logprob)) if chunk.tokens else written.pieces
    return replace(written, text=text, pieces=pieces, usage=_sum(before, chunk.usage))


def _sum(first: Usage, second: Usage) -> Usage:
    """Return the cost of two requests in a row that make one answer; the prompt is the first one's."""
    if not first.prompt_tokens:
        return second
    return replace(
        first,
        evaluated_tokens=first.evaluated_tokens + second.evaluated_tokens,
        generated_tokens=first.generated_tokens + second.generated_tokens,
        prefill_ms=first.prefill_ms + second.prefill_ms,
        total_ms=first.total_ms + second.total_ms,
    )
