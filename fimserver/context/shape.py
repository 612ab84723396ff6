"""Decide how much is worth asking for at the cursor: nothing, the rest of a line, or a block.

Two tables decide, in order: REFUSALS, each a reason and its rule, then BLOCKS. Where no rule says yes it is a line.
A rule is a function of a `Place`; a user who asks by hand is refused nothing.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from fimserver.settings import CompletionSettings
from fimserver.syntax.languages import Language
from fimserver.syntax.layout import (
    DOCUMENTATION,
    columns,
    header_above,
    header_indent,
    indent_of,
    line_above,
    line_below,
    line_text,
)
from fimserver.syntax.lines import Scan
from fimserver.text import leading_blanks
from fimserver.values import CursorContext, Reason, Shape


@dataclass(frozen=True, slots=True)
class Place:
    """What the rules look at."""

    context: CursorContext
    completion: CompletionSettings
    language: Language | None
    scan: Scan  # of the line up to the cursor
    opens: bool  # a block opens at the end of the line up to the cursor

    @property
    def code(self) -> str:
        """The line up to the cursor, without the comment and the blanks at its end."""
        return self.context.line_prefix[: self.scan.code_end]

    @property
    def in_code(self) -> bool:
        """True outside strings and comments."""
        return not self.context.in_string and not self.context.in_comment


Rule = Callable[[Place], bool]


def choose_shape(place: Place, *, invoked: bool = False) -> tuple[Shape, Reason | None]:
    """Return the shape, and the reason where it is NOTHING."""
    if not invoked:
        reason = next((reason for reason, refuses in REFUSALS if refuses(place)), None)
        if reason is not None:
            return Shape.NOTHING, reason
    if place.completion.shape != "auto":
        return Shape(place.completion.shape), None
    return (Shape.BLOCK if any(rule(place) for rule in BLOCKS) else Shape.LINE), None


def in_comment_unasked(place: Place) -> bool:
    """Refuse a comment where the setting says not to suggest in comments."""
    return place.context.in_comment and not place.completion.in_comments


def in_string_unasked(place: Place) -> bool:
    """Refuse a string where the setting says not to suggest in strings."""
    return place.context.in_string and not place.completion.in_strings


def code_follows(place: Place) -> bool:
    """Refuse a line on which more than closing punctuation follows."""
    return not place.context.closing_tail


def statement_ended(place: Place) -> bool:
    """Refuse what stands after `;`, unless that is in a loop's header or a blank after it asks for more."""
    return (
        place.in_code
        and place.context.line_prefix.endswith(";")
        and not place.scan.brackets
        and (place.language is None or place.language.opens == "{")
    )


def block_closed(place: Place) -> bool:
    """Refuse a line that closes a block or a value and does nothing else: `}`, `});`, `},`."""
    return place.in_code and _CLOSERS.fullmatch(place.context.line_prefix) is not None


def remark_closed(place: Place) -> bool:
    """Refuse a line that is a comment or a documenting string, closed right before the cursor."""
    return place.in_code and DOCUMENTATION.fullmatch(place.context.line_prefix) is not None


def body_exists(place: Place) -> bool:
    """Refuse the end of a header whose block is there already."""
    # In a language we have no grammar for, a colon at the cursor may be anything, and `else` the start of `elseif`.
    surely = place.language is not None or place.code.endswith(("{", ")"))
    return surely and place.opens and not _body_is_empty(place)


def after_header(place: Place) -> bool:
    """Ask for the body at the end of a header."""
    return place.opens and _body_is_empty(place)


def in_empty_body(place: Place) -> bool:
    """Ask for the body on a blank line in a block that holds nothing but comments and documentation."""
    context = place.context
    if not context.blank_prefix or not place.in_code:
        return False
    header = header_above(context.document, context.line, place.language)
    return header is not None and _empty_below(context, header_indent(context.document, header, place.language))


def after_describing_comment(place: Place) -> bool:
    """Ask for a block on a blank line under a comment that says what comes next, with no code there yet."""
    context = place.context
    above = context.line - 1
    if not context.blank_prefix or not place.in_code or above < 0:
        return False
    comment = line_text(context.document, above)
    below = line_below(context.document, context.line)
    follows = below is not None and columns(indent_of(context.document, below)) >= columns(leading_blanks(comment))
    return _describes(comment, place.language) and not (follows and below == context.line + 1)


def deeper_than_above(place: Place) -> bool:
    """Ask for a block where an editor has indented a line of a language we have no grammar for."""
    context = place.context
    above = line_above(context.document, context.line)
    if place.language is not None or not context.blank_prefix or above is None:
        return False
    header = indent_of(context.document, above)
    return columns(context.line_prefix) > columns(header) and _empty_below(context, header)


REFUSALS: tuple[tuple[Reason, Rule], ...] = (
    (Reason.INSIDE_COMMENT, in_comment_unasked),
    (Reason.INSIDE_STRING, in_string_unasked),
    (Reason.INSIDE_STATEMENT, code_follows),
    (Reason.FINISHED_STATEMENT, statement_ended),
    (Reason.FINISHED_STATEMENT, block_closed),
    (Reason.FINISHED_STATEMENT, remark_closed),
    (Reason.FINISHED_STATEMENT, body_exists),
)

BLOCKS: tuple[Rule, ...] = (after_header, in_empty_body, after_describing_comment, deeper_than_above)

_CLOSERS = re.compile(r"\s*\}[)\]};,]*")

# A comment line, its mark, and its words.
_COMMENT = re.compile(r"\s*(?:#|//+!?|--|;+|/?\*+|%)\s*(?P<words>.*?)\s*(?:\*/)?")

# Comments that speak to tools or lawyers, or are code that somebody switched off.
_NOT_DESCRIBING = re.compile(
    r"(?i)!|[-=*#]{3}|copyright|licen[cs]e|spdx|noqa|type:|eslint|pylint|pragma|clang-format|region|endregion|.*[;{}=]$"
)


def _describes(line: str, language: Language | None) -> bool:
    """Say whether a line is a comment that tells what to write: two words or more."""
    marks = language.line_comments if language else ""
    match = _COMMENT.fullmatch(line)
    if match is None or not re.match(rf"(?:{marks}|/\*|\*)", line.lstrip()):
        return False
    words = match.group("words")
    return len(re.findall(r"[^\W\d_]{2,}", words)) >= 2 and not _NOT_DESCRIBING.match(words)


def _body_is_empty(place: Place) -> bool:
    context = place.context
    return _empty_below(context, header_indent(context.document, context.line, place.language))


def _empty_below(context: CursorContext, header_indent: str) -> bool:
    """Say whether no body of a header so indented follows the cursor's line."""
    below = line_below(context.document, context.line)
    if below is None:
        return True
    text = line_text(context.document, below)
    return columns(leading_blanks(text)) <= columns(header_indent) or text.lstrip()[0] in ")]}"
