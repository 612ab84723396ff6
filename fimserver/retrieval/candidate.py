"""Turn pieces that might stand in a prompt into snippets: the best that fit, one snippet for each file.

A candidate is either the head of a definition (its signature) or a chunk of text. What is chosen of one file is written
in the file's order, and the class a method belongs to is named above it:

    class Shelf:
        def put(self, book: Book) -> None: ...
        def count(self) -> int: ...
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from fimserver.retrieval.facts import Facts
from fimserver.retrieval.recent import NEARLY_THE_SAME, similarity
from fimserver.values import Snippet, Span

# A path and its marks stand before each file's text.
PATH_TOKENS = 12

# A small piece is worth more than a large one with the same score, but not in proportion.
_COST_POWER = 0.5
_LEAST_COST_TOKENS = 12

# Signatures say what can be called, chunks how it is done; a prompt of signatures only would not show the latter.
_SHARE_OF_HEADS = 0.7

# In characters: the first parameters are the ones that are given.
_LONGEST_SIGNATURE = 240

# Words are split about every seven letters and numbers every three digits; marks go in pairs. Counted against real
# vocabularies this is 1.00 to 1.16 times the tokens of StarCoder and Qwen, and 0.8 to 0.9 times those of Llama's.
_TOKEN = re.compile(r"[^\W\d_]{1,7}|\d{1,3}|[^\w\s]{1,2}|_|\n")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A piece of a file. `definition` is its index in the outline where the piece is a head, -1 for a chunk."""

    path: Path
    facts: Facts
    definition: int
    span: Span
    score: float
    source: str


def head(path: Path, facts: Facts, definition: int, score: float, source: str) -> Candidate:
    """Return the candidate that shows how a definition is used."""
    one = facts.outline.definitions[definition]
    return Candidate(path, facts, definition, Span(one.start, one.head_end), score, source)


def estimated_tokens(text: str) -> int:
    """Return about how many tokens a text is.

    >>> estimated_tokens("def put(self, book): ...")
    11
    """
    return len(_TOKEN.findall(text))


@dataclass(slots=True)
class _Chosen:
    """What is chosen of one file so far."""

    facts: Facts
    spans: dict[Span, int] = field(default_factory=dict)  # with the end of the whole, where only a head is shown
    score: float = 0.0
    sources: dict[str, float] = field(default_factory=dict)

    def covers(self, span: Span) -> bool:
        return any(one.start <= span.start and span.end <= one.end for one in self.spans)


# What is chosen of each file. One path has two where the editor's text is not the one the index read.
_Files = dict[tuple[Path, int], _Chosen]


def best_snippets(candidates: Iterable[Candidate], limit_tokens: int, name_of: Callable[[Path], str]) -> list[Snippet]:
    """Return the best candidates that fit, joined to one snippet for each file, the best last.

    Heads get their share first, then chunks what they can use of the rest, then heads again.
    """
    ordered = sorted(candidates, key=_worth, reverse=True)
    heads = [candidate for candidate in ordered if candidate.definition >= 0]
    chunks = [candidate for candidate in ordered if candidate.definition < 0]
    files: _Files = {}
    left = limit_tokens - _fill(files, heads, int(limit_tokens * _SHARE_OF_HEADS))
    left -= _fill(files, chunks, left)
    _fill(files, heads, left)
    snippets = [_snippet(name_of(path), chosen) for (path, _), chosen in files.items()]
    return sorted(snippets, key=lambda snippet: (_STABILITY.get(snippet.source, 1), snippet.score))


def _fill(files: _Files, candidates: Iterable[Candidate], limit_tokens: int) -> int:
    """Take candidates, the best first, as far as they fit; return the tokens they cost."""
    spent = 0
    for candidate in candidates:
        key = candidate.path, id(candidate.facts)
        chosen = files.get(key) or _Chosen(candidate.facts)
        spans = [(span, end) for span, end in _with_holders(candidate) if not chosen.covers(span)]
        cost = sum(_cost_tokens(chosen.facts, span, end) for span, end in spans)
        cost += 0 if key in files else PATH_TOKENS
        if spans and spent + cost <= limit_tokens and not _is_said(candidate, files):
            spent += cost
            files[key] = chosen
            _take(chosen, candidate, dict(spans))
    return spent


# What changes least stands first; 1 where nothing is said.
_STABILITY = {"notes": 0, "recent": 2, "diagnostics": 3}


def _is_said(candidate: Candidate, files: _Files) -> bool:
    """Tell whether a chunk says nearly the same as one that is chosen: a copy, or an older version of it."""
    if candidate.definition >= 0:
        return False
    text = candidate.facts.text[candidate.span.start : candidate.span.end]
    return any(
        similarity(text, chosen.facts.text[span.start : span.end]) > NEARLY_THE_SAME
        for chosen in files.values()
        for span, end in chosen.spans.items()
        if span.end >= end
    )


def _worth(candidate: Candidate) -> float:
    cost = _cost_tokens(candidate.facts, candidate.span, candidate.span.end)
    return candidate.score / float(max(cost, _LEAST_COST_TOKENS) ** _COST_POWER)


def _cost_tokens(facts: Facts, span: Span, end: int) -> int:
    text = facts.text[span.start : span.end]
    return estimated_tokens(_on_fewer_lines(text) if span.end < end else text) + 2


def _take(chosen: _Chosen, candidate: Candidate, spans: dict[Span, int]) -> None:
    for covered in [one for span in spans for one in chosen.spans if span.start <= one.start and one.end <= span.end]:
        del chosen.spans[covered]
    chosen.spans |= spans
    chosen.score = max(chosen.score, candidate.score)
    chosen.sources[candidate.source] = max(candidate.score, chosen.sources.get(candidate.source, 0.0))


def _with_holders(candidate: Candidate) -> list[tuple[Span, int]]:
    """Return a candidate's span after the heads of the classes it stands in."""
    definitions = candidate.facts.outline.definitions
    spans, index = [(candidate.span, candidate.span.end)], -1
    if candidate.definition >= 0:
        spans = [(candidate.span, definitions[candidate.definition].end)]
        index = definitions[candidate.definition].parent
    while index >= 0:
        holder = definitions[index]
        spans.append((Span(holder.start, holder.head_end), holder.end))
        index = holder.parent
    return spans[::-1]


def _snippet(name: str, chosen: _Chosen) -> Snippet:
    spans = sorted(chosen.spans, key=lambda span: (span.start, -span.end))
    following = [*(span.start for span in spans[1:]), len(chosen.facts.text) + 1]
    texts = [_shown(chosen.facts, *each, chosen.spans[each[0]]) for each in zip(spans, following, strict=True)]
    source = max(chosen.sources, key=lambda one: chosen.sources[one])
    return Snippet(name, "\n".join(texts), round(chosen.score, 3), source)


def _shown(facts: Facts, span: Span, next_start: int, end: int) -> str:
    """Return a span's text with its indentation; a head all of whose body is left out ends in a mark."""
    line_start = facts.text.rfind("\n", 0, span.start) + 1
    blanks = facts.text[line_start : span.start]
    text = ("" if blanks.strip() else blanks) + facts.text[span.start : span.end].rstrip()
    if span.end >= end:
        return text
    text = _on_fewer_lines(text)
    return text + _OMITTED.get(text[-1:], "") if end <= next_start else text


def _on_fewer_lines(signature: str) -> str:
    r"""Return a signature without the line breaks inside its brackets.

    >>> _on_fewer_lines("def put(\n    self,\n    book: Book,\n) -> None:")
    'def put(self, book: Book,) -> None:'
    """
    lines = re.sub(r"(?<=,)\s*\n\s*(?![)\]])", " ", re.sub(r"(?<=[(\[])\s*\n\s*|\s*\n\s*(?=[)\]])", "", signature))
    return lines if len(lines) <= _LONGEST_SIGNATURE else lines[:_LONGEST_SIGNATURE].rpartition(" ")[0] + " …"


# How a head goes on whose body is left out: Python's colon, a brace language's parameters or arrow.
_OMITTED = {":": " ...", ")": " {…}", ">": " {…}"}
