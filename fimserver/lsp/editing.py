"""Carry out a command on a selection: ask the model, show how far it is, and have the editor make the edit.

An edit is made in the version it was asked about or not at all. One that would add syntax errors is made only where the
user says so: with `force`, or by a button.
"""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from lsprotocol import types

from fimserver.errors import AnswerCut, EditRefused
from fimserver.files import cache_folder, write_atomically
from fimserver.lsp.applying import apply_edit, check_unchanged, chosen, create_file
from fimserver.lsp.convert import offset_of
from fimserver.lsp.progress import Report, progress
from fimserver.lsp.session import Session
from fimserver.review.actions import Action, Becomes
from fimserver.review.editing import Ask, answered
from fimserver.review.edits import Edit
from fimserver.review.outcomes import edit_of_comment, edit_of_part, file_of_tests, refusal
from fimserver.review.selection import name_at, part_at
from fimserver.uris import path_of, shown_path
from fimserver.values import Document, Rejection, Span

APPLY_ANYWAY = "Apply anyway"


@dataclass(frozen=True, slots=True)
class Complaint:
    """A diagnostic, from whichever server."""

    message: str
    range: types.Range


@dataclass(frozen=True, slots=True)
class EditOptions:
    """What may be said beside the selection. `version` is the one that was looked at."""

    version: int | None = None
    instruction: str = ""
    diagnostics: list[Complaint] = field(default_factory=list)
    force: bool = False


@dataclass(frozen=True, slots=True)
class EditArguments:
    """A selection in a document; where it is empty the definition around it is meant."""

    uri: str
    range: types.Range
    options: EditOptions = field(default_factory=EditOptions)


@dataclass(frozen=True, slots=True)
class _Job:
    """What one command is about."""

    session: Session
    action: Action
    ask: Ask
    selected: Span
    options: EditOptions
    report: Report

    def on_text(self, text: str) -> None:
        """Show how far the answer is."""
        self.report(f"{text.count(chr(10)) + 1} lines")


async def run_action(session: Session, action: Action, arguments: EditArguments) -> dict[str, Any]:
    """Do what a command says. Raises EditRefused, where nothing was changed, and whatever asking raises."""
    document = _document(session, arguments)
    selected = Span(*(offset_of(document, end, session.client.encoding) for end in _ends(arguments.range)))
    ask = _ask(session, action, document, selected, arguments.options)
    async with progress(session, f"fimserver: {action.title}") as report:
        job = _Job(session, action, ask, selected, arguments.options, report)
        return await _CARRIED_OUT[action.becomes](job)


def _document(session: Session, arguments: EditArguments) -> Document:
    document = session.documents.get(arguments.uri)
    if isinstance(document, Rejection):
        raise EditRefused(document.detail)
    if arguments.options.version not in (None, document.version):
        raise EditRefused("The text is not the one that was looked at any more. Run the command again.")
    return document


def _ends(place: types.Range) -> tuple[types.Position, types.Position]:
    return place.start, place.end


def _ask(session: Session, action: Action, document: Document, selected: Span, options: EditOptions) -> Ask:
    if action.name == "instruct" and not options.instruction.strip():
        raise EditRefused("Say what is to be changed: the command takes an instruction.")
    if action.name == "fix" and not options.diagnostics:
        raise EditRefused("There is nothing to fix: no diagnostics came with the command.")
    return Ask(
        action=action.name,
        document=document,
        part=part_at(document, selected),
        path=shown_path(document.uri, session.workspace.roots)[0],
        instruction=options.instruction,
        diagnostics=tuple(f"line {one.range.start.line + 1}: {one.message}" for one in options.diagnostics),
    )


async def _explain(job: _Job) -> dict[str, Any]:
    """Show what the model says; of an explanation that was cut off what there is, and why."""
    text = ""
    try:
        async with aclosing(answered(job.session.chat_engine, job.ask)) as pieces:
            async for piece in pieces:
                text += piece
                job.on_text(text)
    except AnswerCut as error:
        text += f"\n\n*{error}*"
    await show_markdown(job.session, text)
    return {"markdown": text}


async def show_markdown(session: Session, markdown: str) -> None:
    """Show a text as a document, in editors whose plug-in does not do it."""
    if session.client.shows_documents and not session.client.shows_markdown:
        path = cache_folder() / "explanation.md"
        write_atomically(path, markdown)
        await session.ask(types.WINDOW_SHOW_DOCUMENT, types.ShowDocumentParams(path.as_uri(), take_focus=False))


async def _change(job: _Job) -> dict[str, Any]:
    return await _apply(job, await edit_of_part(job.session.chat_engine, job.ask, job.on_text))


async def _document_it(job: _Job) -> dict[str, Any]:
    session = job.session
    profile = session.settings.model.profile
    edit = await edit_of_comment(
        session.chat_engine, session.engine, job.ask, job.selected.start, job.on_text, profile=profile
    )
    return await _apply(job, edit)


async def _apply(job: _Job, edit: Edit) -> dict[str, Any]:
    check_unchanged(job.session, edit)
    await _allow(job, edit.new_errors)
    await apply_edit(job.session, edit, job.action.title)
    return {"applied": True}


async def _write_tests(job: _Job) -> dict[str, Any]:
    path, session = path_of(job.ask.document.uri), job.session
    if path is None:
        raise EditRefused("The file has no place on disk yet, so its tests would have none. Save it first.")
    root = next((root for root in session.workspace.roots if path.is_relative_to(root)), path.parent)
    name = name_at(job.ask.document, job.selected.start)
    new = await file_of_tests(session.chat_engine, job.ask, path, name, root, job.on_text)
    await _allow(job, new.new_errors)
    await create_file(session, new.path.as_uri(), new.text, job.action.title)
    return {"applied": True, "uri": new.path.as_uri()}


async def _allow(job: _Job, new_errors: int) -> None:
    """Raise EditRefused where an edit adds errors, unless the user wants it all the same."""
    if new_errors and not job.options.force:
        refused = refusal(new_errors)
        if await chosen(job.session, f"fimserver: {refused}", [APPLY_ANYWAY]) is None:
            raise refused


_CARRIED_OUT: Mapping[Becomes, Callable[[_Job], Awaitable[dict[str, Any]]]] = {
    Becomes.TEXT: _explain,
    Becomes.PART: _change,
    Becomes.COMMENT: _document_it,
    Becomes.FILE: _write_tests,
}
