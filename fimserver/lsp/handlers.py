"""Turn each message of the protocol into what the session does: two tables of everything that is understood.

A request's handler that is a coroutine can be cancelled; all others are done at once. Other requests are refused, other
notifications ignored.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from lsprotocol import types

from fimserver.lsp import names
from fimserver.lsp.code_actions import code_actions
from fimserver.lsp.commands import CommandParams, execute_command
from fimserver.lsp.completion import inline_completion, menu_completion
from fimserver.lsp.configuration import SECTION
from fimserver.lsp.convert import offset_of
from fimserver.lsp.looking import look_after
from fimserver.lsp.progress import cancel_progress
from fimserver.lsp.session import Session
from fimserver.lsp.surroundings import (
    ChangedFilesParams,
    did_change_folders,
    did_change_watched_files,
    note_diagnostics,
    note_visit,
    register_watched_files,
)
from fimserver.lsp.texts import (
    did_change,
    did_change_notebook,
    did_close,
    did_close_notebook,
    did_open,
    did_open_notebook,
)
from fimserver.values import Rejection


@dataclass(frozen=True, slots=True)
class ItemCommand:
    """The command of an item this server sent; its argument names the completion."""

    arguments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Item:
    """An item of an inline completion, as the client received it."""

    command: ItemCommand


@dataclass(frozen=True, slots=True)
class ShownParams:
    """The item the client is drawing."""

    item: Item


@dataclass(frozen=True, slots=True)
class PartlyAcceptedParams:
    """An item of which a part was taken: `acceptedLength` UTF-16 units since it was shown."""

    item: Item
    acceptedLength: int  # noqa: N815  the protocol's spelling


@dataclass(frozen=True, slots=True)
class FocusParams:
    """The document that has the focus, if any, and where the cursor has come to rest in it."""

    textDocument: types.TextDocumentIdentifier | None = None  # noqa: N815  the protocol's spelling
    position: types.Position | None = None


class Row(NamedTuple):
    """A message's parameters (None: whatever they are) and what is done."""

    params: Any
    run: Callable[[Session, Any], Any]


def _initialized(session: Session, _: Any) -> None:
    if session.client.registers_configuration:
        session.in_background(_register_configuration(session))
    if session.client.registers_watched_files:
        session.in_background(register_watched_files(session))
    if session.client.pulls_configuration:
        session.in_background(_pull_configuration(session))
    session.status.report()


def _did_change_configuration(session: Session, params: Any) -> None:
    """Take the settings that came along, whatever they are, or ask for them where the client wants to be asked."""
    settings = params.get("settings") if isinstance(params, dict) else None
    if settings:
        session.configure(settings)
    elif session.client.pulls_configuration:
        session.in_background(_pull_configuration(session))


async def _register_configuration(session: Session) -> None:
    registration = types.Registration(
        id="configuration",
        method=types.WORKSPACE_DID_CHANGE_CONFIGURATION,
        register_options=types.DidChangeConfigurationRegistrationOptions(section=SECTION),
    )
    await session.ask(types.CLIENT_REGISTER_CAPABILITY, types.RegistrationParams([registration]))


async def _pull_configuration(session: Session) -> None:
    item = types.ConfigurationItem(section=SECTION)
    answer = await session.ask(types.WORKSPACE_CONFIGURATION, types.ConfigurationParams([item]))
    if isinstance(answer, list | tuple) and answer:
        session.configure(answer[0])


def _cancel(session: Session, params: Any) -> None:
    message_id = params.get("id") if isinstance(params, dict) else None
    if isinstance(message_id, int | str):
        session.connection.cancel(message_id)


def _code_actions(session: Session, params: types.CodeActionParams) -> Sequence[types.CodeAction]:
    note_diagnostics(session, params)
    return code_actions(session, params)


def _did_show(session: Session, params: ShownParams) -> None:
    for name in params.item.command.arguments:
        session.offers.note_shown(name)
    session.status.want()


def _did_partly_accept(session: Session, params: PartlyAcceptedParams) -> None:
    for name in params.item.command.arguments:
        look_after(session, session.offers.note_partly(name, params.acceptedLength))
    session.status.want()


def _did_focus(session: Session, params: FocusParams) -> None:
    session.follow_settings_file()
    session.status.want()
    if params.textDocument:
        note_visit(session, params.textDocument.uri)
    if params.textDocument and params.position:
        document = session.documents.get(params.textDocument.uri)
        if not isinstance(document, Rejection) and not session.status.off:
            whole = session.documents.whole(document)
            cursor = offset_of(document, params.position, session.client.encoding)
            session.completer.prepare_at(whole.document, whole.start + cursor)


# `initialize` is answered in greeting.py, before any of this is loaded.
REQUESTS: Mapping[str, Row] = {
    types.SHUTDOWN: Row(None, lambda session, _: session.connection.shut_down()),
    types.TEXT_DOCUMENT_INLINE_COMPLETION: Row(types.InlineCompletionParams, inline_completion),
    types.TEXT_DOCUMENT_COMPLETION: Row(types.CompletionParams, menu_completion),
    types.TEXT_DOCUMENT_CODE_ACTION: Row(types.CodeActionParams, _code_actions),
    types.WORKSPACE_EXECUTE_COMMAND: Row(CommandParams, execute_command),
}

NOTIFICATIONS: Mapping[str, Row] = {
    types.INITIALIZED: Row(None, _initialized),
    types.EXIT: Row(None, lambda session, _: session.connection.leave()),
    types.CANCEL_REQUEST: Row(None, _cancel),
    types.WINDOW_WORK_DONE_PROGRESS_CANCEL: Row(types.WorkDoneProgressCancelParams, cancel_progress),
    types.TEXT_DOCUMENT_DID_OPEN: Row(types.DidOpenTextDocumentParams, did_open),
    types.TEXT_DOCUMENT_DID_CHANGE: Row(types.DidChangeTextDocumentParams, did_change),
    types.TEXT_DOCUMENT_DID_CLOSE: Row(types.DidCloseTextDocumentParams, did_close),
    types.NOTEBOOK_DOCUMENT_DID_OPEN: Row(types.DidOpenNotebookDocumentParams, did_open_notebook),
    types.NOTEBOOK_DOCUMENT_DID_CHANGE: Row(types.DidChangeNotebookDocumentParams, did_change_notebook),
    types.NOTEBOOK_DOCUMENT_DID_CLOSE: Row(types.DidCloseNotebookDocumentParams, did_close_notebook),
    types.WORKSPACE_DID_CHANGE_CONFIGURATION: Row(None, _did_change_configuration),
    types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS: Row(types.DidChangeWorkspaceFoldersParams, did_change_folders),
    types.WORKSPACE_DID_CHANGE_WATCHED_FILES: Row(ChangedFilesParams, did_change_watched_files),
    # Ours, all optional (docs/protocol.md).
    names.DID_SHOW_COMPLETION: Row(ShownParams, _did_show),
    names.DID_PARTIALLY_ACCEPT_COMPLETION: Row(PartlyAcceptedParams, _did_partly_accept),
    names.DID_FOCUS: Row(FocusParams, _did_focus),
}
