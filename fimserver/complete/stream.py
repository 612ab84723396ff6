"""Read the model's answer piece by piece and stop the moment it is whole: what will not be shown is not generated.

`STOPS` is asked at every piece. A stop says where the answer is to be cut; the first that does ends the stream.
"""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace

from fimserver.complete.confidence import is_hopeless
from fimserver.engine.interface import Chunk, Finish, Usage
from fimserver.syntax.ends import finished_at
from fimserver.values import CursorContext, Shape

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


@dataclass(frozen=True, slots=True)
class Stopping:
    """What the stops need to know: the cursor, how much is wanted, and how sure it must be."""

    context: CursorContext
    shape: Shape
    max_lines: int
    least_mean_logprob: float = float("-inf")  # an answer that cannot reach it is given up


Stop = Callable[[str, Stopping], int | None]


def after_the_line(text: str, stopping: Stopping) -> int | None:
    r"""Cut a line at its end.

    >>> after_the_line("x + 1\ny", Stopping(None, Shape.LINE, 9))
    5
    """
    return text.find("\n") if stopping.shape is Shape.LINE and "\n" in text else None


def after_the_block(text: str, stopping: Stopping) -> int | None:
    """Cut where the statement or block that began is whole; judged at line ends, where a parser can tell."""
    if stopping.shape is not Shape.BLOCK or "\n" not in text:
        return None
    context = stopping.context
    return finished_at(context.document, context.offset, text, stopping.shape, context.scope_indent)


def after_enough_lines(text: str, stopping: Stopping) -> int | None:
    """Cut after the longest suggestion the user wants to see; empty lines do not count."""
    end, lines = 0, 0
    for line in text.split("\n")[:-1]:
        end += len(line) + 1
        lines += bool(line.strip())
        if lines == stopping.max_lines:
            return end - 1
    return None


def before_what_follows(text: str, stopping: Stopping) -> int | None:
    """Cut before a whole line that says what the next line of the document says already.

    A bracket alone does not count: closers may well come twice.
    """
    following = _next_line(stopping.context)
    if not any(character.isalnum() for character in following):
        return None
    begin = 0
    for line in text.split("\n")[:-1]:
        if begin and line.strip() == following:
            return begin - 1
        begin += len(line) + 1
    return None


def before_the_third_time(text: str, stopping: Stopping) -> int | None:  # noqa: ARG001
    """Cut before a line that comes the third time running."""
    lines = text.split("\n")
    for index in range(2, len(lines) - 1):
        if lines[index].strip() and lines[index] == lines[index - 1] == lines[index - 2]:
            return len("\n".join(lines[:index]))
    return None


def before_a_loop(text: str, stopping: Stopping) -> int | None:  # noqa: ARG001
    """Cut a tail that repeats: the period and the number of times are those of Copilot's detector, in characters."""
    for period, times in ((1, 30), (10, 8), (40, 5), (100, 4)):
        length = _repeating_tail(text, period, times)
        if length:
            return len(text) - length
    return None


STOPS: tuple[Stop, ...] = (
    after_the_line,
    before_what_follows,
    before_the_third_time,
    before_a_loop,
    after_the_block,
    after_enough_lines,
)


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
            if (stopped := _stopped(written.text, stopping)) is not None:
                name, cut = stopped
                return replace(written, text=written.text[:cut], stopped_by=name, ended=True)
            if is_hopeless([piece.logprob for piece in written.pieces], stopping.least_mean_logprob):
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


def _stopped(text: str, stopping: Stopping) -> tuple[str, int] | None:
    for stop in STOPS:
        cut = stop(text, stopping)
        if cut is not None:
            return stop.__name__, cut
    return None


def _next_line(context: CursorContext) -> str:
    """Return the first line below the cursor that is not blank, stripped."""
    text = context.document.text
    begin = context.offset + len(context.tail)
    return next((line.strip() for line in text[begin : begin + 2_000].splitlines() if line.strip()), "")


def _repeating_tail(text: str, longest_period: int, times: int) -> int:
    """Return how many characters at the end repeat a period of at most that length, beyond its first time.

    >>> _repeating_tail("abcabcabc", 4, 3)
    6
    """
    for period in range(1, longest_period + 1):
        span = period * times
        if len(text) < span:
            return 0
        unit = text[-period:]
        if unit.strip() and text[-span:] == unit * times:
            begin = len(text) - span
            while begin > 0 and text[begin - 1] == text[begin - 1 + period]:
                begin -= 1
            return len(text) - begin - period
    return 0
