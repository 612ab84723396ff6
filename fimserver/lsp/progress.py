"""Show in the editor's own way how far a request is, and let its user cancel it there.

One is begun where the client has said that it shows such. `window/workDoneProgress/cancel` cancels the request's task,
as `$/cancelRequest` does.
"""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Protocol

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from fimserver.lsp.session import Session


class Report(Protocol):
    """Says how far the work is: in words, and in percent where that is known."""

    def __call__(self, message: str, percentage: int | None = None) -> None:
        """Show it, unless something was shown just now."""
        ...


# An editor draws no more often; a model writes a hundred pieces a second.
_BETWEEN_REPORTS_S = 0.1

_numbers = itertools.count(1)


@asynccontextmanager
async def progress(session: Session, title: str, *, percentage: int | None = None) -> AsyncIterator[Report]:
    """Show a progress while the block runs, and yield the function that says how far it is.

    One that is to have percentages begins with one.
    """
    token = await _created(session)
    task = asyncio.current_task()
    if token is None or task is None:
        yield _silent
        return
    session.working[token] = task
    _notify(session, token, types.WorkDoneProgressBegin(title, cancellable=True, percentage=percentage))
    try:
        yield _reporting(session, token)
    finally:
        del session.working[token]
        _notify(session, token, types.WorkDoneProgressEnd())


def cancel_progress(session: Session, params: types.WorkDoneProgressCancelParams) -> None:
    """Cancel what runs under a token; one that has ended is ignored."""
    task = session.working.get(params.token)
    if task is not None:
        task.cancel()


async def _created(session: Session) -> str | None:
    """Have the client make a new progress; None where it shows none."""
    if not session.client.shows_progress:
        return None
    token = f"fimserver-{next(_numbers)}"
    try:
        await session.connection.ask(
            types.WINDOW_WORK_DONE_PROGRESS_CREATE, types.WorkDoneProgressCreateParams(token=token)
        )
    except JsonRpcException:
        return None
    return token


def _silent(message: str, percentage: int | None = None) -> None:
    """Say nothing, to a client that shows nothing."""


def _reporting(session: Session, token: str) -> Report:
    loop = asyncio.get_running_loop()
    last_s = -_BETWEEN_REPORTS_S

    def report(message: str, percentage: int | None = None) -> None:
        nonlocal last_s
        if loop.time() - last_s >= _BETWEEN_REPORTS_S:
            last_s = loop.time()
            _notify(session, token, types.WorkDoneProgressReport(message=message, percentage=percentage))

    return report


def _notify(session: Session, token: str, value: Any) -> None:
    session.connection.notify(types.PROGRESS, types.ProgressParams(token=token, value=value))
