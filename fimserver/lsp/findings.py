"""Keep the findings an editor shows, document by document, and publish them as diagnostics.

A finding follows its lines while the document is edited, and goes when they change: what it said is about text that is
not there any more.
"""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from lsprotocol import types

from fimserver import review
from fimserver.lsp.convert import range_of
from fimserver.lsp.session import Session
from fimserver.review.findings import Finding, Severity, relocated
from fimserver.values import Document, Span

SOURCE = "fimserver"

SEVERITIES = {
    Severity.ERROR: types.DiagnosticSeverity.Error,
    Severity.WARNING: types.DiagnosticSeverity.Warning,
    Severity.NOTE: types.DiagnosticSeverity.Information,
}

# What the editor opens where a user clicks a finding's category.
_EXPLANATIONS = Path(review.__path__[0]) / "categories.md"

_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Shown:
    """A finding with the name by which commands mean it."""

    name: str
    finding: Finding


def show(session: Session, finding: Finding) -> bool:
    """Show one finding more; return whether its lines still stand in the document."""
    document = session.documents.get(finding.document.uri)
    now = relocated(finding, document) if isinstance(document, Document) else finding
    if now is None:
        return False
    session.findings.setdefault(now.document.uri, []).append(Shown(f"f{next(_numbers)}", now))
    publish(session, now.document.uri)
    return True


def follow(session: Session, uri: str) -> None:
    """Let a document's findings follow an edit; those whose lines have changed go."""
    before, document = session.findings.get(uri), session.documents.get(uri)
    if not before or not isinstance(document, Document):
        return
    found = [(shown, relocated(shown.finding, document)) for shown in before]
    session.findings[uri] = [replace(shown, finding=finding) for shown, finding in found if finding is not None]
    if len(session.findings[uri]) < len(before):
        publish(session, uri)


def remove(session: Session, is_gone: Callable[[Shown], bool]) -> None:
    """Show some findings no more."""
    for uri, before in list(session.findings.items()):
        session.findings[uri] = [shown for shown in before if not is_gone(shown)]
        if len(session.findings[uri]) < len(before):
            publish(session, uri)


def named(session: Session, name: str) -> Finding | None:
    """Return the finding of a name; None where it is shown no more."""
    return next((shown.finding for shown in _all(session) if shown.name == name), None)


def within(session: Session, uri: str, span: Span) -> list[Shown]:
    """Return the findings of a document that touch a span."""
    found = session.findings.get(uri, ())
    return [shown for shown in found if shown.finding.span.start <= span.end and span.start <= shown.finding.span.end]


def publish(session: Session, uri: str) -> None:
    """Send all findings of a document, in place of those sent before."""
    document = session.documents.get(uri)
    session.connection.notify(
        types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS,
        types.PublishDiagnosticsParams(
            uri=uri,
            diagnostics=[diagnostic(session, shown) for shown in session.findings.get(uri, ())],
            version=document.version if isinstance(document, Document) else None,
        ),
    )


def diagnostic(session: Session, shown: Shown) -> types.Diagnostic:
    """Return a finding as the editor draws it."""
    finding = shown.finding
    return types.Diagnostic(
        range=range_of(finding.document, finding.span, session.client.encoding),
        message=finding.message,
        severity=SEVERITIES[finding.severity],
        code=finding.category.value,
        code_description=types.CodeDescription(href=f"{_EXPLANATIONS.as_uri()}#{finding.category.value}"),
        source=SOURCE,
        data=shown.name,
    )


def _all(session: Session) -> Iterator[Shown]:
    for found in session.findings.values():
        yield from found
