"""Turn what is selected in an editor into the part of the document that a command is about: always whole lines.

Where nothing is selected it is the function, method or class at the cursor, with its decorators. A single character is
not a selection: in Helix and Kakoune there is always one under the cursor.
"""

import re

from fimserver.errors import EditRefused
from fimserver.syntax.kept import parse, parse_near
from fimserver.syntax.layout import line_text
from fimserver.syntax.tree import Node, Tree
from fimserver.text import leading_blanks, line_end, position_at
from fimserver.values import Document, Span

# Nodes that belong to the definition they hold.
_WRAPPERS = frozenset({"decorated_definition", "export_statement", "template_declaration"})


def part_at(document: Document, selected: Span) -> Span:
    """Return the part, without its last line's terminator. Raises EditRefused where there is none."""
    text = document.text[selected.start : selected.end]
    found = None if is_selection(selected) and text.strip() else definition_at(document, selected.start)
    if found is None and not text.strip():
        raise EditRefused("There is no function or class at the cursor. Select the code that is meant.")
    return whole_lines(document, found or selected)


def is_selection(span: Span) -> bool:
    """Return whether somebody has selected a span."""
    return span.end - span.start > 1


def definition_at(document: Document, offset: int) -> Span | None:
    """Return the innermost definition around an offset; before and behind a line's code it is that of the code."""
    tree = parse(document)
    node = definition_node(document, tree, offset) if tree is not None else None
    return tree.span(_with_wrappers(node)) if tree is not None and node is not None else None


def definition_node(document: Document, tree: Tree, offset: int) -> Node | None:
    """Return the node of the innermost definition around an offset, its decorators left out."""
    scopes = tree.language.scopes
    for node in reversed(tree.path(_code_near(document, offset))):
        if node.type in scopes:
            return node
        if node.type in _WRAPPERS and (inner := [one for one in node.named_children if one.type in scopes]):
            return inner[0]
    return None


def name_at(document: Document, offset: int) -> str:
    """Return the name of the innermost definition around an offset, empty where it has none."""
    tree = parse(document)
    node = definition_node(document, tree, offset) if tree is not None else None
    return name_of(tree, node) if tree is not None and node is not None else ""


def name_of(tree: Tree, node: Node) -> str:
    """Return the name of a definition, empty where it has none."""
    named = node.child_by_field_name("name") or node.child_by_field_name("declarator")
    return "".join(re.findall(r"\w+", tree.text_of(named))[:1]) if named is not None else ""


def is_header(document: Document, offset: int) -> bool:
    """Return whether a definition, or its first decorator, begins on the line of an offset.

    Editors ask this wherever the cursor comes to rest, so only the neighbourhood is parsed.
    """
    tree = parse_near(document, offset)
    node = definition_node(document, tree, offset) if tree is not None else None
    if tree is None or node is None:
        return False
    begins = (tree.span(one).start for one in (node, _with_wrappers(node)))
    line, _ = position_at(document.starts, offset)
    return line in [position_at(document.starts, start)[0] for start in begins]


def whole_lines(document: Document, span: Span) -> Span:
    """Return the lines a span touches; one that ends before a line's first character does not touch that line."""
    first, _ = position_at(document.starts, span.start)
    last, column = position_at(document.starts, span.end)
    last = last - 1 if column == 0 and last > first else last
    return Span(document.starts[first], line_end(document.text, document.starts, last))


def _with_wrappers(node: Node) -> Node:
    while node.parent is not None and node.parent.type in _WRAPPERS:
        node = node.parent
    return node


def _code_near(document: Document, offset: int) -> int:
    """Return the offset, moved onto the code of its line where it stands before or behind that."""
    line, _ = position_at(document.starts, offset)
    text = line_text(document, line)
    first = document.starts[line] + len(leading_blanks(text))
    return max(first, min(offset, document.starts[line] + len(text.rstrip()) - 1))
