"""Land what a model wrote at a drawn cursor: stops, filters and all, as the text a user would have after accepting."""

import re
from collections.abc import AsyncGenerator
from functools import cache

from fimserver.complete.landing import Landing, landed
from fimserver.complete.stops import Stopping
from fimserver.complete.stream import Written, write
from fimserver.context.cursor import look_around
from fimserver.engine.interface import Chunk, Finish
from fimserver.settings import CompletionSettings
from fimserver.syntax.languages import language_named
from fimserver.syntax.layout import begins_block
from fimserver.values import Completion, CursorContext, Shape
from tests.drawn import CURSOR, applied, drawn

_PIECES = re.compile(r"[^\S\n]*\w+|\n+[^\S\n]*|[^\S\n]+|[^\w\s]|.", re.DOTALL)


@cache  # a place is looked at for every answer that lands there
def looked(at: str, language: str) -> CursorContext:
    """Return the context of a drawn cursor, asked for by hand: refused nothing."""
    document, offset = drawn(at, language=language, uri=f"file:///project/{hash((at, language))}")
    return look_around(document, offset, completion=CompletionSettings(), invoked=True)


async def written(context: CursorContext, answer: str, *, max_lines: int = 12) -> Written:
    """Return what is kept of an answer that comes piece by piece; a line that opens a block goes on, as it does."""
    line = await write(_stream(answer), Stopping(context, context.shape, max_lines), lambda _: None)
    language = language_named(context.document.language)
    opened = begins_block(context.document, context.line, context.line_prefix + line.text, language)
    if context.shape is not Shape.LINE or not line.text.strip() or not opened:
        return line
    rest = _stream(answer[len(line.text) :])
    return await write(rest, Stopping(context, Shape.BLOCK, max_lines), lambda _: None, so_far=line)


async def landing(at: str, answer: str, language: str, *, max_lines: int = 12) -> Landing:
    """Return the landing of an answer."""
    context = looked(at, language)
    return landed(context, await written(context, answer, max_lines=max_lines))


async def becomes(at: str, answer: str, language: str = "python") -> str:
    """Return the text after accepting the suggestion, the cursor drawn at its end, or the reason why there is none."""
    outcome = (await landing(at, answer, language)).outcome
    return applied(looked(at, language).document, outcome) if isinstance(outcome, Completion) else outcome.reason.value


def in_place(at: str, answer: str, language: str = "python") -> str:
    """Return the text with an answer just as it is: over closing punctuation, and over blanks that stand alone."""
    context = looked(at, language)
    start = context.line_start if context.blank_prefix else context.offset
    end = context.offset + (len(context.tail) if context.closing_tail else 0)
    return context.document.text[:start] + answer + CURSOR + context.document.text[end:]


async def _stream(answer: str) -> AsyncGenerator[Chunk, None]:
    for piece in _PIECES.findall(answer):
        yield Chunk(text=piece, tokens=1, logprob=-0.1)
    yield Chunk(finish=Finish.END_OF_TEXT)
