"""Turn a part of a file, or of what is piped in, into what a chat model makes of it: a diff, a text, or the new part.

fimserver edit simplify till.py:12-30              shows what would change; --write changes it
:'<,'>!fimserver edit simplify --path % -          in Vim, the lines that are selected
"""

import asyncio
import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from fimserver.cli import output
from fimserver.cli.chat_model import chat_engine, chat_model_option
from fimserver.cli.choice import Choice
from fimserver.cli.engines import new_engine
from fimserver.cli.filter import document_of, path_option, read_text, write
from fimserver.cli.place import project_of
from fimserver.cli.progress import at_work
from fimserver.engine.interface import Engine
from fimserver.errors import EditRefused, FimError
from fimserver.files import rewrite
from fimserver.review.actions import ACTIONS, Action, Becomes
from fimserver.review.editing import Ask, answered
from fimserver.review.edits import Edit
from fimserver.review.outcomes import edit_of_comment, edit_of_part, file_of_tests, refusal
from fimserver.review.selection import name_at, part_at
from fimserver.text import line_end
from fimserver.uris import shown_path
from fimserver.values import Document, Span


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """What is wanted, of whom, and what may be done."""

    action: Action
    ask: Ask
    chat: Engine
    completion: Engine
    profile: str
    path: Path | None  # where the file is on disk; None for what was piped in
    writes: bool
    force: bool
    as_json: bool


@click.command("edit")
@click.argument("action", type=click.Choice(list(ACTIONS)))
@click.argument("place", metavar="FILE:LINE[-LINE]|-")
@click.option("--instruction", default="", metavar="TEXT", help="What to change, for `instruct`.")
@click.option("--diagnostic", "diagnostics", multiple=True, metavar="TEXT", help="What to fix, for `fix`; repeatable.")
@click.option("--write", "writes", is_flag=True, help="Change the file instead of showing how it would change.")
@click.option("--force", is_flag=True, help="Also where syntax errors are added.")
@click.option("--json", "as_json", is_flag=True, help="Print the text, and whether the file was changed, as JSON.")
@path_option
@chat_model_option
@click.pass_obj
def edit_command(
    choice: Choice,
    action: str,
    place: str,
    instruction: str,
    diagnostics: tuple[str, ...],
    writes: bool,
    force: bool,
    as_json: bool,
    path: Path | None,
    model: str | None,
) -> None:
    """Explain or change a part of a file with the chat model.

    The part is some lines, or the function or class that holds a single one. With - it is what is piped in, and the
    new part is written.
    """
    if action == "instruct" and not instruction.strip():
        raise FimError("Say what is to be changed: --instruction TEXT")
    if action == "fix" and not diagnostics:
        raise FimError("Say what is to be fixed: --diagnostic TEXT")
    source, lines = _place(place)
    document = document_of(read_text(str(source or "-")), source or path)
    part = _part(document, lines)
    root = project_of(source or path or Path("-"))
    ask = Ask(
        action=action,
        document=document,
        part=part,
        path=shown_path(document.uri, (root,))[0],
        instruction=instruction,
        diagnostics=diagnostics,
    )
    job = _Job(
        action=ACTIONS[action],
        ask=ask,
        chat=chat_engine(choice, model),
        completion=new_engine(choice.settings, choice.script),
        profile=choice.settings.model.profile,
        path=source,
        writes=writes,
        force=force,
        as_json=as_json,
    )
    with at_work(job.chat, streams=job.action.becomes is Becomes.TEXT and not as_json):
        asyncio.run(_carry_out(job))


async def _carry_out(job: _Job) -> None:
    try:
        await _CARRIED_OUT[job.action.becomes](job)
    finally:
        await job.chat.close()
        await job.completion.close()


async def _text(job: _Job) -> None:
    if job.as_json:
        _print(job, "".join([piece async for piece in answered(job.chat, job.ask)]))
        return
    async for piece in answered(job.chat, job.ask):
        write(piece)
    write("\n")


async def _part_edit(job: _Job) -> None:
    _use(job, await edit_of_part(job.chat, job.ask, _nothing))


async def _comment(job: _Job) -> None:
    start = job.ask.part.start
    _use(job, await edit_of_comment(job.chat, job.completion, job.ask, start, _nothing, profile=job.profile))


async def _file(job: _Job) -> None:
    if job.path is None:
        raise FimError("Tests go into a file beside the source: name the source as FILE:LINE.")
    path, document = job.path.absolute(), job.ask.document
    name = name_at(document, job.ask.part.start)
    new = await file_of_tests(job.chat, job.ask, path, name, project_of(path), _nothing)
    _allow(job, new.new_errors)
    if job.writes:
        new.path.parent.mkdir(parents=True, exist_ok=True)
        with new.path.open("x", encoding="utf-8", newline="") as file:
            file.write(new.text)
    if job.as_json:
        _print(job, new.text, new.path)
    elif job.writes:
        output.line(f"{new.path} was written.")
    else:
        write(new.text)


_CARRIED_OUT = {
    Becomes.TEXT: _text,
    Becomes.PART: _part_edit,
    Becomes.COMMENT: _comment,
    Becomes.FILE: _file,
}


def _use(job: _Job, edit: Edit) -> None:
    """Write the new text, change the file, or show how it would change."""
    _allow(job, edit.new_errors)
    if job.path is not None and job.writes:
        if read_text(str(job.path)) != edit.document.text:
            raise EditRefused(f"{job.path} was changed while the model was writing, so nothing was done. Ask again.")
        _change(job.path, edit.result)
    if job.as_json:
        _print(job, edit.result, job.path)
    elif job.path is None:
        write(edit.result)
    elif job.writes:
        output.line(f"{job.path} was changed.")
    else:
        for line in _diff(edit, job.ask.path):
            output.line((line, _STYLES.get(line[:1], "")))


def _change(path: Path, text: str) -> None:
    try:
        rewrite(path, text)
    except OSError as error:
        raise EditRefused(f"{path} could not be written ({error.strerror or error}), and is as it was.") from error


def _print(job: _Job, text: str, path: Path | None = None) -> None:
    """Print what was made as JSON: an explanation, or the new text of a file."""
    output.as_json({"text": text, "path": str(path) if path else None, "written": path is not None and job.writes})


_STYLES = {"+": output.GOOD, "-": output.BAD, "@": output.FAINT}


def _diff(edit: Edit, path: str) -> Iterator[str]:
    """Yield the lines of a unified diff."""
    old, new = (text.removesuffix("\n").split("\n") for text in (edit.document.text, edit.result))
    yield from difflib.unified_diff(old, new, f"a/{path}", f"b/{path}", lineterm="")


def _allow(job: _Job, new_errors: int) -> None:
    if new_errors and not job.force:
        raise EditRefused(f"{refusal(new_errors)} (--force)")


def _nothing(_: str) -> None:
    """Show no progress: standard output is the result's."""


_PLACE = re.compile(r"(?P<file>.+):(?P<first>\d+)(?:-(?P<last>\d+))?")


def _place(text: str) -> tuple[Path | None, tuple[int, int | None] | None]:
    """Return the file and the lines, counted from 1, that an argument names; None for standard input."""
    if text == "-":
        return None, None
    found = _PLACE.fullmatch(text)
    if not found:
        raise FimError(f"{text!r} is no part of a file; write FILE:LINE or FILE:FIRST-LAST, as in till.py:12-30.")
    return Path(found["file"]), (int(found["first"]), int(found["last"]) if found["last"] else None)


def _part(document: Document, lines: tuple[int, int | None] | None) -> Span:
    """Return the part that some lines are. Raises FimError where the document has no such lines."""
    if lines is None:
        return Span(0, len(document.text.rstrip("\r\n")))
    first, last = lines
    count = len(document.starts)
    if not 1 <= first <= (last or first) <= count:
        raise FimError(f"The file has {count} lines, so there are no lines {first}-{last or first} in it.")
    start = document.starts[first - 1]
    end = line_end(document.text, document.starts, last - 1) if last else start
    return part_at(document, Span(start, end))
