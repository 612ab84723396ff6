"""Turn a model's answer into an edit of the part that was asked about, or into the reason why it is none.

The edit replaces that part and nothing else, whatever the answer holds: what it repeats of the text around the part is
left out, and what it defines anew of elsewhere is refused. It takes the part's indentation and the document's line
ends, and says how many syntax errors it would add, so that the caller can refuse it or ask.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from fimserver.complete.junk import control_text_in, drop_invisible_characters
from fimserver.context.cursor import look_around
from fimserver.errors import EditRefused
from fimserver.retrieval.outline import outline_of
from fimserver.settings import CompletionSettings
from fimserver.syntax.errors import error_count
from fimserver.syntax.languages import language_named
from fimserver.syntax.tree import parse_text
from fimserver.text import leading_blanks, line_starts, main_line_ending, with_line_ending
from fimserver.values import Document, Span


@dataclass(frozen=True, slots=True)
class Edit:
    """A text to put in place of a span of one version of a document. `new_errors` are syntax errors it would add."""

    document: Document
    span: Span
    text: str
    new_errors: int = 0

    @property
    def result(self) -> str:
        """The document's text afterwards."""
        return self.document.text[: self.span.start] + self.text + self.document.text[self.span.end :]


def edit_of(answer: str, document: Document, part: Span) -> Edit:
    """Return the edit that an answer means. Raises EditRefused.

    `part` is whole lines without the last one's terminator.
    """
    code = code_in(answer, fence_needed=language_named(document.language) is None)
    check_characters(code, document, part)
    text = _fitted(_without_surroundings(code, document, part), document, part)
    if text == document.text[part.start : part.end]:
        raise EditRefused("The model would leave the code as it is.")
    _check_definitions(Edit(document, part, text))
    edit = checked(document, part, text)
    if edit.new_errors and _FENCE.search(answer) is None:  # it is prose, most likely
        raise EditRefused(_NO_CODE)
    return edit


def checked(document: Document, span: Span, text: str) -> Edit:
    """Return an edit with the syntax errors it would add."""
    before, after = error_count(document, span.start, span.end, text)
    return Edit(document, span, text, max(0, after - before))


def trimmed(edit: Edit) -> Edit:
    """Return the edit without the lines at its beginning and end that stay as they are: marks in them stay, too."""
    olds, news = _with_ends(edit.document.text[edit.span.start : edit.span.end]), _with_ends(edit.text)
    head = _alike(olds, news)
    tail = _alike(olds[head:][::-1], news[head:][::-1])
    start = edit.span.start + sum(map(len, olds[:head]))
    end = edit.span.end - sum(map(len, olds[len(olds) - tail :]))
    return replace(edit, span=Span(start, end), text="".join(news[head : len(news) - tail]))


def _alike(some: Sequence[str], others: Sequence[str]) -> int:
    """Return how many lines two texts begin with alike."""
    pairs = enumerate(zip(some, others, strict=False))
    return next((number for number, (one, other) in pairs if one != other), min(len(some), len(others)))


def _with_ends(text: str) -> list[str]:
    """Return the lines of a text, each with its terminator."""
    starts = [*line_starts(text), len(text)]
    return [text[start:end] for start, end in pairwise(starts) if start < end]


_NO_CODE = "The model answered without code. Ask again in other words, or choose a larger model."

_THOUGHTS = re.compile(r"\s*<think>.*?(?:</think>|\Z)", re.DOTALL)
_FENCE = re.compile(r"^[ \t]*(`{3,}|~{3,})[^`\n]*$", re.MULTILINE)


def code_in(answer: str, *, fence_needed: bool = False) -> str:
    r"""Return the text of the first code fence; without one the whole answer, unless a fence is needed.

    Raises EditRefused where there is nothing.

    >>> code_in("Sure:\n```python\na = 1\n```\nThat is all.")
    'a = 1'
    """
    answer = with_line_ending(_THOUGHTS.sub("", answer, count=1), "\n")
    opening = _FENCE.search(answer)
    if opening is None:
        code = "" if fence_needed else answer
    else:
        closing = re.compile(rf"^[ \t]*{opening[1]}{re.escape(opening[1][0])}*[ \t]*$", re.MULTILINE)
        body = answer[opening.end() + 1 :]
        found = closing.search(body)
        code = body[: found.start()] if found else body
    if not code.strip():
        raise EditRefused(_NO_CODE)
    return code.strip("\n")


def check_characters(text: str, document: Document, part: Span) -> None:
    """Raise EditRefused where a text holds control tokens or characters nobody sees, and the document does not."""
    context = look_around(document, part.start, completion=CompletionSettings(), invoked=True)
    if (found := control_text_in(text, context)) is not None:
        raise EditRefused(f"The model wrote {found.group().strip()}, which is no code. Nothing was changed.")
    if drop_invisible_characters(text, context) != text:
        raise EditRefused("The model wrote characters that nobody can see. Nothing was changed.")


def _fitted(text: str, document: Document, part: Span) -> str:
    """Return the text with the part's indentation and the document's line ends."""
    lines = text.strip("\n").split("\n")
    wanted = leading_blanks(document.text[part.start : part.end].lstrip("\r\n"))
    found = leading_blanks(lines[0])
    if found != wanted and all(line.startswith(found) for line in lines if line.strip()):
        lines = [wanted + line.removeprefix(found) if line.strip() else "" for line in lines]
    return with_line_ending("\n".join(lines), main_line_ending(document.text))


def _without_surroundings(code: str, document: Document, part: Span) -> str:
    """Leave out what an answer repeats of the lines right before and after the part."""
    lines, old = code.split("\n"), _lines(document.text[part.start : part.end])
    before, after = _lines(document.text[: part.start])[:-1], _lines(document.text[part.end :])[1:]
    first = _common(lines, before, old)
    last = _common(lines[::-1], after[::-1], old[::-1])
    return "\n".join(lines[first : len(lines) - last]) if first + last < len(lines) else code


def _common(lines: Sequence[str], neighbours: Sequence[str], old: Sequence[str]) -> int:
    """Return how many lines at the beginning of an answer are those that end with the part's neighbour."""
    stripped = [line.strip() for line in lines]
    near = [line.strip() for line in neighbours]
    for count in range(min(len(lines), len(near)), 0, -1):
        repeated = stripped[:count]
        telling = any(sum(map(str.isalnum, line)) > 1 for line in repeated)
        if telling and repeated == near[-count:] and repeated != [line.strip() for line in old[:count]]:
            return count
    return 0


def _lines(text: str) -> list[str]:
    return with_line_ending(text, "\n").split("\n")


def _check_definitions(edit: Edit) -> None:
    """Raise EditRefused where the edit defines once more what stands elsewhere: that was not asked for."""
    old, new = (_defined(text, edit.document.language) for text in (edit.document.text, edit.result))
    asked = range(edit.span.start, edit.span.end + 1)
    elsewhere = {name for start, name in old if start not in asked}
    here = {name for start, name in old if start in asked}
    written = {name for start, name in new if edit.span.start <= start <= edit.span.start + len(edit.text)}
    if twice := sorted((written & elsewhere) - here):
        raise EditRefused(f"The model would also write {twice[0][1]} anew, which stands outside of what was asked for.")


def _defined(text: str, language: str) -> list[tuple[int, tuple[str, str]]]:
    """Return where each definition with a body begins, with its owner and its name."""
    known = language_named(language)
    tree = parse_text(text, known) if known is not None else None
    return [
        (definition.start, (definition.owner, name))
        for definition in (outline_of(tree).definitions if tree is not None else ())
        if definition.head_end < definition.end
        for name in definition.names
    ]
