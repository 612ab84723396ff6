"""Turn what an editor says of the folders and files around its documents into what the workspace follows."""

from dataclasses import dataclass

from lsprotocol import types

from fimserver.lsp.session import Session
from fimserver.retrieval.exclude import IGNORE_FILES
from fimserver.retrieval.query import Diagnostic
from fimserver.retrieval.scan import MANIFESTS, SUFFIXES
from fimserver.syntax.kept import prepare
from fimserver.values import Document
from fimserver.workspace import SETTINGS_FILE

# One pattern for all sources and one for what decides about them: editors watch each pattern by itself.
_WATCHED = (
    f"**/*.{{{','.join(sorted(suffix.removeprefix('.') for suffix in SUFFIXES))}}}",
    f"**/{{{','.join(sorted({*MANIFESTS, *IGNORE_FILES, SETTINGS_FILE}))}}}",
)


@dataclass(frozen=True, slots=True)
class ChangedFile:
    """A file that was written, made or removed; which of them the disk says best."""

    uri: str


@dataclass(frozen=True, slots=True)
class ChangedFilesParams:
    """The parameters of `workspace/didChangeWatchedFiles`, as far as they are read."""

    changes: list[ChangedFile]


async def register_watched_files(session: Session) -> None:
    """Ask the client to tell which files change."""
    watchers = [types.FileSystemWatcher(glob_pattern=pattern) for pattern in _WATCHED]
    registration = types.Registration(
        id="watched-files",
        method=types.WORKSPACE_DID_CHANGE_WATCHED_FILES,
        register_options=types.DidChangeWatchedFilesRegistrationOptions(watchers=watchers),
    )
    await session.ask(types.CLIENT_REGISTER_CAPABILITY, types.RegistrationParams([registration]))


def did_change_folders(session: Session, params: types.DidChangeWorkspaceFoldersParams) -> None:
    """Follow folders that were added to the window or taken from it."""
    event = params.event
    session.change_folders([folder.uri for folder in event.added], [folder.uri for folder in event.removed])


def did_change_watched_files(session: Session, params: ChangedFilesParams) -> None:
    """Follow files that were changed by whomever."""
    session.files_changed([change.uri for change in params.changes])


def note_edit(session: Session, uri: str) -> None:
    """Tell retrieval what a document says after an edit."""
    document = session.documents.get(uri)
    if isinstance(document, Document):
        session.workspace.other_files.changed(document)


def note_diagnostics(session: Session, params: types.CodeActionParams) -> None:
    """Tell retrieval what others say of the selected lines, which editors share with those they ask for actions."""
    said = [
        Diagnostic(one.range.start.line, one.message) for one in params.context.diagnostics if one.source != "fimserver"
    ]
    document = session.documents.get(params.text_document.uri)
    if isinstance(document, Document):
        session.workspace.other_files.diagnosed(document, said)


def note_visit(session: Session, uri: str) -> None:
    """Tell retrieval that the user looks at a document, and begin to parse it if that takes long."""
    document = session.documents.get(uri)
    if isinstance(document, Document):
        prepare(session.documents.whole(document).document)
        session.workspace.other_files.visited(document)
