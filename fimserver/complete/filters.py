"""Turn what the model wrote into something a user would want to accept, or into the reason why it is not shown.

`FILTERS` run in order. Each takes the text and the cursor it will land at and returns text, or a `Rejection`. They are
pure, and a text that is good passes all of them untouched. On a line of nothing but white space the text begins at
the line's start and brings its own indentation; elsewhere it begins at the cursor.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from fimserver.syntax.errors import error_count
from fimserver.text import leading_blanks, main_line_ending, with_line_ending
from fimserver.values import CursorContext, Reason, Rejection

Filtered = str | Rejection
Filter = Callable[[str, CursorContext], Filtered]


@dataclass(frozen=True, slots=True)
class Step:
    """What one filter did, for `fimserver why`."""

    filter: str
    before: str
    after: Filtered


def refine(text: str, context: CursorContext, filters: Sequence[Filter] = ()) -> tuple[Filtered, list[Step]]:
    """Return the text after all filters (or the first rejection), and the steps that changed it."""
    steps: list[Step] = []
    for one in filters or FILTERS:
        after = one(text, context)
        if after != text:
            steps.append(Step(one.__name__, text, after))
        if isinstance(after, Rejection):
            return after, steps
        text = after
    return text, steps


# Control texts of every family we know; the engine stops at its own model's, but a prompt of the wrong family, or a
# file that quotes them, can bring another's.
_CONTROL_TEXT = re.compile(
    r"<\|(?:fim_\w+|endoftext|file_sep(?:arator)?|repo_name|im_(?:start|end)|end_of_text|cursor)\|>"
    r"|</?(?:fim_(?:prefix|suffix|middle|pad)|file_sep|filename|reponame|repo_name|s)>"
    r"|<[｜|](?:fim▁\w+|end▁of▁sentence|begin▁of▁sentence)[｜|]>"  # noqa: RUF001 - DeepSeek's bars are wide
    r"|[ ▁]<(?:PRE|SUF|MID|EOT)>|\[(?:PREFIX|SUFFIX|MIDDLE)\]|<\[(?:fim-\w+|end▁of▁sentence)\]>"
)


def cut_at_control_text(text: str, context: CursorContext) -> Filtered:
    """Cut where a control token's text leaks, unless the document itself writes such texts."""
    match = _CONTROL_TEXT.search(text)
    if match is None or match.group() in context.document.text:
        return text
    kept = text[: match.start()]
    return kept if kept.strip() else Rejection(reason=Reason.LEAKED_CONTROL_TEXT, detail=f"It wrote {match.group()}.")


def follow_the_files_line_endings(text: str, context: CursorContext) -> Filtered:
    """Write line breaks as the document does."""
    return with_line_ending(text, main_line_ending(context.document.text)) if "\n" in text or "\r" in text else text


# C0 but tab and line ends, DEL and C1, bidirectional controls, zero-width and invisible characters, line separators,
# tags, surrogates, byte-order mark. Trojan Source (CVE-2021-42574) hides code from the reader with some of these.
_FORBIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e007f\ud800-\udfff]"
)


def drop_invisible_characters(text: str, context: CursorContext) -> Filtered:
    """Drop characters that hide or reorder text, unless this very document uses them."""
    if _FORBIDDEN.search(text) is None:
        return text
    return _FORBIDDEN.sub(lambda found: found.group() if found.group() in context.document.text else "", text)


_FENCE = re.compile(r"^\s*```")
_PROSE = re.compile(
    r"^\s*(?:sure[,!]|here(?:'s| is| are)\b|certainly[,!]|i(?:'m| am) (?:sorry|an ai)|as an ai\b)", re.IGNORECASE
)


def strip_fences_and_prose(text: str, context: CursorContext) -> Filtered:  # noqa: ARG001
    """Unwrap code in a Markdown fence, refuse an answer that talks to the user; a chat model does both."""
    if _FENCE.match(text):
        text = text.partition("\n")[2].partition("\n```")[0]
        if not text.strip():
            return Rejection(reason=Reason.JUNK, detail="It wrote an empty code fence.")
    if _PROSE.match(text):
        return Rejection(reason=Reason.JUNK, detail="It talked instead of writing code.")
    return text


_LICENCE = re.compile(
    r"copyright\b|licen[sc]ed? under|spdx-license|all rights reserved|permission is hereby", re.IGNORECASE
)
_PATH_COMMENT = re.compile(r"^\s*(?:#|//|/\*)\s*(?:path|file(?:name)?):?\s*\S+[/\\.]\S+\s*(?:\*/)?\s*$", re.IGNORECASE)


def refuse_boilerplate(text: str, context: CursorContext) -> Filtered:
    """Refuse licence headers and comments that name a path: corpora begin files with them, users do not want them."""
    first = text.lstrip().split("\n", 1)[0]
    typed = context.line_prefix
    if _LICENCE.search(first) and not _LICENCE.search(typed) and _is_comment(first, typed):
        return Rejection(reason=Reason.JUNK, detail="It wrote a licence header.")
    if _PATH_COMMENT.match(first):
        return Rejection(reason=Reason.JUNK, detail="It wrote a comment that names a file.")
    return text


def drop_trailing_white_space(text: str, context: CursorContext) -> Filtered:  # noqa: ARG001
    """End the text after its last visible character."""
    return text.rstrip()


def refuse_emptiness(text: str, context: CursorContext) -> Filtered:  # noqa: ARG001
    """Refuse nothing and white space."""
    if not text:
        return Rejection(reason=Reason.EMPTY, detail="The model wrote nothing.")
    return text if text.strip() else Rejection(reason=Reason.ONLY_WHITE_SPACE, detail="It wrote white space only.")


def follow_the_files_indentation(text: str, context: CursorContext) -> Filtered:
    """Write indentation with tabs where the file does, with spaces where it does; the depth stays."""
    unit = _indentation_unit(context.document.text)
    if unit is None:
        return text
    lines = text.split("\n")
    first = [lines[0]] if not context.blank_prefix else [_reindented(lines[0], unit)]
    return "\n".join(first + [_reindented(line, unit) for line in lines[1:]])


def cut_what_the_suffix_repeats(text: str, context: CursorContext) -> Filtered:
    """Cut lines at the end that already stand below the cursor, up to one character in twenty apart."""
    below = [line.strip() for line in _below(context).splitlines() if line.strip()][:8]
    lines = text.split("\n")
    for count in range(min(len(lines), len(below)), 0, -1):
        if _alike([line.strip() for line in lines[-count:]], below[:count]) and (count < len(lines) or _telling(below)):
            lines = lines[:-count]
            break
    kept = "\n".join(lines).rstrip()
    return kept or Rejection(reason=Reason.REPEATS_SUFFIX, detail="It wrote what already follows.")


_OPENER_OF = {")": "(", "]": "[", "}": "{"}


def drop_surplus_closers(text: str, context: CursorContext) -> Filtered:
    """Cut at the first bracket that closes what nothing opened, where the line is left with one too many.

    Where closing punctuation follows the cursor it is replaced by the suggestion, so brackets that the line opened
    before the cursor may be closed by it.
    """
    if context.document.language == "" or "'" in text or '"' in text:
        return text
    waiting = _open_brackets(context.line_prefix)
    multi_line = _open_brackets(_statement_before(context))
    for index, character in enumerate(text):
        if character in "([{":
            waiting.append(character)
        elif (opener := _OPENER_OF.get(character)) is not None:
            if waiting and waiting[-1] == opener:
                waiting.pop()
            elif not (multi_line and multi_line.pop() == opener):
                kept = text[:index].rstrip()
                return kept or Rejection(reason=Reason.EMPTY, detail="It closed what was never opened.")
    return text


def refuse_the_line_above_again(text: str, context: CursorContext) -> Filtered:
    """Refuse a first line that says once more what the line above says."""
    above = context.document.text[: context.line_start].rstrip().rsplit("\n", 1)[-1].strip()
    line = (context.line_prefix + text if not context.blank_prefix else text).split("\n", 1)[0].strip()
    if line == above and any(character.isalnum() for character in line):
        return Rejection(reason=Reason.REPEATS_PREFIX, detail="It repeated the line above.")
    return text


def refuse_repetition(text: str, context: CursorContext) -> Filtered:  # noqa: ARG001
    """Refuse a text of which one line, or one phrase, is most."""
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    often = max((lines.count(line) for line in set(lines)), default=0)
    if (len(lines) >= 4 and often * 2 > len(lines)) or re.search(r"(.{12,}?)\1{3,}$", text):
        return Rejection(reason=Reason.REPEATS_ITSELF, detail="It repeated itself.")
    return text


def refuse_new_syntax_errors(text: str, context: CursorContext) -> Filtered:
    """Refuse a text with which the document has more syntax errors than without it."""
    start = context.line_start if context.blank_prefix else context.offset
    end = context.offset + (len(context.tail) if context.closing_tail else 0)
    before, after = error_count(context.document, start, end, text)
    if after > before:
        return Rejection(reason=Reason.SYNTAX_ERROR, detail=f"It would bring {after - before} more syntax errors.")
    return text


FILTERS: tuple[Filter, ...] = (
    strip_fences_and_prose,
    cut_at_control_text,
    drop_invisible_characters,
    refuse_emptiness,
    drop_trailing_white_space,
    refuse_boilerplate,
    follow_the_files_indentation,
    cut_what_the_suffix_repeats,
    drop_surplus_closers,
    refuse_the_line_above_again,
    refuse_repetition,
    refuse_new_syntax_errors,
    follow_the_files_line_endings,
)


def _below(context: CursorContext) -> str:
    begin = context.offset + len(context.tail)
    return context.document.text[begin : begin + 2_000]


def _is_comment(line: str, typed: str) -> bool:
    return (typed + line).lstrip().startswith(("#", "//", "/*", "*", '"""'))


def _telling(lines: Sequence[str]) -> bool:
    """Say whether a line says anything: a bracket or `else:` may well come twice."""
    return bool(lines) and sum(character.isalnum() for character in lines[0]) >= 3


def _alike(ours: Sequence[str], theirs: Sequence[str]) -> bool:
    """Say whether lines are the same, up to one character in twenty; short lines must be equal."""
    if list(ours) == list(theirs):
        return True
    joined, other = "\n".join(ours), "\n".join(theirs)
    if min(len(joined), len(other)) < 40:
        return False
    return SequenceMatcher(None, joined, other, autojunk=False).ratio() >= 0.975


def _open_brackets(line: str) -> list[str]:
    """Return the brackets a text opens and does not close, outermost first; quotes are skipped roughly."""
    waiting: list[str] = []
    for character in re.sub(r"\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'", "", line):
        if character in "([{":
            waiting.append(character)
        elif waiting and waiting[-1] == _OPENER_OF.get(character):
            waiting.pop()
    return waiting


def _statement_before(context: CursorContext) -> str:
    """Return the lines above the cursor's, as far as an open bracket is likely to be."""
    return context.document.text[max(0, context.line_start - 2_000) : context.line_start]


def _indentation_unit(text: str) -> str | None:
    """Return a tab or the number of spaces the file indents with; None where it does not indent yet."""
    indents = [blanks for line in text[:20_000].split("\n") if (blanks := leading_blanks(line)) and line.strip()]
    if not indents:
        return None
    tabs = sum(blanks.startswith("\t") for blanks in indents)
    if tabs * 2 > len(indents):
        return "\t"
    widths = [len(blanks) for blanks in indents if not blanks.startswith("\t")]
    return " " * min((width for width in widths if width > 1), default=4)


def _reindented(line: str, unit: str) -> str:
    """Return the line with its leading tabs as spaces, or the other way round."""
    blanks = leading_blanks(line)
    if unit == "\t" and blanks and "\t" not in blanks:
        width = 2 if len(blanks) % 4 else 4
        return "\t" * (len(blanks) // width) + line[len(blanks) :]
    if unit != "\t" and "\t" in blanks:
        return blanks.replace("\t", unit) + line[len(blanks) :]
    return line
