"""Turn the findings at a place into what can be done with them, and a place into what can be reviewed there."""

from collections.abc import Iterator
from typing import Any

from lsprotocol import types

from fimserver.lsp import names
from fimserver.lsp.applying import workspace_edit
from fimserver.lsp.findings import Shown, diagnostic, within
from fimserver.lsp.review_targets import What
from fimserver.lsp.session import Session
from fimserver.review.edits import Edit
from fimserver.values import Document, Span

# Custom, so that editors show these at their end, and not among refactorings.
KIND = "fimserver.review"

_LONGEST_TITLE = 60

_ANNOTATION = "fimserver"


def finding_actions(
    session: Session,
    document: Document,
    span: Span,
    params: types.CodeActionParams,  # noqa: ARG001 - a source's signature
) -> Iterator[types.CodeAction]:
    """Offer for each finding to apply its fix, to explain it, and to dismiss it or its kind."""
    for shown in within(session, document.uri, span):
        about = [diagnostic(session, shown)]
        if shown.finding.replacement is not None:
            yield types.CodeAction(
                title=f"Fix: {_short(shown.finding.message)}",
                kind=types.CodeActionKind.QuickFix,
                diagnostics=about,
                is_preferred=True,
                edit=_fix(session, shown, shown.finding.replacement),
            )
        for title, command in (
            (f"Explain: {_short(shown.finding.message)}", names.REVIEW_EXPLAIN),
            (f"Dismiss: {_short(shown.finding.message)}", names.REVIEW_DISMISS),
            (f"Dismiss all findings about {shown.finding.category} in this project", names.REVIEW_DISMISS_KIND),
        ):
            yield types.CodeAction(
                title=title,
                kind=types.CodeActionKind.QuickFix,
                diagnostics=about,
                command=types.Command(title, command, arguments=[shown.name]),
            )


def review_actions(
    session: Session,  # noqa: ARG001 - a source's signature
    document: Document,
    span: Span,
    params: types.CodeActionParams,
) -> Iterator[types.CodeAction]:
    """Offer to review the selection, else the function, the file and its changes, to those who ask for actions."""
    if params.context.trigger_kind is types.CodeActionTriggerKind.Automatic:
        return
    whats = (What.SELECTION,) if span.start < span.end else (What.FUNCTION, What.FILE, What.CHANGES)
    for what in whats:
        arguments: list[Any] = [what.value, document.uri, params.range]
        command = types.Command(_TITLES[what], names.REVIEW, arguments=arguments)
        yield types.CodeAction(title=command.title, kind=KIND, command=command)


_TITLES = {
    What.SELECTION: "Review the selection (fimserver)",
    What.FUNCTION: "Review this function (fimserver)",
    What.FILE: "Review this file (fimserver)",
    What.CHANGES: "Review the changes of this file (fimserver)",
}


def _fix(session: Session, shown: Shown, replacement: str) -> types.WorkspaceEdit:
    """Return the edit of a fix; where the editor can, it shows the edit before it is made."""
    finding = shown.finding
    edit = workspace_edit(session, Edit(finding.document, finding.span, replacement))
    if not session.client.previews_edits or edit.document_changes is None:
        return edit
    for change in edit.document_changes:
        if isinstance(change, types.TextDocumentEdit):
            change.edits = [types.AnnotatedTextEdit(_ANNOTATION, one.range, one.new_text) for one in change.edits]  # type: ignore[union-attr]
    label = types.ChangeAnnotation(_short(finding.message), needs_confirmation=True)
    edit.change_annotations = {_ANNOTATION: label}
    return edit


def _short(message: str) -> str:
    return message if len(message) <= _LONGEST_TITLE else message[:_LONGEST_TITLE].rpartition(" ")[0] + " …"
