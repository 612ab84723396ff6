"""Read a line of code without a grammar: where its strings and comments are, which brackets it leaves open.

This is the fallback for languages we have no grammar for, and for code too broken for one. It knows what a row of
`languages.toml` says, or, without a row, what most languages share.
"""

import re
from dataclasses import dataclass
from functools import cache

from fimserver.syntax.languages import Language

_OPENER_OF = {")": "(", "]": "[", "}": "{"}

# Without a row: C's and the shell's comments, where a blank or nothing follows the mark as people write them.
_COMMON_COMMENT = r"//|#(?=\s|$|!)|--(?=\s|$)"
_COMMON_QUOTES = ('"', "'", "`")


@dataclass(frozen=True, slots=True)
class Scan:
    """What a piece of code looks like at its end."""

    quote: str = ""  # what would end the string the piece ends in
    comment: int = -1  # where the comment the piece ends in begins, or -1
    brackets: str = ""  # the brackets left open, outermost first
    code_end: int = 0  # where the last thing that is neither blank nor comment ends

    @property
    def in_string(self) -> bool:
        """True where the piece ends inside a string."""
        return bool(self.quote)

    @property
    def in_comment(self) -> bool:
        """True where the piece ends inside a comment."""
        return self.comment >= 0


def scan(piece: str, language: Language | None) -> Scan:
    """Read a piece of code that begins outside strings and comments.

    >>> scan("f(a, 'b", None)
    Scan(quote="'", comment=-1, brackets='(', code_end=7)
    """
    brackets: list[str] = []
    at = code_end = 0
    while match := _tokens(language).search(piece, at):
        kind, token, start = match.lastgroup, match.group(), match.start()
        code_end = _after_code(piece, at, start, code_end)
        at = match.end()
        if kind == "comment":
            at = piece.find("\n", at)
            if at < 0:
                return Scan("", start, "".join(brackets), code_end)
            continue
        if kind == "bracket":
            _count(token, brackets)
        elif kind in ("quote", "remark"):
            at = _closed_at(piece, at, token, language)
            if at < 0 and kind == "remark":
                return Scan("", start, "".join(brackets), code_end)
            if at < 0:
                return Scan(token, -1, "".join(brackets), len(piece))
        code_end = code_end if kind == "remark" else at
    return Scan("", -1, "".join(brackets), _after_code(piece, at, len(piece), code_end))


def _after_code(piece: str, start: int, end: int, code_end: int) -> int:
    """Return where code ends, given that ``[start, end)`` holds plain code and blanks only."""
    code = piece[start:end].rstrip()
    return start + len(code) if code else code_end


def _count(bracket: str, still_open: list[str]) -> None:
    opener = _OPENER_OF.get(bracket)
    if opener is None:
        still_open.append(bracket)
    elif opener in still_open:  # what stands open inside it was never closed
        del still_open[len(still_open) - 1 - still_open[::-1].index(opener) :]


def _closed_at(piece: str, start: int, token: str, language: Language | None) -> int:
    """Return where the string or comment that `token` began has ended, -1 where the piece ends inside it."""
    if language and language.block_comment and token == language.block_comment[0]:
        end = piece.find(language.block_comment[1], start)
        return end + len(language.block_comment[1]) if end >= 0 else -1
    match = _string_rest(token).match(piece, start)
    if match is None:
        return -1
    return match.end()


@cache
def _string_rest(quote: str) -> re.Pattern[str]:
    """Match what follows an opening quote. A short string that is not closed on its line ends there."""
    if len(quote) > 1 or quote == "`":
        return re.compile(rf"(?:\\.|(?!{re.escape(quote)}).)*{re.escape(quote)}", re.DOTALL)
    return re.compile(rf"(?:\\.|[^\\\n{quote}])*(?:{quote}|(?=\n))")


@cache
def _tokens(language: Language | None) -> re.Pattern[str]:
    comment = re.escape(language.line_comment) if language else _COMMON_COMMENT
    quotes = language.quotes if language else _COMMON_QUOTES
    # An apostrophe after a letter is no quote: don't, 1'000, x'.
    quote = "|".join(rf"(?<!\w){quote}" if quote == "'" and not language else re.escape(quote) for quote in quotes)
    remark = re.escape(language.block_comment[0]) if language and language.block_comment else "(?!)"
    return re.compile(rf"(?P<remark>{remark})|(?P<comment>{comment})|(?P<quote>{quote})|(?P<bracket>[()\[\]{{}}])")
