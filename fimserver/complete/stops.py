"""Say where a model's answer is whole, so that what will not be shown is not generated.

Each stop returns where the answer is to be cut, and the nearest cut counts. Those of `ANYWHERE` are asked at every
piece; those of `BETWEEN_LINES` read the answer from its beginning and are asked only where they can have learnt
something: at a line's end, in a line's first word, behind a closing bracket.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from fimserver.complete.confidence import OPEN, Gate
from fimserver.complete.indentation import mend_the_indentation
from fimserver.complete.junk import control_text_in, writes_prose
from fimserver.complete.overlap import lines_below, repeats
from fimserver.syntax.ends import finished_at
from fimserver.text import leading_blanks
from fimserver.values import CursorContext, Shape

# Further back in the answer no control text is looked for: the pieces before were looked at as they came.
_LONGEST_CONTROL_TEXT = 40

# An engine that sends a whole novel in one piece is not read to its end.
_LONGEST_ANSWER = 20_000


@dataclass(frozen=True, slots=True)
class Stopping:
    """What the stops need to know: the cursor, how much is wanted, and how sure it must be."""

    context: CursorContext
    shape: Shape
    max_lines: int
    gate: Gate = OPEN  # an answer that cannot pass it is given up


Stop = Callable[[str, int, Stopping], int | None]


def stopped(text: str, grown: int, stopping: Stopping) -> tuple[str, int] | None:
    """Return the stop that cuts first, and where; None where the answer goes on.

    The last `grown` characters of the text are new since it was asked last.
    """
    text = text[:_LONGEST_ANSWER]
    begin = max(0, len(text) - grown)
    limit = after_enough_lines(text, begin, stopping)
    shown = text if limit is None else text[: limit + 1]
    stops = (*ANYWHERE, *BETWEEN_LINES) if _may_tell(text, begin) else ANYWHERE
    cuts = [(cut, stop.__name__) for stop in stops if (cut := stop(shown, begin, stopping)) is not None]
    if not cuts and len(text) == _LONGEST_ANSWER:
        return "after_enough_characters", len(text)
    return min(cuts, key=lambda cut: cut[0])[::-1] if cuts else None


def after_the_line(text: str, begin: int, stopping: Stopping) -> int | None:
    r"""Cut a line at its end.

    >>> after_the_line("x + 1\ny", 0, Stopping(None, Shape.LINE, 9))
    5
    """
    end = text.find("\n", begin) if stopping.shape is Shape.LINE else -1
    return end if end >= 0 else None


def after_control_text(text: str, begin: int, stopping: Stopping) -> int | None:
    """Cut where a control token's text leaks; a filter takes it out and says so."""
    begin = max(0, begin - _LONGEST_CONTROL_TEXT)
    found = control_text_in(text[begin:], stopping.context)
    return begin + found.end() if found else None


# The period and the number of times are those of Copilot's detector, in characters.
_LOOPS = ((1, 30), (10, 8), (40, 5), (100, 4))

# `0xFFFFFFFF` is none.
_SHORTEST_LOOP = 30

# Rules and rows of numbers may be longer: `# -----`, `0, 0, 0`.
_RULE = re.compile(r"[-=*#~_.+/─-╿]+|(?:0x[\da-fA-F]+|\d|[\s,;.])+")
_LONGEST_RULE = 120


def before_a_loop(text: str, begin: int, stopping: Stopping) -> int | None:  # noqa: ARG001
    """Cut a tail that repeats."""
    for period, times in _LOOPS:
        length = _repeating_tail(text, period, times)
        if length > _LONGEST_RULE or (length and not _RULE.fullmatch(text, len(text) - length)):
            return len(text) - length
    return None


def after_enough_lines(text: str, begin: int, stopping: Stopping) -> int | None:  # noqa: ARG001
    """Cut after the longest suggestion the user wants to see; empty lines do not count."""
    if text.count("\n") < stopping.max_lines:
        return None
    end, lines = 0, 0
    for line in text.split("\n")[:-1]:
        end += len(line) + 1
        lines += bool(line.strip())
        if lines == stopping.max_lines:
            return end - 1
    return None


def before_what_follows(text: str, begin: int, stopping: Stopping) -> int | None:
    """Cut before a whole line that says what the next line of the document says already, as deeply indented."""
    at = text.rfind("\n", 0, begin) + 1
    while (end := text.find("\n", at)) >= 0:
        line = text[at:end]
        if at and any(map(str.isalnum, line)) and repeats([line], lines_below(stopping.context, 1)):
            return at - 1
        at = end + 1
    return None


def before_the_third_time(text: str, begin: int, stopping: Stopping) -> int | None:  # noqa: ARG001
    """Cut before a line that comes the third time running."""
    at = text.rfind("\n", 0, begin) + 1
    while (end := text.find("\n", at)) >= 0:
        line = text[at : end + 1]
        if line.strip() and (
            (text.startswith(line * 2) and at == 2 * len(line)) or text.endswith("\n" + line * 2, 0, at)
        ):
            return at - 1
        at = end + 1
    return None


def before_a_fence(text: str, begin: int, stopping: Stopping) -> int | None:
    """Cut before a Markdown fence that ends the code, in languages that have none."""
    end = text.find("\n```", max(0, begin - 3))
    return None if end < 0 or writes_prose(stopping.context) or "```" in stopping.context.document.text else end


def after_the_block(text: str, begin: int, stopping: Stopping) -> int | None:
    """Cut where the statement or block that began is whole; judged at line ends, where a parser can tell."""
    if stopping.shape is not Shape.BLOCK or "\n" not in text or _goes_deeper(text, begin):
        return None
    context = stopping.context
    mended = mend_the_indentation(text, context)
    placed = mended if isinstance(mended, str) else text
    end = finished_at(context.document, context.offset, placed, stopping.shape, context.scope_indent)
    if placed == text:
        return end
    # Lines that forgot their indentation cannot tell by it where they end: an empty line has to do.
    paragraph = text.find("\n\n", len(text) - len(text.lstrip("\n")))
    ends = [_in_text(text, placed, end)] if end is not None else []
    return min([*ends, paragraph] if paragraph >= 0 else ends, default=None)


_CLOSES = re.compile(r"[}`]|\"\"\"|\'\'\'")


def _goes_deeper(text: str, begin: int) -> bool:
    """Say whether the lines since `begin` end nothing, as most do: indented like the line before, nothing closed.

    It spares reading the whole answer again at each of its lines.
    """
    line_start = text.rfind("\n", 0, begin) + 1
    before_start = text.rfind("\n", 0, max(0, line_start - 1)) + 1
    before = text[before_start : max(0, line_start - 1)]
    *whole, last = text[line_start:].split("\n")
    lines = [before, *whole, last] if last.strip() else [before, *whole]
    if not all(line.strip() for line in lines) or _CLOSES.search(text, before_start):
        return False
    widths = [len(leading_blanks(line)) for line in lines]
    return widths[0] > 0 and widths == sorted(widths) and all(_opens_as_much(line) for line in whole)


def _opens_as_much(line: str) -> bool:
    return line.count(")") + line.count("]") <= line.count("(") + line.count("[")


def _in_text(text: str, placed: str, end: int) -> int:
    """Return where an end in the text as it will be placed is in the text as it is, indented otherwise."""
    line = placed.count("\n", 0, end)
    lines, others = text.split("\n"), placed.split("\n")
    column = end - len("\n".join(others[:line])) - (line > 0) - (len(others[line]) - len(lines[line]))
    return len("\n".join(lines[:line])) + (line > 0) + max(0, column)


ANYWHERE: tuple[Stop, ...] = (after_the_line, after_control_text, before_a_loop)

BETWEEN_LINES: tuple[Stop, ...] = (
    before_what_follows,
    before_the_third_time,
    before_a_fence,
    after_the_block,
    after_enough_lines,
)


_TELLING_LINE = re.compile(r"\s*\w*|.*\}[)\]};,]*\s*")


def _may_tell(text: str, begin: int) -> bool:
    """Say whether what was added at `begin` can end a line, a first word or a block."""
    added = text[begin:]
    if "\n" in added or "}" in added:
        return True
    return _TELLING_LINE.fullmatch(text, text.rfind("\n", 0, begin) + 1, begin) is not None


def _repeating_tail(text: str, longest_period: int, times: int) -> int:
    """Return how many characters at the end repeat a period of at most that length, beyond its first time.

    >>> _repeating_tail("abc" * 10, 4, 3)
    27
    """
    for period in range(1, longest_period + 1):
        span = period * max(times, -(-_SHORTEST_LOOP // period))
        if len(text) < span or len(text) == period:
            return 0
        if text[-1] != text[-1 - period] or not text[-period:].strip():
            continue
        if text.endswith(text[-period:] * (span // period)):
            begin = len(text) - span
            while begin > 0 and text[begin - 1] == text[begin - 1 + period]:
                begin -= 1
            return len(text) - begin - period
    return 0
