"""Turn a document and an offset into what stands around the cursor, and what is worth asking for there."""

from dataclasses import replace

from fimserver.context.scope import scope_at
from fimserver.context.shape import Place, choose_shape
from fimserver.settings import CompletionSettings
from fimserver.syntax.closing import is_closing
from fimserver.syntax.kept import parse_near
from fimserver.syntax.languages import Language, language_named
from fimserver.syntax.layout import expected_indent, header_indent
from fimserver.syntax.lines import Scan, scan
from fimserver.syntax.opening import brace_holds_statements, opens_block
from fimserver.syntax.tree import Node, Tree
from fimserver.text import line_end, position_at
from fimserver.values import CursorContext, Document, Shape


def look_around(
    document: Document, offset: int, *, completion: CompletionSettings, invoked: bool = False
) -> CursorContext:
    """Return the cursor's context. `invoked`: the user asked by hand, and is refused nothing.

    An offset outside the text, or inside a line's terminator, is moved to the nearest place where one can type.
    """
    offset = min(max(offset, 0), len(document.text))
    line = position_at(document.starts, offset)[0]
    start, end = document.starts[line], line_end(document.text, document.starts, line)
    offset = min(offset, end)
    prefix, tail = document.text[start:offset], document.text[offset:end]
    tree, language = parse_near(document, offset), language_named(document.language)
    found = scan(prefix, language)
    in_string, in_comment = _literal(tree, offset, start, found)
    opens = not in_string and not in_comment and _opens(tree, start, prefix, found, language)
    indent = expected_indent(document, line, prefix, language)
    depth = header_indent(document, line, language) if opens else indent
    scope, scope_indent = scope_at(document, tree, line, depth, opens=opens)
    context = CursorContext(
        document=document,
        offset=offset,
        line=line,
        line_start=start,
        line_prefix=prefix,
        tail=tail,
        closing_tail=is_closing(tail),
        indent=indent,
        scope=scope,
        scope_indent=scope_indent,
        shape=Shape.LINE,
        in_string=in_string,
        in_comment=in_comment,
    )
    shape, reason = choose_shape(Place(context, completion, language, found, opens), invoked=invoked)
    return replace(context, shape=shape, reason=reason)


def _literal(tree: Tree | None, offset: int, line_start: int, found: Scan) -> tuple[bool, bool]:
    """Say whether the cursor is in a string, and whether it is in a comment."""
    if tree is None or offset == 0:
        return found.in_string, found.in_comment
    path = tree.path(offset - 1)
    for node in reversed(path):
        if node.type in tree.language.holes and tree.span(node).end > offset:
            return False, False
        if node.type in tree.language.strings:
            return tree.span(node).end > offset, False
        if node.type in tree.language.comments:
            return False, _reaches(tree, node, offset)
    # A quote that nothing closes yet is an error somewhere on the line: there the line itself is read.
    broken = any(node.has_error for node in path if node is path[-1] or tree.span(node).start >= line_start)
    return (found.in_string, found.in_comment) if broken else (False, False)


def _opens(tree: Tree | None, line_start: int, prefix: str, found: Scan, language: Language | None) -> bool:
    """Say whether a block opens at the end of the line up to the cursor; of a brace the tree knows it better."""
    code = prefix[: found.code_end]
    brace = code.endswith("{") and language is not None and language.opens == "{"
    holds_statements = brace_holds_statements(tree, line_start + len(code) - 1) if tree is not None and brace else None
    return opens_block(prefix, found, language) if holds_statements is None else holds_statements


def _reaches(tree: Tree, comment: Node, offset: int) -> bool:
    """Say whether a comment goes on at the cursor: all do but a block comment that was closed right before it."""
    block = tree.language.block_comment
    return tree.span(comment).end > offset or block is None or not tree.text_of(comment).endswith(block[1])
