"""Let the parser judge a suggestion: with it the document must not have more syntax errors than without it.

What is nearly sound is mended: an answer that was cut at its longest ends with its last whole statement, and a closer
that stands below the cursor already is left to the document.
"""

from collections.abc import Iterator

from fimserver.syntax.errors import errors_added
from fimserver.syntax.languages import Language, language_named
from fimserver.syntax.lines import Token, take_bracket, tokens
from fimserver.text import leading_blanks
from fimserver.values import CursorContext, Reason, Rejection

# So many versions of a text are tried; each costs two parses of the neighbourhood.
_MOST_VERSIONS = 10


def mend_or_refuse_syntax_errors(text: str, context: CursorContext) -> str | Rejection:
    """Return the first version of a text that brings no new syntax error; most texts are their own first."""
    more = _errors_added(text, context)
    if more <= 0:
        return text
    for _, version in zip(range(_MOST_VERSIONS), _versions(text, context), strict=False):
        if version.strip() and _errors_added(version, context) <= 0:
            return version
    return Rejection(reason=Reason.SYNTAX_ERROR, detail=f"It would bring {more} more syntax errors.")


def _errors_added(text: str, context: CursorContext) -> int:
    start = context.line_start if context.blank_prefix else context.offset
    end = context.offset + (len(context.tail) if context.closing_tail else 0)
    return errors_added(context.document, start, end, text)


def _versions(text: str, context: CursorContext) -> Iterator[str]:
    """Yield shorter texts: without the closers at the end, then without the last lines, open blocks closed."""
    shorter = text
    while shorter.endswith((")", "]", "}", ";", ",")) and (shorter := shorter[:-1].rstrip()):
        yield shorter
    lines = text.split("\n")
    language = language_named(context.document.language)
    for count in range(len(lines), 1, -1):
        whole = "\n".join(lines[:count]).rstrip()
        if (closed := _with_blocks_closed(whole, context, language)) != text:
            yield closed


def _with_blocks_closed(text: str, context: CursorContext, language: Language | None) -> str:
    """Return the text with a line for each brace it left open."""
    if language is None or language.opens != "{":
        return text
    whole = ("" if context.blank_prefix else context.line_prefix) + text
    still_open: list[Token] = []
    for token in tokens(whole, language):
        take_bracket(token, still_open)
    begin = len(whole) - len(text)
    braces = [token.start for token in reversed(still_open) if token.text == "{" and token.start >= begin]
    return "\n".join([text, *(leading_blanks(whole[whole.rfind("\n", 0, at) + 1 :]) + "}" for at in braces)])
