"""Turn a cursor into what to look for in other files: the words around it, nearest first, and what the line asks."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path

from fimserver.retrieval.facts import Facts
from fimserver.retrieval.imports import Import, imports_of
from fimserver.retrieval.recent import Ring
from fimserver.values import CursorContext

_WORD = re.compile(r"[^\W\d]\w*")

# `shelf.pu‸`, `self->pu‸`, `Shelf::pu‸`: what is asked, and the beginning of its answer.
_ASKED = re.compile(r"(?:([^\W\d]\w*)\s*(?:\([^()]*\)|\[[^\[\]]*\])?\s*(?:\.|\?\.|->|::)\s*)?([^\W\d]\w*)?\Z")

# `shelf.put`, and both halves of `shelf.put.book`.
_ATTRIBUTE = re.compile(r"([^\W\d]\w*)\s*(?:\.|::|->)\s*(?=([^\W\d]\w*))")

# Of a longer line only the end is looked at.
_LONGEST_ASKED = 120

# Lines this far from the cursor still say something about it; each `_HALF_LINES` lines away it is half as much.
_FARTHEST_LINES = 80
_HALF_LINES = 10

# What the headers of the enclosing definitions say, however far above they stand: base classes, parameters' types.
_HEADER_CLOSENESS = 0.8


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """What a compiler, a linter or a language server says of a line, counted from 0."""

    line: int
    message: str


@dataclass(frozen=True, slots=True)
class Query:
    """What is known at a cursor before any other file is read."""

    context: CursorContext
    path: Path | None
    facts: Facts
    imports: tuple[Import, ...]
    closeness: Mapping[str, float]  # of each word near the cursor, 0 to 1
    counts: Mapping[str, int]  # of each word in the whole text, import statements apart
    attributes: Mapping[
        str, AbstractSet[str]
    ]  # of each word, what stands behind it: "put" in `shelf.put`, `Shelf::put`
    receivers: frozenset[str]  # "shelf" in `shelf.pu‸`, and the types it may have
    typed: str  # "pu" in `shelf.pu‸`
    own: frozenset[str]  # names this text defines itself
    ring: Ring  # the places edited last
    diagnostics: Sequence[Diagnostic] = ()  # what is said of the document

    @property
    def language(self) -> str:
        """The language's id."""
        return self.facts.language


def query_at(
    context: CursorContext,
    path: Path | None,
    facts: Facts,
    ring: Ring = (),
    diagnostics: Sequence[Diagnostic] = (),
) -> Query:
    """Return the query of a cursor. `facts` are those of the document's text."""
    asked = _ASKED.search(context.line_prefix[-_LONGEST_ASKED:])
    statements = " ".join(facts.outline.imports)
    return Query(
        context=context,
        path=path,
        facts=facts,
        imports=imports_of(facts.outline.imports, facts.language),
        closeness=_closeness(context, facts),
        counts=Counter(_WORD.findall(facts.text)) - Counter(_WORD.findall(statements)),
        attributes=_attributes(facts.text),
        receivers=_receivers(asked[1], context, facts) if asked and asked[1] else frozenset(),
        typed=(asked[2] or "") if asked else "",
        own=frozenset(name for definition in facts.outline.definitions for name in definition.names),
        ring=ring,
        diagnostics=diagnostics,
    )


def _attributes(text: str) -> Mapping[str, AbstractSet[str]]:
    attributes: dict[str, set[str]] = {}
    for found in _ATTRIBUTE.finditer(text):
        attributes.setdefault(found[1], set()).add(found[2])
    return attributes


def _receivers(receiver: str, context: CursorContext, facts: Facts) -> frozenset[str]:
    """Return a receiver and the words that may name its type: `shelf: Shelf`, `Shelf *shelf`, `shelf = Shelf(`."""
    if receiver in OWN_INSTANCE:
        return frozenset(word for text, _ in _headers(context, facts) for word in _WORD.findall(text)) | {receiver}
    name = re.escape(receiver)
    behind = rf"\b{name}\s{{0,2}}(?::=|[:=])\s{{0,2}}(?:new\s|await\s|&|\*|mut\s){{0,3}}([\w.:]+)"
    before = rf"\b(\w+)>?[ \t*&$]{{1,4}}{name}\b"
    after = rf"\b{name}[ \t]+[*&]?(?:\[\])?([\w.]+)" if facts.language == "go" else before
    typed = re.findall(f"{behind}|{before}|{after}", facts.text)
    return frozenset(word for pair in typed for text in pair for word in _WORD.findall(text)) | {receiver}


OWN_INSTANCE = frozenset({"self", "this", "cls", "super"})


def _closeness(context: CursorContext, facts: Facts) -> dict[str, float]:
    closeness: dict[str, float] = {}
    for text, weight in (*_headers(context, facts), *_lines_around(context)):
        for word in _WORD.findall(text):
            closeness[word] = max(weight, closeness.get(word, 0.0))
    return closeness


def _lines_around(context: CursorContext) -> Iterator[tuple[str, float]]:
    starts, text = context.document.starts, context.document.text
    first = max(0, context.line - _FARTHEST_LINES)
    last = min(len(starts), context.line + _FARTHEST_LINES + 1)
    for line in range(first, last):
        end = starts[line + 1] if line + 1 < len(starts) else len(text)
        yield text[starts[line] : end], 0.5 ** (abs(line - context.line) / _HALF_LINES)


def _headers(context: CursorContext, facts: Facts) -> Iterator[tuple[str, float]]:
    for definition in facts.outline.definitions:
        if definition.start <= context.offset <= definition.end:
            yield facts.text[definition.start : definition.head_end], _HEADER_CLOSENESS
