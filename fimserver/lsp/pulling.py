"""Download a model from within an editor: only after the user has agreed, with a progress that can be cancelled.

The one thing a language server does that opens a connection to another machine by itself.
"""

import asyncio
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fimserver.errors import ModelError
from fimserver.lsp.applying import chosen
from fimserver.lsp.progress import Report, progress
from fimserver.lsp.session import Session
from fimserver.models.catalogue import choice_named
from fimserver.models.download import Progress, pull, source_of
from fimserver.models.partial import gigabytes
from fimserver.settings_file import write_setting

DOWNLOAD, USE = "Download", "Use it"


@dataclass(frozen=True, slots=True)
class PullArguments:
    """A model as `fimserver pull` names it: an id of the catalogue, or hf:owner/repository/file.

    `offer`: ask afterwards whether to use it, unless the editor's plug-in sees to that.
    """

    model: str
    offer: bool = True


async def pull_model(session: Session, arguments: PullArguments) -> dict[str, Any] | None:
    """Download a model and return where it is; None where the user does not want it. Raises ModelError."""
    name = arguments.model
    question = _question(name)
    if not session.client.asks_questions:
        raise ModelError(f"This editor cannot ask whether you agree to a download. Run: fimserver pull {name}")
    if await chosen(session, question, [DOWNLOAD]) is None:
        return None
    async with progress(session, f"fimserver: Download {name}", percentage=0) as report:
        path = await _pulled(name, report)
    if arguments.offer:
        session.in_background(_offer(session, name, path))
    return {"path": str(path)}


def _question(name: str) -> str:
    """Return what the user is asked. Nobody is asked for the size of a file that the catalogue does not have."""
    source = source_of(name)
    if name.startswith("hf:"):
        return f"Download {source.name} of {source.repository}?"
    choice = choice_named(name)
    size, licence = gigabytes(choice.file.bytes), choice.model.licence
    return f"Download {choice.id}, {size}, from {source.repository}? Licence: {licence}"


async def _pulled(name: str, report: Report) -> Path:
    """Download in a thread. What came is kept when the task is cancelled: the next download goes on from there."""
    loop, ended = asyncio.get_running_loop(), threading.Event()

    def show(done: Progress) -> None:
        if not ended.is_set():
            report(*_shown(done))

    def on_progress(done: Progress) -> None:  # in the thread
        loop.call_soon_threadsafe(show, done)

    try:
        path = await asyncio.to_thread(pull, name, on_progress=on_progress, cancelled=ended.is_set)
    finally:
        ended.set()
    assert path is not None  # it was not cancelled
    return path


def _shown(done: Progress) -> tuple[str, int]:
    """Return how far a download is, in words and in percent."""
    left = "" if done.left_s is None else f", {_duration(done.left_s)} left"
    message = f"{gigabytes(done.done_bytes)} of {gigabytes(done.total_bytes)}, {done.bytes_per_s / 1e6:.1f} MB/s{left}"
    return message, 100 * done.done_bytes // max(1, done.total_bytes)


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes else f"{seconds:.0f} s"


async def _offer(session: Session, name: str, path: Path) -> None:
    """Let the user choose the new model, which then answers at once."""
    followed = session.settings_file
    if followed is None or await chosen(session, f"{path.name} is here and sound.", [USE]) is None:
        return
    from_hub = name.startswith("hf:")
    use = "completion" if from_hub or "completion" in choice_named(name).model.uses else "chat"
    write_setting(followed.path, "model", use, str(path) if from_hub else name)
    session.follow_settings_file()
