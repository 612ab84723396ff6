"""Turn a request for a suggestion into the completer's question, and its answer into what the editor draws.

`textDocument/inlineCompletion` is ghost text. `textDocument/completion` carries the same suggestion for editors that
have no ghost text. That a newer request displaces an older one is the completer's affair.
"""

import logging
from dataclasses import dataclass

from lsprotocol import types

from fimserver.lsp.configuration import offers_menu
from fimserver.lsp.convert import inline_item, is_on_cursor_line, menu_item, offset_of
from fimserver.lsp.session import Session
from fimserver.values import Completion, Document, Outcome, Reason, Rejection, Span

_log = logging.getLogger(__name__)

# Reasons that will not pass by themselves: the user is told, where there is no status item, too.
_TROUBLES = frozenset({Reason.ENGINE_UNAVAILABLE, Reason.ENGINE_REFUSED})


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A completion, and the document and cursor it was made for."""

    completion: Completion
    document: Document
    cursor: int


async def inline_completion(session: Session, params: types.InlineCompletionParams) -> types.InlineCompletionList:
    """Return one piece of ghost text, or none."""
    found = await _suggest(
        session,
        params.text_document.uri,
        params.position,
        invoked=params.context.trigger_kind is types.InlineCompletionTriggerKind.Invoked,
        selected=params.context.selected_completion_info,
    )
    if found is None:
        return types.InlineCompletionList(items=[])
    return types.InlineCompletionList(items=[inline_item(found.completion, found.document, session.client.encoding)])


async def menu_completion(session: Session, params: types.CompletionParams) -> types.CompletionList:
    """Return one entry for the completion menu, or none. The list is incomplete: the next key asks again.

    Nothing here says that the user asked: the protocol calls it "invoked" when an identifier is typed, too.
    """
    found = None
    if offers_menu(session.client, session.settings):
        found = await _suggest(session, params.text_document.uri, params.position)
    if found is None:
        return types.CompletionList(is_incomplete=True, items=[])
    item = menu_item(found.completion, found.document, found.cursor, session.client.encoding)
    return types.CompletionList(is_incomplete=True, items=[item])


async def _suggest(
    session: Session,
    uri: str,
    position: types.Position,
    *,
    invoked: bool = False,
    selected: types.SelectedCompletionInfo | None = None,
) -> Suggestion | None:
    """Ask the completer, keep the status item up to date, and return what can be drawn."""
    document = session.documents.get(uri)
    if document is None:
        session.status.refused(Rejection(reason=Reason.UNKNOWN_DOCUMENT, detail=session.documents.why_not(uri)))
        return None
    if session.status.off:
        session.status.refused(Rejection(reason=Reason.DISABLED, detail=session.status.off))
        return None
    cursor = offset_of(document, position, session.client.encoding)
    outcome: Outcome | None = None  # what stays where it is cancelled
    session.status.asked()
    try:
        outcome = await session.completer.complete(
            document, cursor, invoked=invoked, selected=_selected(session, document, selected)
        )
    finally:
        session.status.answered(outcome)
    if isinstance(outcome, Rejection):
        if outcome.reason in _TROUBLES:
            session.tell_trouble(outcome.detail)
        return None
    if not is_on_cursor_line(document, outcome.replaces, cursor):
        _log.error("A suggestion for more than the cursor's line was held back: %s.", outcome.replaces)
        return None
    return Suggestion(outcome, document, cursor)


def _selected(
    session: Session, document: Document, selected: types.SelectedCompletionInfo | None
) -> tuple[Span, str] | None:
    if selected is None:
        return None
    start = offset_of(document, selected.range.start, session.client.encoding)
    end = offset_of(document, selected.range.end, session.client.encoding)
    return Span(start, end), selected.text
