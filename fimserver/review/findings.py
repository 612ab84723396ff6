"""Turn what a model claims about a text into a finding that is true of it in two things: the line, and the quote.

A claim must name a line of the asked range and quote from it; white space does not count, and a model that counted one
or two lines off is forgiven where the quote stands there. What else it says is opinion, shown as such.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from fimserver.text import line_end, position_at
from fimserver.values import Document, Span


class Category(StrEnum):
    """What kind of thing is wrong. The names are public: diagnostics carry them as their code."""

    BUG = "bug"
    SECURITY = "security"
    PERFORMANCE = "performance"
    READABILITY = "readability"
    TESTS = "tests"


class Severity(StrEnum):
    """How bad it is, the worst first."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Dropped(StrEnum):
    """Why a claim is not shown. The names are public: `--json` counts them."""

    UNREADABLE = "unreadable"  # no claim in the form that was asked for
    OUTSIDE = "outside-range"  # it names a line, or quotes lines, that nobody asked about
    NOT_QUOTED = "not-quoted"  # its quote does not stand on its line
    DUPLICATE = "duplicate"
    DISMISSED = "dismissed"  # the user did not want to see it again
    TEXT_CHANGED = "text-changed"  # its line was edited meanwhile


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What a model wrote of one line, counted from 1 as in the listing it was shown."""

    line: int
    quote: str
    category: Category
    severity: Severity
    message: str
    replacement: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A claim whose quote was found: `span` is where it stands in this version of the document."""

    document: Document
    span: Span
    category: Category
    severity: Severity
    message: str
    replacement: str | None = None  # what should stand there instead, if it is known

    @property
    def line(self) -> int:
        """The line it begins on, from 0."""
        return position_at(self.document.starts, self.span.start)[0]

    @property
    def quoted(self) -> str:
        """The text it speaks of."""
        return self.document.text[self.span.start : self.span.end]

    @property
    def lines_text(self) -> str:
        """The whole lines on which that text stands."""
        span = _whole_lines(self.document, self.span)
        return self.document.text[span.start : span.end]


# A model counts lines wrong by so many at most, where its quote says which line it means.
_MISCOUNTED_LINES = 2

# A quote is looked for in so much more text than it is long, for the white space it may leave out.
_ROOM_FOR_BLANKS = 2_000

# What a listing puts before a line: its number, a sign if the line changed, a bar.
_LISTED = re.compile(r"^\s*\d+\s?[+ ]?\|\s?", re.MULTILINE)


def checked(claim: Claim, document: Document, asked: Sequence[range]) -> Finding | Dropped:
    """Return the finding, or why there is none. `asked` are the lines, from 0, that the review is about."""
    named = claim.line - 1
    if not any(named in lines for lines in asked):
        return Dropped.OUTSIDE
    near = range(named - _MISCOUNTED_LINES, named + _MISCOUNTED_LINES + 1)
    for line in sorted(near, key=lambda line: abs(line - named)):
        around = next((lines for lines in asked if line in lines), None)
        span = quoted_span(document, line, claim.quote) if around is not None else None
        if around is not None and span is not None:
            return _finding(claim, document, span) if _ends_in(document, span, around) else Dropped.OUTSIDE
    return Dropped.NOT_QUOTED


def quoted_span(document: Document, line: int, quote: str) -> Span | None:
    r"""Return where a quote stands that begins on a line, white space apart; None where it does not, or says nothing.

    >>> quoted_span(Document.of("x = 1\nif a  ==  b:\n"), 1, "a == b")
    Span(start=9, end=17)
    """
    wanted = "".join(_LISTED.sub("", quote).split())
    if not 0 <= line < len(document.starts):
        return None
    start, end = document.starts[line], line_end(document.text, document.starts, line)
    if not any(letter.isalnum() or letter == "_" for letter in wanted) and wanted != document.text[start:end].strip():
        return None
    window = document.text[start : start + 2 * len(quote) + _ROOM_FOR_BLANKS]
    offsets = [start + index for index, letter in enumerate(window) if not letter.isspace()]
    found = "".join(window.split()).find(wanted) if wanted else -1
    if found < 0 or offsets[found] >= end:
        return None
    return Span(offsets[found], offsets[found + len(wanted) - 1] + 1)


def relocated(finding: Finding, document: Document) -> Finding | None:
    """Return the finding in another version of its document; None where its lines do not stand there any more."""
    if finding.document.text == document.text:
        return replace(finding, document=document)
    whole = _whole_lines(finding.document, finding.span)
    text = finding.document.text[whole.start : whole.end]
    starts = _line_starts_of(text, document)
    if not starts:
        return None
    nearest = min(starts, key=lambda start: abs(position_at(document.starts, start)[0] - finding.line))
    shift = nearest - whole.start
    return replace(finding, document=document, span=Span(finding.span.start + shift, finding.span.end + shift))


def _finding(claim: Claim, document: Document, span: Span) -> Finding:
    return Finding(
        document=document,
        span=span,
        category=claim.category,
        severity=claim.severity,
        message=claim.message,
        replacement=claim.replacement,
    )


def _ends_in(document: Document, span: Span, lines: range) -> bool:
    return position_at(document.starts, span.end - 1)[0] in lines


def _whole_lines(document: Document, span: Span) -> Span:
    """Return a span grown to whole lines, without the last one's terminator."""
    first, last = (position_at(document.starts, offset)[0] for offset in (span.start, span.end))
    return Span(document.starts[first], line_end(document.text, document.starts, last))


def _line_starts_of(text: str, document: Document) -> list[int]:
    """Return where the document has the same whole lines."""
    pattern = re.compile(rf"(?:^|(?<=[\r\n])){re.escape(text)}(?=[\r\n]|\Z)")
    return [match.start() for match in pattern.finditer(document.text)]
