"""Choose which parts of a long text are parsed to know what stands around one place.

Parsing a 10,000-line file again after one key costs 3 ms in Python and 25 ms to 70 ms in C and C++. So only the
neighbourhood is parsed: at each level of the last tree the nodes next to the place, and the beginning and end of what
encloses them. The parser reads these parts as if nothing stood between them:

    class Shelf {            kept
      …                      left out
      String name() {…}      kept
      void put(Book b) {‸}   kept, with all that was typed
      int size() {…}         kept
      …                      left out
    }                        kept
"""

from tree_sitter import Node

from fimserver.syntax.source import Source

# A node that is no longer than this is kept whole.
_WHOLE_BYTES = 4096

# On either side of a node that is entered, its siblings are kept until there are so many bytes of them.
_MARGIN_BYTES = 768

# The beginning or end of a node is kept if it is a bracket, a keyword or a short header.
_EDGE_BYTES = 256

Part = tuple[int, int]


def parts_around(root: Node, byte: int, source: Source) -> list[Part]:
    """Return the byte ranges to parse, in order, for the tree's neighbourhood of a byte."""
    parts = [source.line_of(byte), *_descend(root, byte)]
    return _merged(sorted(_whole_lines(part, source) for part in parts))


def _descend(node: Node, byte: int) -> list[Part]:
    parts: list[Part] = []
    while _length(node) > _WHOLE_BYTES:
        child = node.first_child_for_byte(byte) or _last_child(node)
        if child is None:
            break
        first, last = _siblings(child)
        if _length(child) <= _WHOLE_BYTES:
            return [*parts, *_edges(node), (first.start_byte, last.end_byte)]
        parts += [*_edges(node), (first.start_byte, child.start_byte), (child.end_byte, last.end_byte)]
        node = child
    return [*parts, (node.start_byte, node.end_byte)]


def _siblings(node: Node) -> tuple[Node, Node]:
    """Return the first and the last of the node's near siblings; the node itself where it has none."""
    first = last = node
    while (before := first.prev_sibling) is not None and node.start_byte - first.start_byte < _MARGIN_BYTES:
        first = before
    while (after := last.next_sibling) is not None and last.end_byte - node.end_byte < _MARGIN_BYTES:
        last = after
    return first, last


def _edges(node: Node) -> list[Part]:
    """Return the first and last child of a node, such as its braces, unless they are long or it is the whole text."""
    ends = (node.child(0), node.child(node.child_count - 1)) if node.parent is not None else ()
    return [(end.start_byte, end.end_byte) for end in ends if _length(end) <= _EDGE_BYTES]


def _last_child(node: Node) -> Node | None:
    return node.child(node.child_count - 1) if node.child_count else None


def _length(node: Node) -> int:
    return node.end_byte - node.start_byte


def _whole_lines(part: Part, source: Source) -> Part:
    """Return the part with its indentation and line end, which mean something in Python and to C's preprocessor."""
    start, end = part
    line_start, line_end = source.line_of(start)[0], source.line_of(end)[1]
    start = line_start if not source.content[line_start:start].strip() else start
    return start, line_end if not source.content[end:line_end].strip(b" \t\r\n;") else end


def _merged(parts: list[Part]) -> list[Part]:
    merged: list[Part] = []
    for start, end in parts:
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        elif start < end:
            merged.append((start, end))
    return merged
