r"""Turn the text of a documentation comment into an edit that puts it where its language and its file want it.

    def price(items):            def price(items):
        return sum(items)   →        \"\"\"Return the price of all items.\"\"\"
                                     return sum(items)

The text is a comment's whatever it holds: nothing of it can become code. A comment that is there already is replaced.
"""

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

from fimserver.errors import EditRefused
from fimserver.review.edits import Edit, check_characters, checked
from fimserver.review.selection import definition_at, definition_node, name_of
from fimserver.syntax.kept import parse
from fimserver.syntax.layout import indent_of, line_text
from fimserver.syntax.tree import Node, Tree
from fimserver.text import line_end, main_line_ending, position_at, with_line_ending
from fimserver.values import Document, Span


@dataclass(frozen=True, slots=True)
class Shape:
    """How a comment is written: before, in front of each line, behind; inside the definition or above it.

    `pattern` finds one in code.
    """

    opening: str
    line: str
    closing: str
    pattern: re.Pattern[str]
    inside: bool = False


SHAPES = {
    "python": Shape('"""', "", '"""', re.compile(r'[rR]?"""(?:[^"]|"(?!""))*"""'), inside=True),
    "block": Shape("/**", " * ", " */", re.compile(r"/\*\*(?s:.*?)\*/")),
    "triple-slash": Shape("", "/// ", "", re.compile(r"(?m)(?:^[ \t]*///.*\n?)+")),
    "slashes": Shape("", "// ", "", re.compile(r"(?m)(?:^//.*\n?)+")),
}


@dataclass(frozen=True, slots=True)
class Convention:
    """One table of docstrings.toml."""

    id: str
    languages: tuple[str, ...]
    shape: Shape
    sign: re.Pattern[str]
    name: str
    example: str
    fallback: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """Where a comment goes: the span it replaces, which is empty where there is none yet, and its indentation.

    A span covers whole lines, the last one's terminator included.
    """

    span: Span
    indent: str
    name: str


def convention_of(document: Document) -> Convention:
    """Return the convention a file follows. Raises EditRefused for a language that has none here."""
    known = [one for one in _conventions() if document.language in one.languages]
    if not known:
        raise EditRefused(f"How {document.language} is documented is not known here.")
    counts = {one.id: len(one.sign.findall(document.text)) for one in known}
    best = max((one for one in known if not one.fallback), key=lambda one: counts[one.id])
    if counts[best.id]:
        return best
    return next((one for one in known if one.fallback and counts[one.id]), known[0])


def place_of(document: Document, offset: int, convention: Convention) -> Place:
    """Return where the comment of the definition at an offset goes. Raises EditRefused where there is no such place."""
    tree = parse(document)
    node = definition_node(document, tree, offset) if tree is not None else None
    if tree is None or node is None:
        raise EditRefused("There is no function or class at the cursor that could be documented.")
    name = name_of(tree, node)
    if convention.shape.inside:
        return _inside(document, tree, node, name)
    return _above(document, convention.shape, _first_line(document, offset), name)


def documented(document: Document, place: Place, text: str, convention: Convention) -> Edit:
    """Return the edit that writes a comment. Raises EditRefused where there is nothing to write."""
    check_characters(text, document, place.span)
    lines = bare_lines(comment_in(text, convention.shape))
    if not lines:
        raise EditRefused("The model wrote no documentation. Ask again, or choose a larger model.")
    written = "".join(f"{place.indent}{line}".rstrip() + "\n" for line in _written(lines, convention.shape))
    return checked(document, place.span, with_line_ending(written, main_line_ending(document.text)))


def comment_in(text: str, shape: Shape) -> str:
    """Return the comment in a text that is a whole definition, as some models write it; any other text as it is."""
    found = shape.pattern.search(with_line_ending(text, "\n"))
    return found.group() if found else text


def bare_lines(text: str) -> list[str]:
    r"""Return the lines of a comment's text without quotation marks and comment signs, should they be there.

    >>> bare_lines('/**\n * Adds.\n */')
    ['Adds.']
    """
    text = with_line_ending(text, "\n").strip()
    text = re.sub(r'^(?:[rR]?"""|\'\'\'|/\*\*?)[ \t]*|(?:"""|\'\'\'|\*/)$', "", text).strip("\n")
    lines = [line.rstrip() for line in text.split("\n")]
    for sign in (r"[ \t]*///? ?", r"[ \t]*\* ?"):
        if all(re.match(sign, line) for line in lines if line):
            lines = [re.sub(rf"^{sign}", "", line) for line in lines]
    indent = min((len(line) - len(line.lstrip()) for line in lines[1:] if line), default=0)
    lines = [lines[0].strip(), *(line[indent:] for line in lines[1:])]
    while lines and not lines[-1].strip():
        lines.pop()
    while lines and not lines[0]:
        lines.pop(0)
    return lines


def _written(lines: Sequence[str], shape: Shape) -> list[str]:
    if shape.inside:
        safe = [line.replace('"""', "'''") for line in lines]
        mark = 'r"""' if any("\\" in line for line in safe) else '"""'
        if len(safe) == 1 and not safe[0].endswith('"'):
            return [f'{mark}{safe[0]}"""']
        return [f"{mark}{safe[0]}", *safe[1:], '"""']
    if shape.closing:
        safe = [line.replace("*/", "* /") for line in lines]
        return [shape.opening, *(shape.line + line for line in safe), shape.closing]
    return [shape.line + line for line in lines]


def _inside(document: Document, tree: Tree, node: Node, name: str) -> Place:
    """Return the place of a docstring: the first statement's, where that is one already, else before it."""
    body = node.child_by_field_name("body")
    first = body.named_children[0] if body is not None and body.named_children else None
    header, _ = position_at(document.starts, tree.span(node).start)
    if first is None or (line := position_at(document.starts, tree.span(first).start)[0]) == header:
        raise EditRefused("Its body stands on the line of its header: there is no room for a docstring.")
    start = document.starts[line]
    if document.text[start : tree.span(first).start].strip():
        raise EditRefused("Its body stands on the line of its header: there is no room for a docstring.")
    statement = first.named_children[0] if first.named_child_count else first
    is_docstring = first.type == "expression_statement" and statement.type == "string"
    end = _line_after(document, tree.span(first).end) if is_docstring else start
    return Place(Span(start, end), indent_of(document, line), name)


def _above(document: Document, shape: Shape, line: int, name: str) -> Place:
    """Return the place above a definition: that of the comment that stands there, if it is one of this shape."""
    first = line
    if shape.closing:
        above = line - 1
        if above >= 0 and line_text(document, above).rstrip().endswith("*/"):
            while above > 0 and "/*" not in line_text(document, above):
                above -= 1
            first = above if line_text(document, above).lstrip().startswith("/**") else line
    else:
        sign = shape.line.strip()
        while first > 0 and line_text(document, first - 1).lstrip().startswith(sign):
            first -= 1
    return Place(Span(document.starts[first], document.starts[line]), indent_of(document, line), name)


def _first_line(document: Document, offset: int) -> int:
    """Return the line a definition begins on, its attributes included."""
    found = definition_at(document, offset)
    line, _ = position_at(document.starts, found.start if found else offset)
    while line > 0 and line_text(document, line - 1).lstrip().startswith("#["):  # Rust's stand before it
        line -= 1
    return line


def _line_after(document: Document, offset: int) -> int:
    line, _ = position_at(document.starts, offset)
    starts = document.starts
    return starts[line + 1] if line + 1 < len(starts) else line_end(document.text, starts, line)


@cache
def _conventions() -> tuple[Convention, ...]:
    text = resources.files("fimserver.review").joinpath("docstrings.toml").read_text("utf-8")
    return tuple(
        Convention(
            id=name,
            languages=tuple(row["languages"]),
            shape=SHAPES[row["shape"]],
            sign=re.compile(row["sign"], re.MULTILINE),
            name=row["name"],
            example=row["example"].strip("\n"),
            fallback=row.get("fallback", False),
        )
        for name, row in tomllib.loads(text).items()
    )
