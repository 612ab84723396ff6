"""Read code without a grammar: where its strings and comments are, which brackets it leaves open.

This serves languages we have no grammar for, code too broken for one, and text a model is still writing. It knows what
a row of `languages.toml` says or, without a row, what most languages share.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache, lru_cache

from fimserver.syntax.languages import Language

# Longer lines were written by programs. What their beginning says of their end is not worth the time.
LONGEST_SCAN = 2000

_OPENER_OF = {")": "(", "]": "[", "}": "{"}

# Without a row: the comments of C, the shell and SQL, between blanks as people write them; no address's slashes.
_COMMON_COMMENT = r"(?<!:)//|(?<!\S)#(?=\s|$|!)|(?<!\S)--(?=\s|$)"
# A regular expression stands where a value may begin; elsewhere the same character divides.
_PATTERN = r"(?<=[\s(,=:\[!&|?{};])/(?![/*\s])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n\[])+/"

_COMMON_QUOTES = ('"', "'", "`")

# What is matched in another way than other strings, and is one.
_KINDS = {"pattern": "quote", "long": "quote"}


@dataclass(frozen=True, slots=True)
class Token:
    """A bracket, string or comment. `closed` is false where the piece ends inside it."""

    kind: str  # "bracket", "quote", "comment" or "remark", which may span lines
    text: str  # the bracket, or what the string or comment begins with
    start: int
    end: int
    closed: bool = True


@dataclass(frozen=True, slots=True)
class Scan:
    """What a piece of code looks like at its end."""

    in_string: bool
    in_comment: bool
    brackets: str  # those left open, outermost first
    unopened: int  # how many round and square ones it closes that it did not open
    code_end: int  # where the last thing that is neither blank nor comment ends


def scan(piece: str, language: Language | None) -> Scan:
    """Read a piece of code that begins outside strings and comments; of a very long one, the end alone.

    >>> scan("f(a, 'b", None)
    Scan(in_string=True, in_comment=False, brackets='(', unopened=0, code_end=7)
    """
    cut = max(0, len(piece) - LONGEST_SCAN)
    found = _scan(piece[cut:], language)
    return replace(found, code_end=cut + found.code_end) if cut else found


# One key asks several times for the cursor's line and those around it.
@lru_cache(maxsize=128)
def _scan(piece: str, language: Language | None) -> Scan:
    still_open: list[Token] = []
    at = code_end = unopened = 0
    last = ""
    for token in tokens(piece, language):
        code_end = _after_code(piece, at, token.start, code_end)
        opener = take_bracket(token, still_open)
        unopened += token.text in (")", "]") and opener is None
        if token.kind in ("bracket", "quote"):
            code_end = token.end
        at, last = token.end, "" if token.closed else token.kind
    code_end = _after_code(piece, at, len(piece), code_end)
    brackets = "".join(token.text for token in still_open)
    return Scan(last == "quote", last in ("comment", "remark"), brackets, unopened, code_end)


def tokens(piece: str, language: Language | None) -> Iterator[Token]:
    """Yield the brackets, strings and comments of a piece of code, in order."""
    begins, at = _beginnings(language), 0
    while match := begins.search(piece, at):
        kind, text = match.lastgroup or "", match.group()
        rest = _rest(kind, "" if kind == "pattern" else text, language).match(piece, match.end())
        at = rest.end() if rest else len(piece)
        yield Token(_KINDS.get(kind, kind), text, match.start(), at, closed=rest is not None)


def take_bracket(token: Token, still_open: list[Token]) -> Token | None:
    """Open or close a bracket in the list of those that are open; return the opening one that is closed, if any.

    What stands open inside a closed bracket was never closed, and goes with it. A token that is none changes nothing.
    """
    if token.kind != "bracket":
        return None
    opener = _OPENER_OF.get(token.text)
    if opener is None:
        still_open.append(token)
    if opener is None or all(other.text != opener for other in still_open):
        return None
    while (last := still_open.pop()).text != opener:
        pass
    return last


def _after_code(piece: str, start: int, end: int, code_end: int) -> int:
    """Return where code ends, given that ``[start, end)`` holds plain code and blanks only."""
    code = piece[start:end].rstrip()
    return start + len(code) if code else code_end


@cache
def _beginnings(language: Language | None) -> re.Pattern[str]:
    comment = language.line_comments if language else _COMMON_COMMENT
    quotes = language.quotes if language else _COMMON_QUOTES
    # Without a row an apostrophe after a letter is no quote: don't, 1'000, x'.
    quote = "|".join(r"(?<!\w)'" if quote == "'" and not language else re.escape(quote) for quote in quotes)
    remark = re.escape(language.block_comment[0]) if language and language.block_comment else "(?!)"
    pattern = _PATTERN if language and "regex" in language.strings else "(?!)"
    long = "|".join(begin for begin, _ in language.long_strings) if language and language.long_strings else "(?!)"
    return re.compile(
        rf"(?P<pattern>{pattern})|(?P<long>{long})|(?P<remark>{remark})|(?P<comment>{comment})|(?P<quote>{quote})"
        r"|(?P<bracket>[()\[\]{}])"
    )


@lru_cache(maxsize=256)
def _rest(kind: str, text: str, language: Language | None) -> re.Pattern[str]:
    """Match what follows the beginning of a token, to its end. A short string that is not closed ends with its line."""
    if kind == "long" and language:
        rest = next(rest for begin, rest in language.long_strings if re.fullmatch(begin, text))
        return re.compile(rest.replace("{word}", re.sub(r"\W", "", text)), re.DOTALL)
    if kind == "comment":
        return re.compile(r"[^\n]*(?=\n)")
    if kind == "remark" and language and language.block_comment:
        return re.compile(rf".*?{re.escape(language.block_comment[1])}", re.DOTALL)
    if kind == "quote" and (len(text) > 1 or text == "`"):
        return re.compile(rf"(?:\\.|(?!{text}).)*{text}", re.DOTALL)
    if kind == "quote":
        return re.compile(rf"(?:\\.|[^\\\n{text}])*(?:{text}|(?=\n))")
    return re.compile("")
