"""Turn a place in a file into what a completion model writes there, until a given text ends it.

It is how `docstring` works with a model that was never taught to chat: the comment is opened for it, and it fills in.
"""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from fimserver.context.window import window_end, window_start
from fimserver.engine.interface import Engine, GenerateRequest, Priority
from fimserver.prompt.fim import fim_prompt
from fimserver.prompt.profile import profile_for
from fimserver.review.asking import loaded
from fimserver.review.docstrings import Convention, Place
from fimserver.values import Anchor, Document, Span

_MOST_BEFORE_CHARACTERS = 3000
_MOST_AFTER_CHARACTERS = 1500

# Longer comments are run-on ones.
_MOST_TOKENS = 256


async def comment_text(
    engine: Engine, document: Document, place: Place, convention: Convention, *, path: str, profile: str = ""
) -> str:
    """Return what the model says of the definition below or around a place, without comment signs.

    Raises EngineError, and ModelError where the model cannot fill in.
    """
    opened, closing = _opened(place, convention)
    text = document.text[: place.span.start] + opened + "\n" + document.text[place.span.end :]
    holding = Document.of(text, uri=document.uri, language=document.language)
    offset = place.span.start + len(opened)
    is_whole = _closed_by(closing) if closing else _lines_end(convention.shape.line.strip())
    written = ""
    async with aclosing(_filled(engine, holding, offset, (closing,) if closing else (), path, profile)) as pieces:
        async for piece in pieces:
            written += piece
            if (end := is_whole(written)) is not None:
                written = written[:end]
                break
    first = f"{place.name} " if convention.shape.line == "// " else ""
    return first + written


async def _filled(
    engine: Engine, document: Document, offset: int, stop_texts: tuple[str, ...], path: str, profile_name: str
) -> AsyncGenerator[str, None]:
    facts = await loaded(engine)
    profile = profile_for(facts, profile_name)
    request = GenerateRequest(
        prompt=fim_prompt(_anchor(document, offset), "", (), profile, path=path, repository=""),
        max_tokens=_MOST_TOKENS,
        priority=Priority.COMMAND,
        stop_texts=(*stop_texts, *profile.stop_texts),
    )
    async with aclosing(engine.generate(request)) as chunks:
        async for chunk in chunks:
            yield chunk.text


def _anchor(document: Document, offset: int) -> Anchor:
    """Return the split point at an offset, with as much text on either side as is of use."""
    text = document.text
    span = Span(window_start(text, offset, _MOST_BEFORE_CHARACTERS), window_end(text, offset, _MOST_AFTER_CHARACTERS))
    return Anchor(
        document.uri,
        offset,
        span.start,
        prefix=text[span.start : offset],
        suffix=text[offset : span.end],
        suffix_length=len(text) - offset,
    )


def _opened(place: Place, convention: Convention) -> tuple[str, str]:
    """Return how a comment begins at its place, and what ends it; nothing where the first other line does."""
    shape = convention.shape
    if shape.inside:
        return place.indent + shape.opening, shape.closing
    if shape.closing:
        return f"{place.indent}{shape.opening}\n{place.indent}{shape.line}", shape.closing.strip()
    name = f"{place.name} " if shape.line == "// " else ""
    return place.indent + shape.line + name, ""


def _closed_by(closing: str) -> Callable[[str], int | None]:
    def end(text: str) -> int | None:
        found = text.find(closing)
        return found if found >= 0 else None

    return end


def _lines_end(sign: str) -> Callable[[str], int | None]:
    """Return where the first line ends that is not followed by another with the sign."""

    def end(text: str) -> int | None:
        at = text.find("\n")
        while at >= 0:
            following = text[at + 1 :].lstrip(" \t")
            if len(following) < len(sign) and sign.startswith(following):
                return None  # it may still become one
            if not following.startswith(sign):
                return at
            at = text.find("\n", at + 1)
        return None

    return end
