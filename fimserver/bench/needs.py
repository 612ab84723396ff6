"""Find the names in a file that exactly one other file of its package defines, and how the text reaches them.

Names in strings and comments do not count, nor do members that a standard type also has, nor those that are assigned
somewhere: which `x.name` means cannot be told there without types.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fimserver.bench.packages import File
from fimserver.bench.standard_members import STANDARD_MEMBERS
from fimserver.retrieval.facts import Facts
from fimserver.retrieval.imports import Import
from fimserver.retrieval.project import family
from fimserver.syntax.languages import language_named
from fimserver.syntax.tree import parse_text
from fimserver.values import Span

# A shorter name stands for something else too often.
_SHORTEST_NAME = 4

_NAME = re.compile(rf"\b[^\W\d]\w{{{_SHORTEST_NAME - 1},}}\b")
# `shelf.`: what a name may be a member of.
_BEFORE = re.compile(r"([^\W\d]\w*)?\s*(\.|\?\.|->|::)\s*\Z")
_LONGEST_BEFORE = 80
_IMPORTING = re.compile(r"\s*(?:import|from|use|#\s*include|package|export .*from|\}? ?from|(?:global )?using)\b")

# Languages in which a bare name may come from another file without being imported by name.
_SHARED_SCOPE = frozenset({"go", "java", "c", "cpp", "csharp", "php", "rust"})


@dataclass(frozen=True, slots=True)
class Need:
    """A name that is needed at an offset, the file that defines it, and the way to it."""

    offset: int
    name: str
    defined_in: str
    way: str  # "imported", "module", "member" or "scope"


def needs_of(file: File) -> list[Need]:
    """Return what a file needs of others, in the order of the text."""
    uses = [use for use in _uses(_code_only(file.facts)) if use.name not in file.own]
    return [need for use in uses if (need := _need(file, use))]


@dataclass(frozen=True, slots=True)
class _Use:
    """A name in a text: `before` and `mark` are "shelf" and "." in `shelf.put`."""

    before: str
    mark: str
    name: str
    offset: int


def _uses(code: str) -> Iterator[_Use]:
    for found in _NAME.finditer(code):
        before = _BEFORE.search(code, max(0, found.start() - _LONGEST_BEFORE), found.start())
        yield _Use((before[1] or "") if before else "", before[2] if before else "", found[0], found.start())


def _need(file: File, use: _Use) -> Need | None:
    """Return what a use of a name needs from another file, if it does."""
    name = use.name if use.mark else file.by_name.get(use.name, use.name)
    others = file.package.defined_in.get((family(file.facts.language), name), frozenset())
    if len(others) != 1 or file.path in others:
        return None
    (other,) = others
    way = _way(file, use, other)
    return Need(use.offset, name, other, way) if way else None


def _way(file: File, use: _Use, defined_in: str) -> str:
    """Say how a name is reached; "" where that cannot be told."""
    text = file.facts.text
    line = text[text.rfind("\n", 0, use.offset) + 1 : use.offset]
    if _IMPORTING.match(line) or "require(" in line:
        return ""
    if not use.mark and use.name not in file.by_name:
        known = use.name in file.bound or use.name in STANDARD_MEMBERS
        return "scope" if file.facts.language in _SHARED_SCOPE and not known else ""
    alias = use.before if use.mark else use.name
    modules = [one for one in file.imports if alias and alias in (one.local, *(here for _, here in one.names))]
    if modules:
        reached = any(_may_lead_to(one, defined_in, file.package.root.name) for one in modules)
        return ("module" if use.mark else "imported") if reached else ""
    return "" if use.name in STANDARD_MEMBERS or use.name in file.package.assigned else "member"


def _may_lead_to(wanted: Import, defined_in: str, package: str) -> bool:
    """Tell an import of the package's own from a library's that happens to have such a name."""
    parts = re.split(r"[./:@\\]+", wanted.module)
    own = set(re.split(r"[/.]", defined_in))
    return package in parts or wanted.module.startswith(".") or not own.isdisjoint({parts[-1], *dict(wanted.names)})


def _code_only(facts: Facts) -> str:
    """Return the text with its strings and comments blanked."""
    language = language_named(facts.language)
    tree = parse_text(facts.text, language) if language else None
    if tree is None or language is None:
        return ""
    blanked, waiting = [], [tree.root]
    while waiting:
        node = waiting.pop()
        if node.type in language.strings or node.type in language.comments:
            blanked.append(tree.span(node))
        else:
            waiting.extend(node.children)
    for statement in facts.outline.imports:
        at = facts.text.find(statement)
        blanked.append(Span(at, at + len(statement)))
    return "".join(_with_blanks(facts.text, sorted(blanked, key=lambda span: span.start)))


def _with_blanks(text: str, blanked: Sequence[Span]) -> Iterator[str]:
    end = 0
    for span in blanked:
        yield text[end : span.start]
        yield re.sub(r"[^\n]", " ", text[max(span.start, end) : span.end])
        end = max(end, span.end)
    yield text[end:]
