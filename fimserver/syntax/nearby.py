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

Positions are offsets.
"""

from collections.abc import Collection, Iterable

from tree_sitter import Node

from fimserver.syntax.joined import Part
from fimserver.syntax.source import BYTES_PER_CODE_POINT, Source
from fimserver.values import Span

# A node that is no longer than this is kept whole.
_WHOLE = 1024

# On either side of a node, its siblings are kept until there are so many characters of them.
_MARGIN = 256

# What comes before a body (`if`, its condition, `:`) is so many children.
_HEADER_CHILDREN = 4

# The beginning or end of a node is kept unless it is longer than this.
_EDGE = 256

# Behind these stand the elements of a list, of which the first says nothing about the others.
_BRACKETS = ("{", "[", "(")

# Deeper than any code that people write.
_DEEPEST = 150


def parts_around(root: Node, place: Span, source: Source, prelude: Collection[str] = ()) -> list[Part]:
    """Return the ranges to parse, in order, for the tree's neighbourhood of a place, all of which is in one of them.

    `prelude` are types of nodes at the beginning that what follows is not read without, such as PHP's `<?php`.
    """
    start, end = source.line_of(place.start)[0], source.line_of(place.end)[1]
    lines = (max(start, place.start - _WHOLE), min(end, place.end + _WHOLE))
    first = map(root.child, range(min(_HEADER_CHILDREN, root.child_count))) if prelude else ()
    begins = [_part(node) for node in first if node is not None and node.type in prelude]
    parts = [lines, *begins, *_descend(root, (0, len(source.text)), place.start, 0)]
    return _merged((_whole_lines(part, source) for part in _merged(sorted(parts), source)), source)


def _descend(node: Node, around: Part, offset: int, depth: int) -> list[Part]:
    """Return what to keep of a node for a place in it. `around` is the room it has between its neighbours."""
    if _length(node) <= _WHOLE or node.child_count == 0 or depth > _DEEPEST:
        return [_part(node)]
    child = _child_at(node, offset)
    before, after = _neighbours(node, child)
    # What was typed since the tree was made may lie between the children, or behind the last one.
    room = (_part(before[-1])[1] if before else around[0], _part(after[0])[0] if after else around[1])
    start, end = _part(child)
    kept = [(room[0], start), (end, room[1]), *_edges(node), *_descend(child, room, offset, depth + 1)]
    for sibling in before:
        kept += _descend(sibling, _part(sibling), _part(sibling)[1], depth + 1)
    for sibling in after:
        kept += _descend(sibling, _part(sibling), _part(sibling)[0], depth + 1)
    return kept


def _child_at(node: Node, offset: int) -> Node:
    """Return the first child that ends behind an offset, else the last child.

    A cursor finds it: where there is none, `Node.first_child_for_byte` returns a node that crashes when touched.
    """
    cursor = node.walk()
    cursor.goto_first_child_for_byte(offset * BYTES_PER_CODE_POINT)
    found = cursor.node
    return found if found is not None and found != node else node.child(node.child_count - 1)


def _neighbours(parent: Node, child: Node) -> tuple[list[Node], list[Node]]:
    """Return the siblings before and after a child that are near it, at least one of each if there are any.

    A cursor walks over them: in a node of 100,000 children, as broken code can be, each step back takes 8 ms.
    """
    before: list[Node] = []
    after: list[Node] = []
    start, end = _part(child)
    cursor = parent.walk()
    cursor.goto_first_child_for_byte(max(0, start - _MARGIN) * BYTES_PER_CODE_POINT)
    while (node := cursor.node) is not None and not (after and _part(after[-1])[1] - end >= _MARGIN):
        if node.end_byte <= child.start_byte and node != child:
            before.append(node)
        elif node.start_byte >= child.end_byte and node != child:
            after.append(node)
        if not cursor.goto_next_sibling():
            break
    if not before and (sibling := child.prev_sibling) is not None:
        before.append(sibling)
    return before, after


def _edges(node: Node) -> list[Part]:
    """Return the first few children of a node and its last, such as its header and braces, but nothing long."""
    if node.parent is None:
        return []
    count = node.child_count
    header = 1 if node.child(0).type in _BRACKETS else min(_HEADER_CHILDREN, count)
    numbers = {*range(header), count - 1}
    return [_part(child) for number in sorted(numbers) if _length(child := node.child(number)) <= _EDGE]


def _part(node: Node) -> Part:
    return node.start_byte // BYTES_PER_CODE_POINT, node.end_byte // BYTES_PER_CODE_POINT


def _length(node: Node) -> int:
    return (node.end_byte - node.start_byte) // BYTES_PER_CODE_POINT


def _whole_lines(part: Part, source: Source) -> Part:
    """Return the part with its indentation and line end, which mean something in Python and to C's preprocessor.

    White space at its edges belongs to what stands next to it, and is left out first.
    """
    text = source.text[part[0] : part[1]]
    start, end = part[1] - len(text.lstrip()), part[0] + len(text.rstrip())
    if start >= end:
        return part[0], part[0]
    line_start, line_end = source.line_of(start)[0], source.line_of(end)[1]
    start = line_start if not source.text[line_start:start].strip() else start
    return start, line_end if not source.text[end:line_end].strip(" \t\r\n;") else end


def _merged(parts: Iterable[Part], source: Source) -> list[Part]:
    """Return the parts without overlaps; what only white space divides is one part, or two words would become one."""
    merged: list[Part] = []
    for start, end in parts:
        if merged and (start <= merged[-1][1] or not source.text[merged[-1][1] : start].strip()):
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        elif start < end:
            merged.append((start, end))
    return merged
