"""Write the message of the next commit: returned to whoever asks, and put into the buffer in which git wants it."""

from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fimserver.errors import EditRefused
from fimserver.lsp.applying import apply_edit
from fimserver.lsp.progress import progress
from fimserver.lsp.session import Session
from fimserver.review.commit import commit_message, message_of
from fimserver.review.edits import Edit
from fimserver.uris import path_of
from fimserver.values import Document, Span

TITLE = "Write the commit message"

# What editors call the file `COMMIT_EDITMSG`.
LANGUAGES = frozenset({"git-commit", "gitcommit"})


@dataclass(frozen=True, slots=True)
class CommitArguments:
    """A document or folder of the repository; none for the first workspace folder's."""

    uri: str = ""


async def write_commit_message(session: Session, arguments: CommitArguments) -> dict[str, Any]:
    """Return the message; where the document is git's own for it, put it there. Raises GitUnusable and EditRefused."""
    document = session.documents.get(arguments.uri)
    text = ""
    async with progress(session, f"fimserver: {TITLE}"):
        folder = _folder(session, arguments.uri)
        async with aclosing(commit_message(session.chat_engine, folder, session.settings.context)) as pieces:
            async for piece in pieces:
                text += piece
    message = message_of(text)
    if isinstance(document, Document) and document.language in LANGUAGES:
        await apply_edit(session, Edit(document, Span(0, 0), message + "\n"), TITLE)
    return {"message": message}


def _folder(session: Session, uri: str) -> Path:
    """Return a folder of the repository: for a file inside `.git` the one it belongs to."""
    path = path_of(uri) if uri else next(iter(session.workspace.roots), None)
    if path is None:
        raise EditRefused("Open a folder that is a git repository first.")
    if ".git" in path.parts:
        return Path(*path.parts[: path.parts.index(".git")])
    return path if path.is_dir() else path.parent
