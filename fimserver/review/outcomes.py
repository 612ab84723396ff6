"""Turn a command on a part of a file into what it comes to: an edit, or a new file. Nothing is changed here.

`on_text` hears how the answer grows, for whoever shows progress.
"""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace
from pathlib import Path

from fimserver.engine.interface import Engine
from fimserver.errors import EditRefused, ModelMissing
from fimserver.review.docstrings import convention_of, documented, place_of
from fimserver.review.editing import Ask, answered
from fimserver.review.edits import Edit, check_characters, checked, code_in, edit_of
from fimserver.review.filling import comment_text
from fimserver.review.new_tests import file_for_tests
from fimserver.syntax.kept import forget
from fimserver.values import Document, Span

OnText = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file to create. `new_errors` are the syntax errors in it."""

    path: Path
    text: str
    new_errors: int


async def edit_of_part(engine: Engine, ask: Ask, on_text: OnText) -> Edit:
    """Return the part as the model would have it. Raises EditRefused, and whatever asking raises."""
    return edit_of(await _whole(answered(engine, ask), on_text), ask.document, ask.part)


async def edit_of_comment(
    chat: Engine, completion: Engine, ask: Ask, offset: int, on_text: OnText, *, profile: str = ""
) -> Edit:
    """Return the edit that documents the definition at an offset.

    Where no chat model is chosen the completion model fills the comment in. Raises EditRefused, and whatever asking
    raises.
    """
    convention = convention_of(ask.document)
    place = place_of(ask.document, offset, convention)
    try:
        text = code_in(await _whole(answered(chat, ask), on_text))
    except ModelMissing:
        text = await comment_text(completion, ask.document, place, convention, path=ask.path, profile=profile)
    return documented(ask.document, place, text, convention)


async def file_of_tests(engine: Engine, ask: Ask, path: Path, name: str, root: Path, on_text: OnText) -> NewFile:
    """Return the file of tests for `name`, which is defined in the file at a path. Raises as the others do."""
    new = file_for_tests(path, name, root)
    shown = new.path.relative_to(root).as_posix() if new.path.is_relative_to(root) else new.path.name
    text = code_in(await _whole(answered(engine, replace(ask, test_path=shown, framework=new.framework)), on_text))
    check_characters(text, ask.document, ask.part)
    return NewFile(new.path, text + "\n", _errors(new.path, text, ask.document.language))


def refusal(new_errors: int) -> EditRefused:
    """Return why an edit is not made that would add syntax errors."""
    count = "a syntax error" if new_errors == 1 else f"{new_errors} syntax errors"
    return EditRefused(f"It would add {count}, so nothing was changed. Ask again, or have it done all the same.")


def _errors(path: Path, text: str, language: str) -> int:
    empty = Document.of("", uri=path.as_uri(), language=language)
    errors = checked(empty, Span(0, 0), text).new_errors
    forget(empty.uri)
    return errors


async def _whole(pieces: AsyncGenerator[str, None], on_text: OnText) -> str:
    text = ""
    async with aclosing(pieces):
        async for piece in pieces:
            text += piece
            on_text(text)
    return text
