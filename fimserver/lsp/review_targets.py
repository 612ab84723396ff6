"""Turn what a user wants reviewed into lines of documents: of an open one, or of what changed in a repository."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams

from fimserver.errors import FileUnsuitable
from fimserver.lsp.convert import offset_of
from fimserver.lsp.session import Session
from fimserver.review.changes import Skipped, Wanted, changed_targets
from fimserver.review.diff import conflict_line
from fimserver.review.passages import Target, function_around
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


async def targets_of(session: Session, arguments: ReviewArguments) -> tuple[list[Target], list[Skipped]]:
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
