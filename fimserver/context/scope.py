"""Find the function, class or block that encloses the cursor, and the indentation of its header.

With a syntax tree this is the innermost node that owns a block around the cursor; without one, or in code too broken
for one, it is the nearest line above that is indented less.
"""

from fimserver.syntax.layout import columns, indent_of, line_text
from fimserver.syntax.tree import Tree
from fimserver.text import leading_blanks, line_end, position_at
from fimserver.values import Document, Span

# Further up or down no line is looked at; the tree has no such limit.
_FARTHEST_LINES = 300

# Lines that are no header, however little they are indented.
_NO_HEADER = (")", "]", "}", "#", "//", "/*", "*")


def scope_at(document: Document, tree: Tree | None, line: int, indent: str, *, opens: bool) -> tuple[Span, str]:
    """Return the enclosing scope and its header's indentation.

    `indent` is the indentation of the text at the cursor. Where `opens` is true the cursor stands at the end of a
    header, and what is written there belongs to that header's block.
    """
    width = columns(indent) + (1 if opens else 0)
    last = line if opens else line - 1
    found = _scope_in_tree(document, tree, last, width) if tree is not None else None
    return found or _scope_in_lines(document, last, line, width)


def _scope_in_tree(document: Document, tree: Tree, last: int, width: int) -> tuple[Span, str] | None:
    """Return the innermost scope around the code that ends at line `last`; None where the code is broken there."""
    end = line_end(document.text, document.starts, last) if last >= 0 else 0
    code = document.text[max(0, end - 4096) : end].rstrip()
    offset = end if not code else max(0, end - 4096) + len(code) - 1
    kinds = tree.language.scopes | tree.language.compound
    for node in reversed(tree.path(offset)):
        if node.is_error:
            return None
        if node.type in kinds:
            span = tree.span(node)
            blanks = indent_of(document, position_at(document.starts, span.start)[0])
            if columns(blanks) < width:
                return span, blanks
    return Span(0, len(document.text)), ""


def _scope_in_lines(document: Document, last: int, line: int, width: int) -> tuple[Span, str]:
    header = _header_line(document, last, width)
    if header is None:
        return Span(0, len(document.text)), ""
    blanks = indent_of(document, header)
    start = document.starts[header] + len(blanks)
    return Span(start, _end_of_deeper(document, max(header, line), columns(blanks))), blanks


def _header_line(document: Document, last: int, width: int) -> int | None:
    """Return the nearest line at or above `last` whose code begins left of column `width`."""
    for line in range(last, max(-1, last - _FARTHEST_LINES), -1) if width else ():
        text = line_text(document, line)
        blanks = leading_blanks(text)
        code = text[len(blanks) :]
        if code and columns(blanks) < width and not code.startswith(_NO_HEADER):
            return line
    return None


def _end_of_deeper(document: Document, line: int, width: int) -> int:
    """Return where the lines below end that are indented deeper than `width`."""
    last = line
    for below in range(line + 1, min(len(document.starts), line + _FARTHEST_LINES)):
        text = line_text(document, below)
        if text.strip() and columns(leading_blanks(text)) <= width:
            break
        last = below if text.strip() else last
    return line_end(document.text, document.starts, last)
