"""The sources of context: each turns a query into candidates from one kind of place.

A source is a function of the query and the project; to add one is to add a row to `SOURCES`.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from fimserver.errors import FileUnsuitable
from fimserver.retrieval.candidate import Candidate, head
from fimserver.retrieval.definitions import imported, inherited, instances, same_package, searched
from fimserver.retrieval.facts import Facts
from fimserver.retrieval.likeliness import OF_PARTNER, OF_VISITED, likeliness
from fimserver.retrieval.outline import Outline
from fimserver.retrieval.partners import partners
from fimserver.retrieval.places import read_source
from fimserver.retrieval.project import Project, are_related
from fimserver.retrieval.query import Query
from fimserver.retrieval.recent import Place
from fimserver.retrieval.similar import similar
from fimserver.uris import path_of
from fimserver.values import Span

Source = Callable[[Query, Project], Iterator[Candidate]]

# The place edited last is worth this, each one before it less.
_EDITED_LAST = 0.9
_EDITED_BEFORE = 0.07

# What stands so near the cursor is in the prompt anyway.
_IN_SIGHT_LINES = 100

_MOST_VISITED = 4

# What is said of lines so near may be what the user is about to mend.
_DIAGNOSED = 0.8
_DIAGNOSED_LINES = 20
_MOST_DIAGNOSTICS = 4
_LONGEST_DIAGNOSTIC = 200

# What the user wrote for the model to know, if asked for, comes before all else.
NOTES = Path(".fimserver") / "context.md"
_NOTED = 3.0
_LONGEST_NOTES = 4_000


def recent(query: Query, project: Project) -> Iterator[Candidate]:
    """Yield the places edited last, the current one apart."""
    elsewhere = [place for place in reversed(query.ring) if not _in_sight(place, query)]
    for age, place in enumerate(elsewhere):
        path = path_of(place.uri)
        if path is not None and project.allows(path) and age * _EDITED_BEFORE < _EDITED_LAST:
            yield _chunk(path.resolve(), place.text, _EDITED_LAST - age * _EDITED_BEFORE, "recent")


def _in_sight(place: Place, query: Query) -> bool:
    same = place.uri == query.context.document.uri
    return same and place.first - _IN_SIGHT_LINES <= query.context.line <= place.last + _IN_SIGHT_LINES


def visited(query: Query, project: Project) -> Iterator[Candidate]:
    """Yield what the files looked at last define."""
    related = [path for path in project.latest_documents() if are_related(query.path, query.language, path)]
    for path in related[:_MOST_VISITED]:
        yield from _heads(path, query, project, OF_VISITED, "visited")


def partnered(query: Query, project: Project) -> Iterator[Candidate]:
    """Yield what the document's test or implementation, header or source defines."""
    for path in partners(query.path, project.named) if query.path else ():
        yield from _heads(path, query, project, OF_PARTNER, "partner")


def _heads(path: Path, query: Query, project: Project, way: float, source: str) -> Iterator[Candidate]:
    facts = project.facts(path)
    for index, one in enumerate(facts.outline.definitions if facts else ()):
        if facts is not None and one.names:
            yield head(path, facts, index, likeliness(query, one.names, way), source)


def diagnosed(query: Query, project: Project) -> Iterator[Candidate]:
    """Yield what is said of the lines around the cursor, where the editor tells."""
    near = [one for one in query.diagnostics if abs(one.line - query.context.line) <= _DIAGNOSED_LINES]
    if near and query.path is not None and project.allows(query.path):
        lines = [f"line {one.line + 1}: {one.message.split(chr(10), 1)[0]}"[:_LONGEST_DIAGNOSTIC] for one in near]
        yield _chunk(query.path, "\n".join(lines[:_MOST_DIAGNOSTICS]), _DIAGNOSED, "diagnostics")


def notes(query: Query, project: Project) -> Iterator[Candidate]:
    """Yield the project's notes, where the user's settings ask for them."""
    for root in project.roots if project.notes else ():
        if query.path is not None and query.path.is_relative_to(root) and project.allows(root / NOTES):
            try:
                text = read_source(root / NOTES)
            except FileUnsuitable:
                continue
            yield _chunk(root / NOTES, text[:_LONGEST_NOTES], _NOTED, "notes")


def _chunk(path: Path, text: str, score: float, source: str) -> Candidate:
    return Candidate(path, Facts(text, "", Outline(), ()), -1, Span(0, len(text)), score, source)


SOURCES: Mapping[str, Source] = {
    "notes": notes,
    "imports": imported,
    "symbols": searched,
    "variables": instances,
    "inherited": inherited,
    "package": same_package,
    "partner": partnered,
    "visited": visited,
    "similar": similar,
    "recent": recent,
    "diagnostics": diagnosed,
}
