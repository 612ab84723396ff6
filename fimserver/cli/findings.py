"""Turn findings into what a terminal, a script, GitHub, or a tool that reads SARIF 2.1.0 shows of them.

Lines and columns count from 1, columns in characters. Paths are relative to the folder the command was run in, where
the file is below it.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fimserver import __version__
from fimserver.cli import output
from fimserver.cli.place import shown_position
from fimserver.review.dismissed import finding_key
from fimserver.review.findings import Category, Finding, Severity
from fimserver.uris import path_of

_STYLES = {Severity.ERROR: output.BAD, Severity.WARNING: "yellow", Severity.NOTE: output.FAINT}

_MEANINGS = {
    Category.BUG: "The code does something else than it says, crashes, or loses data.",
    Category.SECURITY: "Somebody who controls an input could do what they should not.",
    Category.PERFORMANCE: "The same result could be had with much less time or memory.",
    Category.READABILITY: "The code does what it should, and a reader will be misled.",
    Category.TESTS: "A test that proves nothing, or a behaviour that no test would notice.",
}

_GITHUB_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}


def show_finding(finding: Finding) -> None:
    """Print a finding: where, what, the line, and the text that should stand there if it is known."""
    start = shown_position(finding.document, finding.span.start)
    output.line(
        (f"{shown_path(finding)}:{start['line']}:{start['column']}: ", ""),
        (f"{finding.severity}", _STYLES[finding.severity]),
        f" [{finding.category}] {finding.message}",
    )
    for sign, text, style in _lines(finding):
        output.line((f"  {sign} {text}", style))


def as_values(finding: Finding) -> dict[str, Any]:
    """Return a finding as `--json` prints it."""
    return {
        "path": shown_path(finding),
        "start": shown_position(finding.document, finding.span.start),
        "end": shown_position(finding.document, finding.span.end),
        "category": finding.category,
        "severity": finding.severity,
        "message": finding.message,
        "quote": finding.quoted,
        "replacement": finding.replacement,
    }


def github_line(finding: Finding) -> str:
    """Return a finding as a workflow command, which GitHub shows beside the line.

    Source: "Workflow commands for GitHub Actions", Setting an error message.
    """
    start, end = (shown_position(finding.document, offset) for offset in (finding.span.start, finding.span.end))
    where = {
        "file": shown_path(finding),
        "line": start["line"],
        "endLine": end["line"],
        "col": start["column"],
        "endColumn": end["column"],
        "title": f"fimserver: {finding.category}",
    }
    properties = ",".join(f"{name}={_escaped(str(value), _IN_PROPERTY)}" for name, value in where.items())
    return f"::{_GITHUB_LEVELS[finding.severity]} {properties}::{_escaped(finding.message, _IN_MESSAGE)}"


def sarif(findings: Sequence[Finding], told: Sequence[str], *, is_whole: bool) -> dict[str, Any]:
    """Return a review as SARIF 2.1.0; what else was told of it becomes notifications."""
    rules = [{"id": category, "shortDescription": {"text": meaning}} for category, meaning in _MEANINGS.items()]
    notifications = [{"level": "note", "message": {"text": sentence}} for sentence in told]
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": "fimserver", "semanticVersion": __version__, "rules": rules}},
                "columnKind": "unicodeCodePoints",
                "invocations": [{"executionSuccessful": is_whole, "toolExecutionNotifications": notifications}],
                "results": [_sarif_result(finding) for finding in findings],
            }
        ],
    }


def shown_path(finding: Finding) -> str:
    """Return a finding's file as people name it here."""
    path = path_of(finding.document.uri)
    if path is None:
        return finding.document.uri
    here = Path.cwd()
    return path.relative_to(here).as_posix() if path.is_relative_to(here) else path.as_posix()


def _sarif_result(finding: Finding) -> dict[str, Any]:
    artifact, region = {"uri": quote(shown_path(finding))}, _region(finding)
    result: dict[str, Any] = {
        "ruleId": finding.category,
        "level": finding.severity,
        "message": {"text": finding.message},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": artifact,
                    "region": {**region, "snippet": {"text": finding.quoted}},
                }
            }
        ],
        "partialFingerprints": {"fimserver/v1": finding_key(finding)},
    }
    if finding.replacement is not None:
        replaced = {"deletedRegion": region, "insertedContent": {"text": finding.replacement}}
        result["fixes"] = [
            {
                "description": {"text": "The suggested fix."},
                "artifactChanges": [{"artifactLocation": artifact, "replacements": [replaced]}],
            }
        ]
    return result


def _region(finding: Finding) -> dict[str, int]:
    start, end = (shown_position(finding.document, offset) for offset in (finding.span.start, finding.span.end))
    return {
        "startLine": start["line"],
        "startColumn": start["column"],
        "endLine": end["line"],
        "endColumn": end["column"],
    }


def _lines(finding: Finding) -> Iterator[tuple[str, str, str]]:
    """Yield the finding's lines with a sign and a style; of a fix, those it takes away and those it brings."""
    before = finding.lines_text
    if finding.replacement is None:
        yield from ((" ", text, output.FAINT) for text in before.splitlines())
        return
    yield from (("-", text, output.BAD) for text in before.splitlines())
    after = before.replace(finding.quoted, finding.replacement, 1)
    yield from (("+", text, output.GOOD) for text in after.splitlines())


_IN_MESSAGE = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_IN_PROPERTY = {**_IN_MESSAGE, ":": "%3A", ",": "%2C"}


def _escaped(text: str, escapes: dict[str, str]) -> str:
    return "".join(escapes.get(letter, letter) for letter in text)
