"""Carry out a review for an editor: choose the lines, show findings as they come, and do what the user says to them.

A review is one request: cancelling it, or its progress, frees the engine at once, and so does closing the file it is
of. Whatever was found until then stays shown.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import Any

from lsprotocol import types

from fimserver.errors import AnswerCut, EngineLoading, FimError
from fimserver.lsp import findings
from fimserver.lsp.editing import show_markdown
from fimserver.lsp.findings import Shown
from fimserver.lsp.progress import Report, progress
from fimserver.lsp.review_targets import ReviewArguments, targets_of
from fimserver.lsp.session import Session
from fimserver.review import dismissed
from fimserver.review.explaining import explanation
from fimserver.review.findings import Dropped, Finding
from fimserver.review.passages import Passage, Target
from fimserver.review.related import related_by
from fimserver.review.reviewer import Review, Wishes, told, told_dropped
from fimserver.uris import shown_path


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
    targets, skipped = await targets_of(session, arguments)
    wishes = Wishes(
        related=related_by(session.workspace.other_files, session.settings),
        dismissed=dismissed.read_dismissed(),
        roots=session.workspace.roots,
    )
    job = await asyncio.to_thread(Review, session.chat_engine, targets, wishes)
    _forget_earlier(session, targets)
    ended = await _run(session, arguments.uri, job)
    trouble = _joined([*(f"{one}." for one in skipped), *([] if job.passages else [_NOTHING]), ended, *told(job)])
    if trouble:
        session.warnings.show(f"fimserver: {trouble}")
    elif not job.found:
        _show_silence(session)
    return {"findings": job.found, "dropped": dict(job.dropped), "message": _joined([trouble, told_dropped(job)])}


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
        with suppress(AnswerCut):  # most of an explanation is one, too
            async with aclosing(explanation(session.chat_engine, finding, session.workspace.roots)) as pieces:
                async for piece in pieces:
                    text += piece
                    report(f"{text.count(chr(10)) + 1} lines")
    await show_markdown(session, text)
    return {"markdown": text}


def stop_review_of(session: Session, uri: str) -> None:
    """Stop the review of a document that is closed."""
    _stop(session, uri, _CLOSED)


def _joined(sentences: Sequence[str]) -> str:
    return " ".join(sentence for sentence in sentences if sentence)


def _show_silence(session: Session) -> None:
    """Say that there is nothing to see, which an editor shows no other way."""
    message = types.ShowMessageParams(type=types.MessageType.Info, message="fimserver: The review found nothing.")
    session.connection.notify(types.WINDOW_SHOW_MESSAGE, message)


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
                job.withdraw(Dropped.TEXT_CHANGED)


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
