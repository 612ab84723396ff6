"""Say whether a line's end opens a block: `def f():`, `if (x) {`, `match x {`, but not `total = {` or `part[1:`."""

import re

from fimserver.syntax.languages import Language
from fimserver.syntax.lines import Scan, scan
from fimserver.syntax.tree import Tree

# What a brace belongs to a value after: an assignment, an argument, an element, a returned object.
_BEFORE_VALUE = re.compile(r"(?:(?<![=!<>])=|[(\[,?&:]|\b(?:return|yield|await|throw|new|in|of))$")

# Where a colon ends a label, which opens a block with or without a brace, and not a key.
_LABELS = frozenset({"case", "default"})

# What no header ends with that has no brace yet.
_NO_HEADER = ("{", "}", ",", ":", "=", ">", "(")

# A function's type and name: `int main(`, `std::string Shelf::name(`, but not `return name(`.
_FUNCTION = re.compile(
    r"\s*(?!(?:await|delete|else|goto|new|return|throw|yield)\b)(?:[\w:<>,\[\]*&?.]+[ \t]+)+[*&]*[~\w:.]+\("
)

# What stands between the parameters and the body of a function: C++'s `const`, Java's `throws`, a return type.
_AFTER_PARAMETERS = re.compile(r"\)\s*(?:(?:const|noexcept|override|final|throws|mutable|where|async)\b.*|->.*|:.*)?$")
_INNER_TYPE = re.compile(r"\b(?:class|interface|struct|enum|namespace)\b[^=;()]*$")
_CLOSURE = re.compile(r"(?:=>|\||(?<![\w)\]])\[[^\[\]]*\])$")
_FIRST_WORD = re.compile(r"[\s})\]]*@?(\w+)")

# Without a row: how blocks open in most languages. A definition that has no brackets yet may still be growing.
_COMMON_OPENERS = re.compile(
    r"(?:[:{]|\b(?:do|then|begin|else|try|loop)|\bdo\s*\|[^|]*\||^.*\b(?:def|function|proc|sub)\b.*\))$"
)


def opens_block(line: str, found: Scan, language: Language | None) -> bool:
    """Say whether a block begins where this line, of which `found` is the scan, ends."""
    code = line[: found.code_end]
    if not code or found.in_string:
        return False
    if language is None:
        return bool(_COMMON_OPENERS.search(code))
    if language.opens == "{" and code.endswith(":"):
        return first_word(code) in _LABELS and not found.brackets
    if not code.endswith(language.opens):
        return False
    if language.opens == "{":
        return _brace_opens(code[:-1].rstrip(), language)
    return not found.brackets and bool(found.unopened or first_word(code) in language.headers)


def line_opens_block(line: str, language: Language | None) -> bool:
    """Say whether a whole line ends with the opening of a block."""
    return opens_block(line, scan(line, language), language)


def lacks_its_brace(line: str, language: Language | None) -> bool:
    """Say whether a whole line is a header whose brace, or only statement, belongs on the next line.

    >>> from fimserver.syntax.languages import language_named
    >>> lacks_its_brace("public int Count()", language_named("csharp"))
    True
    """
    if language is None or not language.terminator:
        return False
    found = scan(line, language)
    code = line[: found.code_end]
    whole = not found.in_string and not found.brackets and not code.endswith((language.terminator, *_NO_HEADER))
    return whole and (first_word(code) in language.headers or _FUNCTION.match(code) is not None)


def first_word(code: str) -> str:
    """Return the first word of a line, after brackets it closes: `else` of `} else {`."""
    match = _FIRST_WORD.match(code)
    return match.group(1) if match else ""


def brace_holds_statements(tree: Tree, offset: int) -> bool | None:
    """Say whether the brace at an offset opens a block; None where the code is too broken to tell."""
    path = tree.path(offset)
    if len(path) < 2 or path[-1].type != "{" or path[-2].is_error or path[-2].children[-1].is_missing:
        return None
    return path[-2].type in tree.language.blocks


def _brace_opens(before: str, language: Language) -> bool:
    word = first_word(before)
    if not before or word in _LABELS:
        return True
    if _BEFORE_VALUE.search(before):
        return False
    rules = (_AFTER_PARAMETERS, _CLOSURE, _INNER_TYPE)
    return word in language.headers or any(rule.search(before) for rule in rules)
