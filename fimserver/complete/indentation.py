"""Give a suggestion the indentation its place asks for: the file's tabs or spaces, and the depth of its block."""

import re
from collections.abc import Iterator
from math import gcd

from fimserver.syntax.languages import Language, language_named
from fimserver.syntax.layout import (
    columns,
    header_above,
    header_indent,
    indent_of,
    indent_unit,
    is_remark,
    line_above,
    line_below,
    line_text,
    outwards,
)
from fimserver.syntax.lines import scan
from fimserver.syntax.opening import first_word, line_opens_block
from fimserver.text import leading_blanks
from fimserver.values import CursorContext, Reason, Rejection

# Languages that are written with tabs, whatever stands in the file so far.
_TABBED = frozenset({"go", "makefile"})

# Widths people indent by. Where a model's own is not clear it is the first.
_USUAL_WIDTHS = (4, 2, 8, 3)


def follow_the_files_indentation(text: str, context: CursorContext) -> str:
    """Write indentation with tabs where the lines around do, with spaces where they do; the depth stays."""
    tabs = _indents_with_tabs(context)
    lines = text.split("\n")
    begun = 0 if context.blank_prefix else 1
    if tabs is None or context.in_string:
        return text
    unit = " " * _width_of_step(lines[begun:], context) if tabs else _spaces(context)
    rewritten = (_with_tabs(line, unit) if tabs else _with_spaces(line, unit) for line in lines[begun:])
    return "\n".join([*lines[:begun], *rewritten])


def mend_the_indentation(text: str, context: CursorContext) -> str | Rejection:
    """Move lines that stand where no statement can: left of their block, or at a depth that nothing opened.

    A model that is told to write the line's indentation itself now and then forgets it, or is a space off. Text that
    ends a block (`else:`, `}`, a label) stands where it should, further left.
    """
    language = language_named(context.document.language)
    first = next((line for line in text.split("\n") if line.strip()), "")
    if language is None or not context.blank_prefix or context.in_string or context.in_comment:
        return text
    place = _place_of(first, text.rsplit("\n", 1)[-1], context, language)
    if place is None or place == leading_blanks(first):
        return text
    return _moved(text, first, place, language) or Rejection(
        reason=Reason.WRONG_INDENTATION, detail="Its lines stand where nothing opened a block."
    )


def _place_of(first: str, last: str, context: CursorContext, language: Language) -> str | None:
    """Return the blanks the first line must begin with, None where its own will do.

    What stands below may be the body of a header that is the last line.
    """
    width = columns(leading_blanks(first))
    header = header_above(context.document, context.line, language)
    if _ends_a_block(first, language) or _continues(context, language):
        return None
    if header is not None and first_word(line_text(context.document, header)) in _FLAT:
        return None
    if header is not None and _is_empty_below(context, header, language):
        outside = columns(header_indent(context.document, header, language))
        return _body_indent(context, header, language) if width <= outside else None
    inside = None if line_opens_block(last, language) else _indent_inside(width, context)
    return inside or (_level_near(width, context, language) if language.opens == ":" else None)


# What these open is often not indented.
_FLAT = frozenset({"namespace", "extern"})

_CLAUSES = frozenset({"else", "elif", "except", "finally", "case", "default", "catch", "while"})
_LABEL = re.compile(r"\s*(?:[)\]}#]|</|\w+\s*:(?!:))")


def _ends_a_block(line: str, language: Language) -> bool:
    """Say whether a line stands further left by right: a clause, a closer, a label, a line for the preprocessor."""
    word = re.match(r"\s*(\w*)", line)
    if language.opens == ":":
        return bool(word and word.group(1) in _CLAUSES - {"while"}) or line.lstrip()[:1] in tuple(")]}#")
    return bool(word and word.group(1) in _CLAUSES) or _LABEL.match(line) is not None


def _continues(context: CursorContext, language: Language) -> bool:
    """Say whether the cursor's line goes on with a statement, or something that is not code: any depth will do."""
    above = line_above(context.document, context.line)
    text = line_text(context.document, above).rstrip() if above is not None else ""
    before = context.document.text[max(context.scope.start, context.line_start - 4_000) : context.line_start]
    found = scan(before, language)
    open_brackets = found.brackets if language.opens == ":" else found.brackets.replace("{", "")
    return bool(open_brackets) or found.in_string or text.endswith(("\\", '"""', "'''", "*/"))


def _is_empty_below(context: CursorContext, header: int, language: Language) -> bool:
    below = line_below(context.document, context.line)
    outside = columns(header_indent(context.document, header, language))
    return below is None or columns(indent_of(context.document, below)) <= outside


def _body_indent(context: CursorContext, header: int, language: Language) -> str:
    outside = header_indent(context.document, header, language)
    deeper = columns(context.indent) > columns(outside)
    return context.indent if deeper else outside + indent_unit(context.document, header, language)


def _indent_inside(width: int, context: CursorContext) -> str | None:
    """Return the indentation of the line below where that and the line above are in a block the text has left."""
    document, line = context.document, context.line
    above, below = line_above(document, line), line_below(document, line)
    if above is None or below is None or below > line + 2:
        return None
    blanks = indent_of(document, below)
    inside = width < columns(blanks) <= columns(indent_of(document, above))
    return blanks if inside and not line_text(document, below).lstrip().startswith((")", "]", "}", "#", ".")) else None


def _level_near(width: int, context: CursorContext, language: Language) -> str | None:
    """Return the nearest indentation at which a statement can stand, None where the text's own is one."""
    levels = {columns(blanks): blanks for blanks in (context.indent, *_levels(context, language))}
    if width in levels or len(levels) == 1:
        return None
    return levels[min(levels, key=lambda level: (abs(level - width), -level))]


def _levels(context: CursorContext, language: Language) -> Iterator[str]:
    """Yield the indentation of the statement above, and those of the blocks around it."""
    document, width = context.document, 1_000
    for line in range(context.line - 1, max(-1, context.line - 300), -1):
        text = line_text(document, line)
        if columns(leading_blanks(text)) >= width and not _may_end_header(text):
            continue  # as most do: it stands in a block that was found already
        if not text.strip() or is_remark(text, language):
            continue
        blanks = header_indent(document, line, language)
        if width == 1_000 and line_opens_block(text, language):
            yield blanks + indent_unit(document, line, language)
        if columns(blanks) < width:
            width = columns(blanks)
            yield blanks
        if not width:
            return


_CLOSES_FIRST = re.compile(r"[^(\[]*[)\]]")


def _may_end_header(line: str) -> bool:
    """Say whether a line may close a bracket that a line further left has opened."""
    closers, openers = line.count(")") + line.count("]"), line.count("(") + line.count("[")
    return closers > openers or (closers > 0 and _CLOSES_FIRST.match(line) is not None)


def _moved(text: str, first: str, place: str, language: Language) -> str | None:
    """Return the text with its first line at `place` and the others as far from it as they were; None if that fails.

    Where the others can only be meant as they are, the first line alone forgot its indentation.
    """
    own = leading_blanks(first)
    lines = text.split("\n")
    start = lines.index(first)
    rest = [line for line in lines[start + 1 :] if line.strip()]
    second = columns(leading_blanks(rest[0])) if rest else 0
    opens = line_opens_block(first, language)
    if rest and (second > columns(place) if opens else second >= columns(place) > columns(own)):
        moved = lines[start + 1 :]
    elif all(line.startswith(own) for line in rest):
        moved = [place + line[len(own) :] if line.strip() else line for line in lines[start + 1 :]]
    else:
        return None
    return "\n".join([*lines[:start], place + first[len(own) :], *moved])


def _indents_with_tabs(context: CursorContext) -> bool | None:
    """Say whether the nearest indented line begins with a tab; None where nothing is indented yet."""
    document = context.document
    if context.blank_prefix and context.line_prefix:
        return context.line_prefix.startswith("\t")
    for line in outwards(document, context.line):
        blanks = indent_of(document, line)
        if blanks.startswith("\t") or len(blanks) > 1:
            return blanks.startswith("\t")
    return True if document.language in _TABBED else None


def _spaces(context: CursorContext) -> str:
    unit = indent_unit(context.document, context.line, language_named(context.document.language))
    return unit if 1 < len(unit) <= _USUAL_WIDTHS[2] and not unit.strip(" ") else " " * _USUAL_WIDTHS[0]


def _width_of_step(lines: list[str], context: CursorContext) -> int:
    """Return how many spaces a step of the model's own indentation is, told by the depth its first line should have."""
    widths = [len(blanks) for line in lines if (blanks := leading_blanks(line)) and not blanks.startswith("\t")]
    if not widths:
        return _USUAL_WIDTHS[0]
    depth = context.indent.count("\t") + (0 if context.blank_prefix else 1)
    step = widths[0] // depth if depth and widths[0] % depth == 0 else gcd(*widths)
    return step if step in _USUAL_WIDTHS else _USUAL_WIDTHS[0]


def _with_tabs(line: str, unit: str) -> str:
    blanks = leading_blanks(line)
    if not blanks.startswith(unit):
        return line
    steps = len(blanks) // len(unit)
    return "\t" * steps + blanks[steps * len(unit) :] + line[len(blanks) :]


def _with_spaces(line: str, unit: str) -> str:
    blanks = leading_blanks(line)
    return blanks.replace("\t", unit) + line[len(blanks) :] if "\t" in blanks else line
