"""Read the cursor's line together with what a model has written behind it, as one text.

What a suggestion replaces, closing punctuation behind the cursor, is not there any more; what stands below the
cursor's line in the document is.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from fimserver.syntax.closing import is_closing
from fimserver.syntax.languages import Language, language_named
from fimserver.syntax.layout import line_below, line_text
from fimserver.syntax.lines import LONGEST_SCAN, Token, take_bracket, tokens
from fimserver.text import line_end, position_at
from fimserver.values import Document


@dataclass(frozen=True, slots=True)
class WrittenLine:
    """A line that begins at `at` of the writing. `open` is what stands open there: brackets, `"` for a string."""

    at: int
    text: str
    open: str
    whole: bool  # its end has been written

    @property
    def end(self) -> int:
        """Where its text ends, the line's terminator left out."""
        return self.at + len(self.text)


@dataclass(frozen=True)
class Writing:
    """The text from the start of the cursor's line to the end of what is written; `start` is where the model began.

    Where only white space stands before the cursor the model wrote the line's indentation itself, and begins at 0.
    """

    text: str
    start: int
    language: Language | None
    document: Document
    line: int
    tail: str  # the closing punctuation that is replaced

    @classmethod
    def at(cls, document: Document, offset: int, generated: str) -> "Writing":
        """Return the writing for a cursor."""
        line = position_at(document.starts, offset)[0]
        prefix = document.text[document.starts[line] : offset][-LONGEST_SCAN:]
        prefix = prefix if prefix.strip() else ""
        tail = document.text[offset : line_end(document.text, document.starts, line)]
        language = language_named(document.language)
        return cls(prefix + generated, len(prefix), language, document, line, tail if is_closing(tail) else "")

    @cached_property
    def tokens(self) -> tuple[Token, ...]:
        """The brackets, strings and comments of the text."""
        return tuple(tokens(self.text, self.language))

    @cached_property
    def lines(self) -> tuple[WrittenLine, ...]:
        """The lines, the last one not whole."""
        return tuple(self._read_lines())

    @cached_property
    def below(self) -> str:
        """The next line of the document that is not blank."""
        number = line_below(self.document, self.line)
        return line_text(self.document, number) if number is not None else ""

    def _read_lines(self) -> Iterator[WrittenLine]:
        texts, waiting, still_open = self.text.split("\n"), list(self.tokens), list[Token]()
        at = 0
        for number, text in enumerate(texts, 1):
            while waiting and _is_behind(waiting[0], at):
                take_bracket(waiting.pop(0), still_open)
            inside = bool(waiting) and waiting[0].start < at
            brackets = "".join(token.text for token in still_open)
            yield WrittenLine(at, text.removesuffix("\r"), brackets + '"' * inside, number < len(texts))
            at += len(text) + 1


def _is_behind(token: Token, at: int) -> bool:
    return token.end <= at and token.closed
