"""Take out of a model's answer what the document says already: before the cursor, below it, or in the line above."""

import re
from collections.abc import Sequence
from difflib import SequenceMatcher

from fimserver.values import CursorContext, Reason, Rejection

# Further below the cursor nothing is compared.
_BELOW_CHARACTERS = 2_000
_BELOW_LINES = 8

# Words that begin a statement: none of them is written twice in a row.
_STATEMENTS = re.compile(
    r"\s*(?:return|yield|raise|throw|import|from|def|class|fn|func|function|let|const|var|pub|if|elif|while|for|with)\s"
)
_ASSIGNMENT = re.compile(r"[^=!<>]*[^=!<>]=\s*")
# More spaces, or one before a comment's mark, are somebody's alignment.
_ONE_SPACE_BEFORE = re.compile(r" [\w\"'`(\[{$@&*<]")
_ONE_SPACE_AFTER = re.compile(r"\S $")
_LAST_WORD = re.compile(r"[A-Za-z_][\w.]{2,}$")
_IN_WORD = re.compile(r"\w")


def drop_what_is_typed_already(text: str, context: CursorContext) -> str | Rejection:
    """Drop the beginning of the line, or of the word, where the model writes it again.

    `x = ‸` answered `x = 1` becomes `1`, and `retu‸` answered `return x` becomes `rn x`. What may be meant so stays:
    `a + ‸` answered `a + b`, `0, ‸` answered `0, 0`, `str(‸` answered `str(x))`.
    """
    typed = context.line_prefix.lstrip()
    if not typed or context.in_string or context.in_comment:
        return text
    again = typed if text.startswith(typed) else typed.rstrip()
    if text.lstrip(" ").startswith(again) and _is_begun_statement(typed):
        rest = text.lstrip(" ")[len(again) :].lstrip(" " if typed.endswith(" ") else "")
        return rest or Rejection(reason=Reason.REPEATS_PREFIX, detail="It wrote what is typed already.")
    word = _LAST_WORD.search(context.line_prefix)
    rest = text.removeprefix(word[0]) if word else text
    return rest if rest != text and _IN_WORD.match(rest) else text


def drop_what_the_tail_says(text: str, context: CursorContext) -> str | Rejection:
    """Cut where the text goes on with the rest of the cursor's line, which stays: `f(‸, b)` answered `a, b)`."""
    tail = context.tail.rstrip()
    if context.closing_tail or not text:
        return text
    begin = text.find(tail)
    if begin < 0:
        begin = next(
            (len(text) - n for n in range(len(tail), 1, -1) if text.endswith(tail[:n]) and _is_telling(tail[:n])), -1
        )
    kept = text if begin < 0 else text[:begin].rstrip()
    return kept or Rejection(reason=Reason.REPEATS_SUFFIX, detail="It wrote the rest of the line again.")


def drop_a_doubled_space(text: str, context: CursorContext) -> str:
    """Drop the space a text begins with where one is typed already: many tokens begin with one."""
    doubled = _ONE_SPACE_BEFORE.match(text) and _ONE_SPACE_AFTER.search(context.line_prefix)
    return text[1:] if doubled and not context.in_string else text


def cut_what_follows_already(text: str, context: CursorContext) -> str | Rejection:
    """Cut at the line that stands below the cursor already, and lines at the end that do, with what is like them.

    Lines are the same only with the same indentation: `return None` may well end a block and then the function.
    """
    below = lines_below(context)
    lines = written_lines(text, context)
    first = text.split("\n", 1)[0].strip()
    begin = next((index for index in range(len(lines)) if repeats(lines[index:], below)), None)
    skipped = not context.blank_prefix and below and first == below[0].strip() and _is_telling(first)
    if begin == 0 or skipped:
        return Rejection(reason=Reason.REPEATS_SUFFIX, detail="It wrote what already follows.")
    return text if begin is None else "\n".join(text.split("\n")[:begin]).rstrip()


def refuse_the_lines_above_again(text: str, context: CursorContext) -> str | Rejection:
    """Refuse a line that says once more what the line above says, and lines that repeat all those above."""
    lines = [line.rstrip() for line in written_lines(text, context) if line.strip()]
    above = _lines_above(context, len(lines))
    if not lines or not above or not _has_letters(lines[0]):
        return text
    if lines[0] == above[-1] or (len(lines) > 1 and lines == above):
        return Rejection(reason=Reason.REPEATS_PREFIX, detail="It repeated what stands above.")
    return text


# A phrase is as long as this; four in a row are a loop.
_SHORTEST_PHRASE, _LONGEST_PHRASE = 12, 200
_MOST_PHRASES = 4


def refuse_repetition(text: str, context: CursorContext) -> str | Rejection:  # noqa: ARG001
    """Refuse a text of which one line, or one phrase, is most; brackets, rules and rows of numbers may repeat."""
    lines = [line.strip() for line in text.split("\n") if _has_letters(line)]
    often = max((lines.count(line) for line in set(lines)), default=0)
    phrases = (
        text[-length:] for length in range(_SHORTEST_PHRASE, min(_LONGEST_PHRASE, len(text) // _MOST_PHRASES + 1))
    )
    loops = any(text.endswith(phrase * _MOST_PHRASES) and _has_letters(phrase) for phrase in phrases)
    if loops or (len(lines) >= 4 and often * 2 > len(lines)):
        return Rejection(reason=Reason.REPEATS_ITSELF, detail="It repeated itself.")
    return text


def lines_below(context: CursorContext, most: int = _BELOW_LINES) -> list[str]:
    """Return the next lines of the document that are not blank, with their indentation."""
    begin = context.offset + len(context.tail)
    text = context.document.text[begin : begin + _BELOW_CHARACTERS]
    return _lines_with_text(text)[:most]


def written_lines(text: str, context: CursorContext) -> list[str]:
    """Return the lines as they would stand in the document, from the cursor's own on."""
    before = "" if context.blank_prefix else context.line_prefix
    after = "" if context.closing_tail else context.tail
    return (before + text + after).split("\n")


def repeats(lines: Sequence[str], below: Sequence[str]) -> bool:
    """Say whether lines say what the lines below say: the first of them, or all of them down to a bracket."""
    ours = [line.rstrip() for line in lines if line.strip()]
    if not below or not lines[0].strip():
        return False
    return (ours[0] == below[0] and _is_telling(ours[0])) or _are_alike(ours, below[: len(ours)])


def _lines_above(context: CursorContext, count: int) -> list[str]:
    text = context.document.text[max(0, context.line_start - _BELOW_CHARACTERS) : context.line_start]
    return _lines_with_text(text)[-count:]


def _lines_with_text(text: str) -> list[str]:
    return [line.rstrip() for line in text.replace("\r", "\n").split("\n") if line.strip()]


def _is_begun_statement(typed: str) -> bool:
    """Say whether a line's beginning is one that does not come twice on a line."""
    return bool(_STATEMENTS.match(typed) or _ASSIGNMENT.fullmatch(typed))


def _has_letters(line: str) -> bool:
    return any(character.isalpha() for character in line)


def _is_telling(line: str) -> bool:
    """Say whether a line says anything: a bracket may well come twice."""
    return any(character.isalnum() for character in line)


def _are_alike(ours: Sequence[str], theirs: Sequence[str]) -> bool:
    """Say whether lines are the same, up to one character in twenty; short lines must be equal.

    Code has many lines that differ by a number or a letter and are meant so (`p1.x = …`, `p2.x = …`).
    """
    if list(ours) == list(theirs):
        return True
    one, other = "\n".join(ours), "\n".join(theirs)
    if min(len(one), len(other)) < 20 or abs(len(one) - len(other)) * 20 > len(one):
        return False
    matcher = SequenceMatcher(None, one, other, autojunk=False)
    return _says_the_same(one, other) and matcher.quick_ratio() >= 0.95 and matcher.ratio() >= 0.95


def _says_the_same(one: str, other: str) -> bool:
    """Say whether two texts have the same words and numbers, but for the ending of a word, between the same signs."""
    words, others = re.findall(r"\w+", one), re.findall(r"\w+", other)
    pairs = list(zip(words, others, strict=False))
    return (
        0 < len(words) == len(others)
        and _signs(one) == _signs(other)
        and all(a.startswith(b) or b.startswith(a) for a, b in pairs)
        and not any(re.search(r"\d", a + b) for a, b in pairs if a != b)
    )


def _signs(text: str) -> str:
    """Return what stands between the words, but for blanks, the kind of quotes and a comma or semicolon at the end."""
    return re.sub(r"\w+", "w", re.sub(r"\s+", "", text).rstrip(",;").replace("'", '"'))
