"""Make the brackets of a suggestion fit those around it: no closer too many, and none of a replaced tail lost."""

import re

from fimserver.syntax.languages import Language, language_named
from fimserver.syntax.lines import Token, scan, take_bracket, tokens
from fimserver.values import CursorContext, Reason, Rejection

# Further up no open bracket is looked for.
_ABOVE_CHARACTERS = 4_000

# Languages in which a bracket may close what nothing opened: `case x)`, `1)`, `:)`, `[0, 1)`.
_LOOSE = frozenset({"", "shellscript", "bash", "zsh", "markdown", "plaintext", "latex", "tex", "restructuredtext"})


def drop_surplus_closers(text: str, context: CursorContext) -> str | Rejection:
    """Cut at the first bracket that closes what nothing opened.

    Where closing punctuation follows the cursor it is replaced by the suggestion, so brackets that were opened before
    the cursor may be closed by it.
    """
    language = language_named(context.document.language)
    if context.document.language in _LOOSE or context.in_comment:
        return text
    surplus = _first_surplus(_code_before(context, context.scope.start), text, language)
    if surplus is not None:
        # In broken code the scope may begin in the middle of a statement: what is around it must agree.
        surplus = _first_surplus(_code_before(context, _outermost_start(context)), text, language)
    if surplus is None:
        return text
    kept = text[:surplus].rstrip()
    return kept or Rejection(reason=Reason.EMPTY, detail="It closed what was never opened.")


def keep_the_closing_tail(text: str, context: CursorContext) -> str:
    """Write what closed the line again where the suggestion replaces it and does not.

    `print(‸)` answered `a` becomes `a)`, `if (‸) {` answered `x > 0` becomes `x > 0) {`.
    """
    tail, line = context.tail.rstrip(), context.line_prefix
    language = language_named(context.document.language)
    if not tail or not context.closing_tail or _says_more_than(tail, text) or _ends_in_comment(line, text, language):
        return text
    counts = [count for count in range(len(tail), -1, -1) if text.endswith(tail[:count])]
    rests = [tail[count:] for count in (*counts, *range(len(tail), -1, -1))]
    wanted = _standing(line + tail, tail, language)
    rest = next((rest for rest in rests if _standing(line + text + rest, tail, language) == wanted), "")
    return text + (rest or _punctuation_missing(text, tail))


def _code_before(context: CursorContext, start: int | None) -> str | None:
    """Return the code between an offset and the cursor, None where that is too far to tell what is open."""
    if start is None or context.offset - start > _ABOVE_CHARACTERS or start > context.line_start:
        return None
    return context.document.text[start : context.offset]


_OUTERMOST_LINE = re.compile(r"^[A-Za-z_@#<].*", re.MULTILINE)


def _outermost_start(context: CursorContext) -> int | None:
    """Return where the nearest line above begins that is not indented, None where there is none nearby."""
    text = context.document.text
    if context.line_prefix[:1].strip():
        return context.line_start
    begin = (
        text.find("\n", max(0, context.line_start - _ABOVE_CHARACTERS)) + 1
        if context.line_start > _ABOVE_CHARACTERS
        else 0
    )
    starts = [found.start() for found in _OUTERMOST_LINE.finditer(text, begin, context.line_start)]
    return starts[-1] if starts else context.line_start if not context.line_start else None


def _first_surplus(before: str | None, text: str, language: Language | None) -> int | None:
    """Return where the text first closes a bracket that neither it nor the code before opened."""
    if before is None:
        return None
    still_open: list[Token] = []
    for token in tokens(before + text, language):
        closes = token.kind == "bracket" and token.text in ")]}"
        opener = take_bracket(token, still_open)
        if closes and opener is None and token.start >= len(before):
            return token.start - len(before)
    return None


def _says_more_than(tail: str, text: str) -> bool:
    """Say whether a text goes on after what its tail would be: into the block that the tail opens."""
    return (tail.endswith("{") and "{" in text) or (tail.endswith(":") and tail in text)


def _ends_in_comment(line: str, text: str, language: Language | None) -> bool:
    return not scan(line, language).in_comment and scan(line + text, language).in_comment


def _punctuation_missing(text: str, tail: str) -> str:
    """Return the `;`, `,` or `:` that ends the tail, where the text does not."""
    return tail[-1] if tail[-1] in ";,:" and text[-1] not in ";,:{" else ""


# A `<` or `>` that is no bracket: an arrow, a comparison.
_NO_BRACKET = re.compile(r"[-=]>|[<>]=|\s[<>]\s")
_TAG = re.compile(r"<(?=[A-Za-z>])|</|/>")


def _standing(line: str, tail: str, language: Language | None) -> tuple[object, ...]:
    """Return what stands open at a line's end, of the kinds that the tail closes, and what is closed unopened."""
    still_open: list[Token] = []
    unopened, closed = 0, True
    for token in tokens(line, language):
        opener = take_bracket(token, still_open)
        unopened += token.kind == "bracket" and token.text in ")]}" and opener is None
        closed = token.closed
    tags = [found.group() for found in _TAG.finditer(line)] if "</" in tail else []
    plain = _NO_BRACKET.sub("", line) if ">" in tail and not tags else ""
    angles = plain.count("<") - plain.count(">")
    brackets = "".join(token.text for token in still_open)
    return brackets, unopened, closed, angles, tags.count("<") - len(tags) + tags.count("<")
