"""Carry out a review for an editor: choose the lines, show findings as they come, and do what the user says to them.

A review is one request: cancelling it, or its progress, frees the engine at once, and so does closing the file it is
of. Whatever was found until then stays shown.
"""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import aclosing, suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams

from fimserver.errors import EngineLoading, FileUnsuitable, FimError
from fimserver.lsp import findings
from fimserver.lsp.convert import offset_of
from fimserver.lsp.editing import show_markdown
from fimserver.lsp.findings import Shown
from fimserver.lsp.progress import Report, progress
from fimserver.lsp.session import Session
from fimserver.review import dismissed
from fimserver.review.changes import Skipped, Wanted, changed_targets
from fimserver.review.diff import conflict_line
from fimserver.review.explaining import explanation
from fimserver.review.findings import Dropped, Finding
from fimserver.review.passages import Passage, Target, function_around
from fimserver.review.related import related_by
from fimserver.review.reviewer import Review, Wishes, told
from fimserver.text import position_at
from fimserver.uris import path_of, shown_path
from fimserver.values import Document, Rejection


class What(StrEnum):
    """What is reviewed. The names are public: they are the first argument of `fimserver.review`."""

    FILE = "file"
    SELECTION = "selection"
    FUNCTION = "function"
    CHANGES = "changes"  # of the file since the last commit; without a file, of everything
    STAGED = "staged"
    BASE = "base"  # since the branch left its base


@dataclass(frozen=True, slots=True)
class ReviewArguments:
    """What to review: of a document, lines of it, or a change of its repository."""

    what: str = What.FILE
    uri: str = ""
    range: types.Range | None = None
    base: str = ""


@dataclass(frozen=True, slots=True)
class FindingArguments:
    """The name of a finding, as its diagnostic's `data` and its code actions carry it."""

    name: str


@dataclass(frozen=True, slots=True)
class ClearArguments:
    """The document whose findings are shown no more; none for all."""

    uri: str = ""


_NOTHING = "There is nothing to review."
_ANOTHER = "Another review took its place."
_CLOSED = "The file was closed during the review."


async def review(session: Session, arguments: ReviewArguments) -> dict[str, Any]:
    """Review, and return what came of it. Raises FimError where nothing can be reviewed at all."""
    with suppress(EngineLoading):  # which the review waits for; whatever else is wrong is told at once
        await session.chat_engine.describe()
    targets, skipped = await _targets(session, arguments)
    wishes = Wishes(
        related=related_by(session.workspace.other_files, session.settings),
        dismissed=dismissed.read_dismissed(),
        roots=session.workspace.roots,
    )
    job = await asyncio.to_thread(Review, session.chat_engine, targets, wishes)
    _forget_earlier(session, targets)
    ended = await _run(session, arguments.uri, job)
    sentences = [*(f"{one}." for one in skipped), *([] if job.passages else [_NOTHING]), ended, *told(job)]
    message = " ".join(sentence for sentence in sentences if sentence)
    if message:
        session.show_warning(f"fimserver: {message}")
    return {"findings": job.found, "dropped": dict(job.dropped), "message": message}


async def cancel_review(session: Session, arguments: ClearArguments) -> None:
    """Stop the review of a document, or of a change; what was found until then stays."""
    _stop(session, arguments.uri, "")


async def clear_findings(session: Session, arguments: ClearArguments) -> None:
    """Show the findings of a document, or of all, no more."""
    findings.remove(session, lambda shown: arguments.uri in ("", shown.finding.document.uri))


async def dismiss(session: Session, arguments: FindingArguments) -> None:
    """Show a finding no more, and never again while its lines stay as they are."""
    finding = _finding(session, arguments.name)
    _dismiss(session, dismissed.finding_key(finding), lambda shown: shown.name == arguments.name)


async def dismiss_kind(session: Session, arguments: FindingArguments) -> None:
    """Show no findings of this category any more, in this project."""
    finding = _finding(session, arguments.name)
    key = dismissed.kind_key(finding.category, dismissed.project_of(finding))
    _dismiss(session, key, lambda shown: dismissed.is_dismissed(shown.finding, frozenset({key})))


async def explain(session: Session, arguments: FindingArguments) -> dict[str, str]:
    """Have the model say more of a finding, as Markdown."""
    finding = _finding(session, arguments.name)
    async with progress(session, "fimserver: Explain a finding") as report:
        text = ""
        async with aclosing(explanation(session.chat_engine, finding, session.workspace.roots)) as pieces:
            async for piece in pieces:
                text += piece
                report(f"{text.count(chr(10)) + 1} lines")
    await show_markdown(session, text)
    return {"markdown": text}


def stop_review_of(session: Session, uri: str) -> None:
    """Stop the review of a document that is closed."""
    _stop(session, uri, _CLOSED)


async def _run(session: Session, uri: str, job: Review) -> str:
    """Show findings as they come; return why it ended before its end, if it did."""
    _stop(session, uri, _ANOTHER)
    async with progress(session, "fimserver: Review") as report:
        task = asyncio.ensure_future(_show_all(session, job, report))
        session.reviews[uri] = task
        try:
            await task
        except asyncio.CancelledError as cancelled:
            if (current := asyncio.current_task()) is not None and current.cancelling():
                await _ended(task)
                raise  # the request itself was cancelled
            return str(cancelled.args[0]) if cancelled.args else ""
        except FimError as error:
            return f"{error} What was found until then is kept." if job.found else str(error)
        finally:
            if session.reviews.get(uri) is task:
                del session.reviews[uri]
    return ""


async def _show_all(session: Session, job: Review, report: Report) -> None:
    def begin(number: int, passage: Passage) -> None:
        name = shown_path(passage.document.uri, session.workspace.roots)[0]
        report(f"{name}, lines {passage.asked_words} ({number + 1} of {len(job.passages)})")

    async with aclosing(job.findings(begin)) as found:
        async for finding in found:
            if not findings.show(session, finding):
                job.found -= 1
                job.dropped[Dropped.TEXT_CHANGED] += 1


async def _ended(task: asyncio.Task[None]) -> None:
    """Wait until a task that was cancelled has let go of everything."""
    task.cancel()
    with suppress(asyncio.CancelledError, FimError):
        await task


def _stop(session: Session, uri: str, why: str) -> None:
    task = session.reviews.pop(uri, None)
    if task is not None:
        task.cancel(why)


def _forget_earlier(session: Session, targets: list[Target]) -> None:
    """Show what earlier reviews said of the lines that are reviewed now no more."""
    asked = {target.document.uri: target.asked for target in targets}
    findings.remove(
        session,
        lambda shown: any(shown.finding.line in lines for lines in asked.get(shown.finding.document.uri, ())),
    )


def _finding(session: Session, name: str) -> Finding:
    finding = findings.named(session, name)
    if finding is None:
        raise FimError("This finding is not shown any more. Review again to have a new one.")
    return finding


def _dismiss(session: Session, key: str, is_gone: Callable[[Shown], bool]) -> None:
    try:
        dismissed.dismiss(key)
    except OSError as error:
        raise FimError(f"{dismissed.dismissed_file()} cannot be written: {error.strerror or error}.") from error
    findings.remove(session, is_gone)


# What is reviewed.


async def _targets(session: Session, arguments: ReviewArguments) -> tuple[list[Target], list[Skipped]]:
    """Return what can be reviewed of what was asked for, and the files that cannot."""
    if arguments.what in _OF_DOCUMENT:
        target = _OF_DOCUMENT[What(arguments.what)](_document(session, arguments.uri), session, arguments)
        _refuse_unsuitable(session, target.document)
        return [target], []
    if arguments.what not in _OF_CHANGE:
        raise JsonRpcInvalidParams(f"what must be one of {', '.join(What)}, not {arguments.what!r}.")
    path = path_of(arguments.uri) if arguments.uri else None
    wanted = _OF_CHANGE[What(arguments.what)](arguments, path)
    found = [one async for one in changed_targets(_folder(session, path), wanted)]
    targets = [one for one in found if isinstance(one, Target) and not _excluded(session, one.document.uri)]
    skipped = [one for one in found if isinstance(one, Skipped)]
    return targets, [*skipped, *_left_out(session, found)]


def _document(session: Session, uri: str) -> Document:
    document = session.documents.get(uri)
    if isinstance(document, Rejection):
        raise FileUnsuitable(f"This file cannot be reviewed. {document.detail}")
    return document


def _refuse_unsuitable(session: Session, document: Document) -> None:
    if rule := _excluded(session, document.uri):
        raise FileUnsuitable(f"This file is not reviewed: it is excluded by {rule}.")
    if (line := conflict_line(document.text)) is not None:
        raise FileUnsuitable(f"There is an unresolved merge conflict on line {line + 1}; resolve it first.")


def _excluded(session: Session, uri: str) -> str:
    """Return the rule that forbids showing a file to a model, "" where there is none."""
    path = path_of(uri)
    return session.workspace.other_files.rule_against_completion(path) if path is not None else ""


def _left_out(session: Session, found: list[Target | Skipped]) -> list[Skipped]:
    uris = [one.document.uri for one in found if isinstance(one, Target)]
    return [
        Skipped(shown_path(uri, session.workspace.roots)[0], f"is excluded by {rule}")
        for uri in uris
        if (rule := _excluded(session, uri))
    ]


def _folder(session: Session, path: Path | None) -> Path:
    if path is not None:
        return path.parent
    if session.workspace.roots:
        return session.workspace.roots[0]
    raise FileUnsuitable("No folder is open, so there is no change to review. Open one, or name a file.")


def _whole_file(document: Document, _session: Session, _arguments: ReviewArguments) -> Target:
    return Target.whole(document)


def _selection(document: Document, session: Session, arguments: ReviewArguments) -> Target:
    first, last = _lines(document, session, arguments)
    return Target(document, (range(first, last + 1),))


def _function(document: Document, session: Session, arguments: ReviewArguments) -> Target:
    return Target(document, (function_around(document, _lines(document, session, arguments)[0]),))


def _lines(document: Document, session: Session, arguments: ReviewArguments) -> tuple[int, int]:
    """Return the first and last line of the range; one that ends at a line's start does not mean that line."""
    if arguments.range is None:
        raise JsonRpcInvalidParams(f"{arguments.what} needs a range.")
    start, end = (
        offset_of(document, one, session.client.encoding) for one in (arguments.range.start, arguments.range.end)
    )
    return position_at(document.starts, start)[0], position_at(document.starts, max(start, end - 1))[0]


_OF_DOCUMENT: Mapping[str, Callable[[Document, Session, ReviewArguments], Target]] = {
    What.FILE: _whole_file,
    What.SELECTION: _selection,
    What.FUNCTION: _function,
}


def _of_paths(path: Path | None) -> tuple[Path, ...]:
    return (path,) if path is not None else ()


_OF_CHANGE: Mapping[str, Callable[[ReviewArguments, Path | None], Wanted]] = {
    What.CHANGES: lambda _, path: Wanted(paths=_of_paths(path)),
    What.STAGED: lambda _, path: Wanted(staged=True, paths=_of_paths(path)),
    What.BASE: lambda arguments, path: Wanted(base=arguments.base or "main", paths=_of_paths(path)),
}
