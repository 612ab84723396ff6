"""Turn the lines a review is about into passages that fit a prompt, cut where the fewest syntax nodes are cut.

A passage is a listing with line numbers: the asked lines, what stands around them, the headers they stand below.

      1 | class Till:
        | …
     12 |     def total(self, prices):
     13+|         return sum(price for price in prices if price > 0)
        -|        return sum(prices)
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from fimserver.syntax.languages import language_named
from fimserver.syntax.layout import columns, line_text
from fimserver.syntax.tree import Node, Tree, parse_text
from fimserver.text import leading_blanks, position_at
from fimserver.values import Document

# Around lines that changed so many more are shown, or the function they stand in where that is short.
_MARGIN_LINES = 8
_SHORT_FUNCTION_LINES = 60

# A listing adds so many characters to each line.
_NUMBER_CHARACTERS = 9

# Deeper headers than these are shown, the innermost first.
_MOST_HEADERS = 4


@dataclass(frozen=True, slots=True)
class Target:
    """What a review is about: lines of a document, counted from 0, and where they are a change what it took away.

    `removed` maps a line to the lines that stood before it.
    """

    document: Document
    asked: tuple[range, ...]
    removed: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    is_change: bool = False

    @classmethod
    def whole(cls, document: Document) -> "Target":
        """Return the target that is all of a document."""
        return cls(document, (range(len(document.starts)),))


@dataclass(frozen=True, slots=True)
class Passage:
    """A part of a target that is reviewed at once: the lines that are shown, and those of them that are asked about."""

    target: Target
    lines: range
    asked: tuple[range, ...]
    headers: tuple[int, ...] = ()

    @property
    def document(self) -> Document:
        """The document it is of."""
        return self.target.document

    @property
    def listing(self) -> str:
        """The text a model reads."""
        document, removed = self.document, self.target.removed
        rows: list[str] = []
        for line in self.headers:
            rows += [_row(str(line + 1), " ", line_text(document, line)), _row("", " ", "…")]
        for line in self.lines:
            rows += [_row("", "-", text) for text in removed.get(line, ())]
            sign = "+" if self.target.is_change and any(line in lines for lines in self.asked) else " "
            rows.append(_row(str(line + 1), sign, line_text(document, line)))
        return "\n".join([*rows, *(_row("", "-", text) for text in removed.get(self.lines.stop, ()))])

    @property
    def asked_words(self) -> str:
        """The asked lines as people say it, counted from 1."""
        return ", ".join(
            f"{lines.start + 1}" if len(lines) == 1 else f"{lines.start + 1} to {lines.stop}" for lines in self.asked
        )


def passages(target: Target, most_characters: int) -> list[Passage]:
    """Return the passages of a target, in its order; each asked line that is not blank is in exactly one."""
    tree = _tree_of(target.document)
    shown = _merged(_around(lines, target, tree) for lines in target.asked)
    parts = [part for lines in shown for part in _cut(lines, target.document, tree, most_characters)]
    found = (_passage(target, part, tree) for part in parts)
    return [passage for passage in found if passage is not None]


def halves(passage: Passage) -> list[Passage]:
    """Return a passage in two parts or three, for a context that was too small for it; one line is not divided."""
    size = sum(_cost(passage.document, line) for line in passage.lines)
    longest = max((_cost(passage.document, line) for line in passage.lines), default=0)
    tree = _tree_of(passage.document)
    parts = _cut(passage.lines, passage.document, tree, max(size // 2 + 1, longest))
    found = (_passage(passage.target, part, tree) for part in parts if part != passage.lines)
    return [part for part in found if part is not None]


def _passage(target: Target, part: range, tree: Tree | None) -> Passage | None:
    asked = tuple(_trimmed(target.document, lines) for lines in _common(part, target.asked))
    asked = tuple(lines for lines in asked if lines)
    return Passage(target, part, asked, _headers(target.document, part.start, tree)) if asked else None


def _tree_of(document: Document) -> Tree | None:
    """Return a tree of its own: a review is cut in a thread, and the trees that are kept are the event loop's."""
    language = language_named(document.language)
    return parse_text(document.text, language) if language is not None else None


def _row(number: str, sign: str, text: str) -> str:
    return f"{number:>5}{sign}| {text}"


def _common(part: range, asked: Iterable[range]) -> Iterator[range]:
    for lines in asked:
        common = range(max(part.start, lines.start), min(part.stop, lines.stop))
        if common:
            yield common


def _trimmed(document: Document, lines: range) -> range:
    """Return a range without the blank lines at its ends."""
    filled = [line for line in lines if line_text(document, line).strip()]
    return range(filled[0], filled[-1] + 1) if filled else range(0)


def _around(lines: range, target: Target, tree: Tree | None) -> range:
    """Return what is shown of a change: the function around it if it is short, else some lines more."""
    if not target.is_change:
        return lines
    function = _scope_lines(target.document, lines, tree)
    if function is not None and len(function) <= _SHORT_FUNCTION_LINES:
        return function
    count = len(target.document.starts)
    return range(max(0, lines.start - _MARGIN_LINES), min(count, lines.stop + _MARGIN_LINES))


def function_around(document: Document, line: int) -> range:
    """Return the lines of the smallest class or function around a line, or of the whole text."""
    return _scope_lines(document, range(line, line + 1), _tree_of(document)) or range(len(document.starts))


def _scope_lines(document: Document, lines: range, tree: Tree | None) -> range | None:
    """Return the lines of the smallest scope that holds some lines."""
    if tree is None:
        return None
    for node in reversed(tree.path(_code_start(document, lines.start))):
        first, last = _node_lines(document, tree, node)
        if node.type in tree.language.scopes and first <= lines.start and lines.stop <= last + 1:
            return range(first, last + 1)
    return None


def _headers(document: Document, line: int, tree: Tree | None) -> tuple[int, ...]:
    """Return the lines on which the classes and functions begin that a line stands in."""
    if tree is None:
        return ()
    scopes = [node for node in tree.path(_code_start(document, line)) if node.type in tree.language.scopes]
    first_lines = dict.fromkeys(_node_lines(document, tree, node)[0] for node in scopes)
    return tuple(first for first in first_lines if first < line)[-_MOST_HEADERS:]


def _node_lines(document: Document, tree: Tree, node: Node) -> tuple[int, int]:
    span = tree.span(node)
    return position_at(document.starts, span.start)[0], position_at(document.starts, max(span.start, span.end - 1))[0]


def _merged(ranges: Iterable[range]) -> list[range]:
    merged: list[range] = []
    for lines in sorted(ranges, key=lambda lines: lines.start):
        if merged and lines.start <= merged[-1].stop:
            merged[-1] = range(merged[-1].start, max(merged[-1].stop, lines.stop))
        else:
            merged.append(lines)
    return merged


def _cut(lines: range, document: Document, tree: Tree | None, most_characters: int) -> Iterator[range]:
    """Yield a range in parts of at most so many characters; a line that is longer by itself is a part."""
    start, size = lines.start, 0
    candidates: list[int] = []  # where this part may end: the second half of what fits
    for line in lines:
        size += _cost(document, line)
        if size > most_characters and line > start:
            end = _best_cut(candidates, document, tree) if candidates else line
            yield range(start, end)
            start, candidates = end, []
            size = sum(_cost(document, one) for one in range(end, line + 1))
        if size * 2 > most_characters:
            candidates.append(line + 1)
    if start < lines.stop:
        yield range(start, lines.stop)


def _best_cut(candidates: Sequence[int], document: Document, tree: Tree | None) -> int:
    """Return the line before which the fewest nodes are cut; of equals one after a blank line, then the last."""

    def price(line: int) -> tuple[int, bool, int]:
        after_blank = line > 0 and not line_text(document, line - 1).strip()
        return _nodes_cut(document, line, tree), not after_blank, -line

    return min(candidates, key=price)


def _nodes_cut(document: Document, line: int, tree: Tree | None) -> int:
    """Return how many nodes begin before a line and end behind its start; without a tree, how deep it is indented."""
    if tree is None:
        return columns(leading_blanks(line_text(document, line)))
    if line >= len(document.starts):
        return 0
    start = document.starts[line]
    return sum(tree.span(node).start < start for node in tree.path(_code_start(document, line)))


def _code_start(document: Document, line: int) -> int:
    text = line_text(document, line)
    return document.starts[line] + len(leading_blanks(text))


def _cost(document: Document, line: int) -> int:
    return len(line_text(document, line)) + _NUMBER_CHARACTERS
