"""Turn a selection into the actions an editor offers for it: a table of sources, each with its own.

An action is only a command: nothing is asked of a model before the user chooses it.
"""

from collections.abc import Callable, Iterator, Sequence

from lsprotocol import types

from fimserver.engine.interface import EngineState
from fimserver.lsp.commit_message import LANGUAGES, TITLE
from fimserver.lsp.convert import offset_of
from fimserver.lsp.names import COMMIT_MESSAGE, edit_command
from fimserver.lsp.review_actions import finding_actions, review_actions
from fimserver.lsp.session import Session
from fimserver.review.actions import ACTIONS
from fimserver.review.selection import is_header, is_selection
from fimserver.values import Document, Rejection, Span

# Takes the session, the document, what is selected, and what the editor knows of the place.
Source = Callable[[Session, Document, Span, types.CodeActionParams], Iterator[types.CodeAction]]


def code_actions(session: Session, params: types.CodeActionParams) -> Sequence[types.CodeAction]:
    """Return what can be done with a selection."""
    document = session.documents.get(params.text_document.uri)
    if isinstance(document, Rejection):
        return []
    encoding = session.client.encoding
    ends = (offset_of(document, end, encoding) for end in (params.range.start, params.range.end))
    span = Span(*ends)
    found = (action for source in SOURCES for action in source(session, document, span, params))
    return [action for action in found if _is_wanted(action, params.context.only)]


def _edits(
    session: Session, document: Document, span: Span, params: types.CodeActionParams
) -> Iterator[types.CodeAction]:
    """Offer the commands on a part: where something is selected, and on the line a definition begins with.

    Where no chat model is chosen only what works without one is offered.
    """
    complaints = [_complaint(one) for one in params.context.diagnostics if one.source != "fimserver"]
    on_part = is_selection(span) or is_header(document, span.start)
    chats = _chats(session)
    for action in ACTIONS.values():
        if action.name == "instruct":  # it takes words, for which the protocol has no place
            continue
        wanted = bool(complaints) if action.name == "fix" else on_part
        if wanted and (chats or action.name == "docstring"):
            options = {"version": document.version, "diagnostics": complaints if action.name == "fix" else []}
            arguments = [document.uri, params.range, options]
            command = types.Command(action.title, edit_command(action.name), arguments=arguments)
            kind = _KINDS.get(action.name, types.CodeActionKind.RefactorRewrite)
            yield types.CodeAction(title=f"{action.title} (fimserver)", kind=kind, command=command)


def _chats(session: Session) -> bool:
    """Return whether a chat model is chosen; one that has failed says so when it is asked."""
    return bool(session.settings.model.chat) or session.chat_engine.status().state is not EngineState.FAILED


_KINDS = {"fix": types.CodeActionKind.QuickFix, "explain": types.CodeActionKind.Empty}


def _complaint(diagnostic: types.Diagnostic) -> dict[str, object]:
    return {"message": diagnostic.message, "range": diagnostic.range}


def _is_wanted(action: types.CodeAction, only: Sequence[str] | None) -> bool:
    """Return whether an action is of one of the kinds an editor asks for; none means all."""
    kind = str(action.kind.value if isinstance(action.kind, types.CodeActionKind) else action.kind or "")
    return not only or any(kind == wanted or kind.startswith(f"{wanted}.") for wanted in map(_plain, only))


def _plain(kind: str) -> str:
    return kind.value if isinstance(kind, types.CodeActionKind) else kind


def _commit(session: Session, document: Document, _: Span, __: types.CodeActionParams) -> Iterator[types.CodeAction]:
    """Offer to write the message in the buffer that git opens for it."""
    if document.language in LANGUAGES and _chats(session):
        command = types.Command(TITLE, COMMIT_MESSAGE, arguments=[document.uri])
        yield types.CodeAction(title=f"{TITLE} (fimserver)", kind=types.CodeActionKind.Empty, command=command)


SOURCES: tuple[Source, ...] = (finding_actions, _edits, _commit, review_actions)
