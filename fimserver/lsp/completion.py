"""Turn a request for a suggestion into the completer's question, and its answer into what the editor draws.

`textDocument/inlineCompletion` is ghost text. `textDocument/completion` carries the same suggestion for editors that
have no ghost text. That a newer request displaces an older one is the completer's affair.
"""

import logging
from collections.abc import Awaitable
from dataclasses import dataclass, replace

from lsprotocol import types

from fimserver.context.notebook import Whole
from fimserver.lsp.client import Encoding
from fimserver.lsp.configuration import offers_menu
from fimserver.lsp.convert import Suggestion, inline_item, is_on_cursor_line, menu_item, offset_of
from fimserver.lsp.offers import Offered, model_name
from fimserver.lsp.session import Session
from fimserver.values import Completion, Document, Outcome, Reason, Rejection, Span

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of the completer: the document as it was when the request came, and the cursor in it.

    `whole` is what it is completed in: for a notebook's cell that is the notebook. `selected` is a span of the whole.
    """

    document: Document
    cursor: int
    whole: Whole
    invoked: bool = False
    selected: tuple[Span, str] | None = None


def inline_completion(session: Session, params: types.InlineCompletionParams) -> Awaitable[types.InlineCompletionList]:
    """Return one piece of ghost text, or none.

    This is no coroutine itself, and neither is the next: the document must be taken at once. By the time a coroutine
    runs, the next key may have changed it, and the position would mean another place.
    """
    document = session.documents.get(params.text_document.uri)
    return _ghost_text(session, _asked(session, document, params.position, params.context))


def menu_completion(session: Session, params: types.CompletionParams) -> Awaitable[types.CompletionList]:
    """Return one entry for the completion menu, or none. The list is incomplete: the next key asks again.

    Nothing here says that the user asked: the protocol calls it "invoked" when an identifier is typed, too.
    """
    document = session.documents.get(params.text_document.uri)
    return _menu(session, _asked(session, document, params.position))


def _asked(
    session: Session,
    document: Document | Rejection,
    position: types.Position,
    context: types.InlineCompletionContext | None = None,
) -> Asked | Rejection:
    session.follow_settings_file()
    if isinstance(document, Rejection):
        return document
    if session.status.off:
        return Rejection(reason=Reason.DISABLED, detail=session.status.off)
    cursor, whole = offset_of(document, position, session.client.encoding), session.documents.whole(document)
    if context is None:
        return Asked(document, cursor, whole)
    invoked = context.trigger_kind is types.InlineCompletionTriggerKind.Invoked
    entry = context.selected_completion_info
    selected = (whole.inside(_span_of(document, entry.range, session.client.encoding)), entry.text) if entry else None
    return Asked(document, cursor, whole, invoked, selected)


def _span_of(document: Document, place: types.Range, encoding: Encoding) -> Span:
    return Span(offset_of(document, place.start, encoding), offset_of(document, place.end, encoding))


async def _ghost_text(session: Session, asked: Asked | Rejection) -> types.InlineCompletionList:
    found = await _suggest(session, asked)
    others = await _others(session, asked, found) if found and isinstance(asked, Asked) else ()
    shown = (found, *others) if found else ()
    return types.InlineCompletionList(items=[inline_item(each, session.client.encoding) for each in shown])


async def _others(session: Session, asked: Asked, found: Suggestion) -> tuple[Suggestion, ...]:
    """Return what else could stand there, to choose from, where the user asked by hand."""
    if not asked.invoked or asked.selected:
        return ()
    with session.status.asking():
        whole, cursor = asked.whole.document, asked.whole.start + asked.cursor
        others = await session.completer.alternatives(whole, cursor, found.completion)
    return tuple(_named(session, _outside(other, asked.whole), asked, on_top=False) for other in others)


async def _menu(session: Session, asked: Asked | Rejection) -> types.CompletionList:
    found = await _suggest(session, asked) if offers_menu(session.client, session.settings) else None
    items = [menu_item(found, session.client.encoding)] if found else []
    return types.CompletionList(is_incomplete=True, items=items)


async def _suggest(session: Session, asked: Asked | Rejection) -> Suggestion | None:
    """Return what can be drawn; where that is nothing, the session knows why."""
    if isinstance(asked, Rejection):
        session.note_empty(asked)
        return None
    outcome = await _complete(session, asked)
    if isinstance(outcome, Rejection):
        session.note_empty(outcome)
        return None
    session.status.note(None)
    return _named(session, outcome, asked)


def _named(session: Session, completion: Completion, asked: Asked, *, on_top: bool = True) -> Suggestion:
    document, cursor = asked.document, asked.cursor
    offered = Offered(completion, document.uri, document.language, cursor, model_name(session.settings))
    return Suggestion(completion, session.offers.new_name(offered, on_top=on_top), document, cursor)


async def _complete(session: Session, asked: Asked) -> Outcome:
    document, cursor = asked.whole.document, asked.whole.start + asked.cursor
    with session.status.asking():
        outcome = await session.completer.complete(document, cursor, invoked=asked.invoked, selected=asked.selected)
    session.recent.note()
    if isinstance(outcome, Rejection):
        return outcome
    suggested = _outside(outcome, asked.whole)
    if not is_on_cursor_line(asked.document, suggested.replaces, asked.cursor):
        _log.error("A suggestion for more than the cursor's line was held back: %s.", suggested.replaces)
        return Rejection(reason=Reason.EMPTY, detail="It would have replaced more than the cursor's line.")
    return suggested


def _outside(completion: Completion, whole: Whole) -> Completion:
    """Return a completion of the whole as one of the editor's document."""
    return replace(completion, replaces=whole.outside(completion.replaces))
