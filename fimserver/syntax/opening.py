"""Say whether a line's end opens a block: `def f():`, `if (x) {`, `match x {`, but not `total = {` or `part[1:`."""

import re

from fimserver.syntax.languages import Language
from fimserver.syntax.lines import Scan, scan
from fimserver.syntax.tree import Tree

# What a brace belongs to a value after: an assignment, an argument, an element, a returned object.
_BEFORE_VALUE = re.compile(r"(?:(?<![=!<>])=|[(\[,?&]|(?<!\w):|\b(?:return|yield|await|throw|new|in|of))$")

# What stands between the parameters and the body of a function: C++'s `const`, Java's `throws`, a return type.
_AFTER_PARAMETERS = re.compile(r"\)\s*(?:(?:const|noexcept|override|final|throws|mutable|where|async)\b.*|->.*|:.*)?$")
_CLOSURE = re.compile(r"(?:=>|\||(?<![\w)\]])\[[^\[\]]*\])$")
_FIRST_WORD = re.compile(r"[\s})\]]*@?(\w+)")

# Without a row: how blocks open in most languages, braces and colons apart.
_COMMON_OPENERS = re.compile(
    r"(?:[:{]|\b(?:do|then|begin|else|try|loop)|\bdo\s*\|[^|]*\||^\s*(?:local\s+)?function\b.*\))$"
)
_COMMON_DEFINITIONS = re.compile(r"\s*(?:def|class|module|sub|function|proc)\b[^=;]*$")


def opens_block(line: str, found: Scan, language: Language | None) -> bool:
    """Say whether a block begins where this line, of which `found` is the scan, ends."""
    code = line[: found.code_end]
    if not code or found.in_string:
        return False
    if language is None:
        return bool(_COMMON_OPENERS.search(code) or _COMMON_DEFINITIONS.fullmatch(code))
    if not code.endswith(language.opens):
        return False
    if language.opens == "{":
        return _brace_opens(code[:-1].rstrip(), language)
    return not found.brackets and (first_word(code) in language.headers or code.lstrip().startswith((")", "]", "}")))


def line_opens_block(line: str, language: Language | None) -> bool:
    """Say whether a whole line ends with the opening of a block."""
    return opens_block(line, scan(line, language), language)


def first_word(code: str) -> str:
    """Return the first word of a line, after brackets it closes: `else` of `} else {`."""
    match = _FIRST_WORD.match(code)
    return match.group(1) if match else ""


def brace_holds_statements(tree: Tree, offset: int) -> bool | None:
    """Say whether the brace at an offset opens a block; None where the code is too broken to tell."""
    path = tree.path(offset)
    if len(path) < 2 or path[-1].type != "{" or path[-2].is_error:
        return None
    return path[-2].type in tree.language.blocks


def _brace_opens(before: str, language: Language) -> bool:
    if not before:
        return True
    if _BEFORE_VALUE.search(before):
        return False
    return bool(first_word(before) in language.headers or _AFTER_PARAMETERS.search(before) or _CLOSURE.search(before))
