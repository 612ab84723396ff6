"""Turn a request for a suggestion into the completer's question, and its answer into what the editor draws.

`textDocument/inlineCompletion` is ghost text. `textDocument/completion` carries the same suggestion for editors that
have no ghost text. That a newer request displaces an older one is the completer's affair.
"""

import logging

from lsprotocol import types

from fimserver.lsp.client import Encoding
from fimserver.lsp.configuration import offers_menu
from fimserver.lsp.convert import Suggestion, inline_item, is_on_cursor_line, menu_item, offset_of
from fimserver.lsp.session import Session
from fimserver.values import Document, Reason, Rejection, Span

_log = logging.getLogger(__name__)


async def inline_completion(session: Session, params: types.InlineCompletionParams) -> types.InlineCompletionList:
    """Return one piece of ghost text, or none."""
    found = await _suggest(
        session,
        params.text_document.uri,
        params.position,
        invoked=params.context.trigger_kind is types.InlineCompletionTriggerKind.Invoked,
        selected=params.context.selected_completion_info,
    )
    return types.InlineCompletionList(items=[inline_item(found, session.client.encoding)] if found else [])


async def menu_completion(session: Session, params: types.CompletionParams) -> types.CompletionList:
    """Return one entry for the completion menu, or none. The list is incomplete: the next key asks again.

    Nothing here says that the user asked: the protocol calls it "invoked" when an identifier is typed, too.
    """
    found = None
    if offers_menu(session.client, session.settings):
        found = await _suggest(session, params.text_document.uri, params.position)
    items = [menu_item(found, session.client.encoding)] if found else []
    return types.CompletionList(is_incomplete=True, items=items)


async def _suggest(
    session: Session,
    uri: str,
    position: types.Position,
    *,
    invoked: bool = False,
    selected: types.SelectedCompletionInfo | None = None,
) -> Suggestion | None:
    """Return what can be drawn at a position; where that is nothing, the session knows why."""
    document = session.documents.get(uri)
    if isinstance(document, Rejection):
        session.note_empty(document)
        return None
    if session.status.off:
        session.note_empty(Rejection(reason=Reason.DISABLED, detail=session.status.off))
        return None
    cursor = offset_of(document, position, session.client.encoding)
    entry = _selected(document, selected, session.client.encoding)
    with session.status.asking():
        outcome = await session.completer.complete(document, cursor, invoked=invoked, selected=entry)
    if isinstance(outcome, Rejection):
        session.note_empty(outcome)
        return None
    if not is_on_cursor_line(document, outcome.replaces, cursor):
        _log.error("A suggestion for more than the cursor's line was held back: %s.", outcome.replaces)
        return None
    session.status.note(None)
    return Suggestion(outcome, session.offers.new_name(), document, cursor)


def _selected(
    document: Document, selected: types.SelectedCompletionInfo | None, encoding: Encoding
) -> tuple[Span, str] | None:
    """Return what the selected entry of the editor's own menu would replace, and with which text."""
    if selected is None:
        return None
    start = offset_of(document, selected.range.start, encoding)
    return Span(start, offset_of(document, selected.range.end, encoding)), selected.text
