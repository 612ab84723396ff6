"""Have the editor make an edit: in the version it was made for, in one step that one undo takes back, or not at all."""

from collections.abc import Sequence
from typing import Any

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from fimserver.errors import EditRefused
from fimserver.lsp.convert import range_of
from fimserver.lsp.session import Session
from fimserver.review.edits import Edit, trimmed
from fimserver.values import Rejection

_CHANGED = "The text was changed while the model was writing, so nothing was done. Run the command again."


def check_unchanged(session: Session, edit: Edit) -> None:
    """Raise EditRefused where the document is not as it was any more."""
    now = session.documents.get(edit.document.uri)
    if isinstance(now, Rejection) or now.text != edit.document.text:
        raise EditRefused(_CHANGED)


async def apply_edit(session: Session, edit: Edit, title: str) -> None:
    """Make an edit. Raises EditRefused where the text has changed meanwhile, or the editor refuses."""
    check_unchanged(session, edit)
    await _ask(session, workspace_edit(session, edit), title)


async def create_file(session: Session, uri: str, text: str, title: str) -> None:
    """Create a file with a text. Raises EditRefused where the editor cannot or will not."""
    if not session.client.creates_files:
        raise EditRefused("This editor creates no files for a language server.")
    at_start = types.Range(types.Position(0, 0), types.Position(0, 0))
    nameless = types.OptionalVersionedTextDocumentIdentifier(uri, None)
    await _ask(
        session,
        types.WorkspaceEdit(
            document_changes=[
                types.CreateFile(uri, options=types.CreateFileOptions(overwrite=False, ignore_if_exists=False)),
                types.TextDocumentEdit(nameless, [types.TextEdit(at_start, text)]),
            ]
        ),
        title,
    )


def workspace_edit(session: Session, edit: Edit) -> types.WorkspaceEdit:
    """Return an edit as the protocol writes it, against the version it was made for where the client knows versions."""
    smaller = trimmed(edit)
    document = session.documents.get(edit.document.uri)
    version = edit.document.version if isinstance(document, Rejection) else document.version
    change = types.TextEdit(range_of(edit.document, smaller.span, session.client.encoding), smaller.text)
    if not session.client.versioned_edits:
        return types.WorkspaceEdit(changes={edit.document.uri: [change]})
    named = types.OptionalVersionedTextDocumentIdentifier(edit.document.uri, version)
    return types.WorkspaceEdit(document_changes=[types.TextDocumentEdit(named, [change])])


async def chosen(session: Session, question: str, answers: Sequence[str]) -> str | None:
    """Ask the user a question with buttons, and return the one that was pressed, if any."""
    if not session.client.asks_questions:
        return None
    params = types.ShowMessageRequestParams(
        type=types.MessageType.Warning,
        message=question,
        actions=[types.MessageActionItem(title) for title in answers],
    )
    pressed = await session.ask(types.WINDOW_SHOW_MESSAGE_REQUEST, params)
    title = pressed.get("title") if isinstance(pressed, dict) else None
    return title if title in answers else None


async def _ask(session: Session, edit: types.WorkspaceEdit, title: str) -> None:
    params = types.ApplyWorkspaceEditParams(edit, label=f"fimserver: {title}")
    try:
        answer: Any = await session.connection.ask(types.WORKSPACE_APPLY_EDIT, params)
    except JsonRpcException as error:
        raise EditRefused("The editor makes no edits for a language server.") from error
    if not isinstance(answer, dict) or answer.get("applied") is not True:
        reason = answer.get("failureReason") if isinstance(answer, dict) else None
        raise EditRefused(f"The editor did not make the edit: {reason or 'it gave no reason'}.")
