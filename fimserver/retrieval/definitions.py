"""The sources that find definitions: by imports, by names near the cursor, by the classes and packages around it."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from fimserver.retrieval.candidate import Candidate, head
from fimserver.retrieval.facts import Facts
from fimserver.retrieval.imports import imports_of
from fimserver.retrieval.likeliness import (
    BY_NAME,
    BY_NAME_AND_UNUSED,
    BY_SEARCH,
    BY_VARIABLE,
    FITS_RECEIVER,
    NEAR,
    OF_BASE,
    OF_MODULE,
    OF_MODULE_AND_USED,
    OF_MODULE_NEAR,
    OF_PACKAGE,
    likeliness,
    popularity_worth,
    with_members,
)
from fimserver.retrieval.outline import Definition
from fimserver.retrieval.project import Project, are_related, family
from fimserver.retrieval.query import OWN_INSTANCE, Query
from fimserver.retrieval.resolve import files_in
from fimserver.retrieval.similar import similar

# Limits of the work for one query.
_MOST_STAR_FILES = 24
_MOST_NAMES_OF_FILE = 400
_MOST_NAMES = 60
_MOST_VARIABLES = 24
_MOST_ANCESTORS = 3

# A name that more files define is too common to say which is meant.
_MOST_DEFINERS = 4

# What a name in a place like the cursor's is worth, as a part of what that place is worth.
_ECHO = 0.3

_NAME = re.compile(r"[^\W\d]\w{2,}")
_CLASS_HEADER = re.compile(r"(?:(?:@|#?\[)[^\n]*\n\s*)*(?:[a-z]+\s+)*(?:class|interface|struct|impl|trait|record)\b")

# Languages in which the files of a folder see each other's names without an import.
_PACKAGE_ENDINGS = {
    "go": (".go", "_test.go"),
    "java": (".java", "Test.java"),
    "csharp": (".cs", "Tests.cs"),
    "php": (".php", "Test.php"),
}


def imported(query: Query, project: Project) -> Iterator[Candidate]:
    """Yield what the document imports: named things, members of modules, all that is behind a `*` or an include."""
    if query.path is None:
        return
    for wanted in query.imports:
        files = project.files_of(wanted, query.path, query.language)
        for there, here in wanted.names:
            found = list(project.sites(wanted, there, query.path, query.language))
            way = BY_NAME if query.counts.get(here) else BY_NAME_AND_UNUSED
            for path, facts, index in found:
                yield from with_members(query, path, facts, index, way, here, "imports")
            if not found:
                modules = [file for file in files if there in (file.stem, file.parent.name)]
                yield from _of_modules(query, project, modules, here)
        if wanted.local or wanted.star:
            files = _with_included(files, project) if family(query.language) == "c" else files
            yield from _of_modules(query, project, files, wanted.local)


def _with_included(files: Sequence[Path], project: Project) -> list[Path]:
    """Return headers and those they include, nearest first."""
    found = dict.fromkeys(files)
    waiting = list(files)
    while waiting and len(found) < _MOST_STAR_FILES:
        path = waiting.pop(0)
        facts = project.facts(path)
        for wanted in imports_of(facts.outline.imports, facts.language) if facts else ():
            fresh = [file for file in project.files_of(wanted, path, "c") if file not in found]
            found.update(dict.fromkeys(fresh))
            waiting += fresh
    return list(found)


def _of_modules(query: Query, project: Project, files: Sequence[Path], alias: str) -> Iterator[Candidate]:
    """Yield the definitions of modules that go by an alias here, or by "" where their names are in scope."""
    attributes = query.attributes.get(alias, frozenset()) if alias else frozenset(query.counts) - query.own
    near = query.closeness.get(alias, 0.0) if alias else 0.0
    for path, facts, popular in _all_of(files, project):
        for index, one in enumerate(facts.outline.definitions):
            used = not attributes.isdisjoint(one.names)
            if one.names and (used or one.parent < 0):
                way = OF_MODULE_AND_USED if used else OF_MODULE + OF_MODULE_NEAR * near
                way += popularity_worth(popular.get(one.names[0], 0))
                way += FITS_RECEIVER if alias in query.receivers else 0.0
                yield from with_members(query, path, facts, index, way, one.names[0], "imports")


def _all_of(files: Sequence[Path], project: Project) -> Iterator[tuple[Path, Facts, dict[str, int]]]:
    """Yield the facts of files, and how popular the names are that they define."""
    for path in files[:_MOST_STAR_FILES]:
        facts = project.facts(path)
        if facts is not None:
            names = [one.names[0] for one in facts.outline.definitions if one.names]
            yield path, facts, project.popularity(names[:_MOST_NAMES_OF_FILE])


def searched(query: Query, project: Project) -> Iterator[Candidate]:
    """Yield definitions of the names near the cursor, and of those that similar places use, found by the index."""
    echoes = _echoes(query, project)
    wanted = {**echoes, **{name: NEAR * near for name, near in query.closeness.items()}}
    names = sorted((name for name in wanted if name not in query.own and len(name) > 2), key=lambda name: -wanted[name])
    for name in names[:_MOST_NAMES]:
        for path, facts, index, share in _found(name, query, project):
            one = facts.outline.definitions[index]
            way = BY_SEARCH * share + echoes.get(name, 0.0)
            way += FITS_RECEIVER if one.owner in query.receivers else 0.0
            yield head(path, facts, index, likeliness(query, one.names, way), "symbols")


def _echoes(query: Query, project: Project) -> dict[str, float]:
    """Return the names that places similar to the cursor's use, with what that is worth."""
    echoes: dict[str, float] = {}
    for candidate in similar(query, project):
        text = candidate.facts.text[candidate.span.start : candidate.span.end]
        for name in _NAME.findall(text):
            echoes[name] = max(echoes.get(name, 0.0), _ECHO * candidate.score)
    return echoes


def instances(query: Query, project: Project) -> Iterator[Candidate]:
    """Yield the classes that variables near the cursor are named after, with their members: `shelf` for `Shelf`."""
    near = {**query.closeness, **dict.fromkeys(query.receivers, 1.0)}
    for word in sorted(near, key=lambda word: -near[word])[:_MOST_VARIABLES]:
        class_name = "".join(part[:1].upper() + part[1:] for part in word.split("_"))
        for path, facts, index, share in _found(class_name, query, project):
            yield from with_members(query, path, facts, index, BY_VARIABLE * share, word, "variables")


def inherited(query: Query, project: Project) -> Iterator[Candidate]:
    """Yield the members of the classes that the class around the cursor is made from, and of theirs."""
    definitions = query.facts.outline.definitions
    around = [one for one in definitions if one.start <= query.context.offset <= one.end]
    waiting = [(name, 0) for one in around for name in _header_names(query.facts, one)]
    seen = set(query.own)
    while waiting:
        name, distance = waiting.pop(0)
        if name in seen or distance > _MOST_ANCESTORS:
            continue
        seen.add(name)
        for path, facts, index, share in _found(name, query, project):
            here = next(iter(query.receivers & OWN_INSTANCE), name)
            yield from with_members(query, path, facts, index, OF_BASE * share, here, "inherited")
            waiting += [(base, distance + 1) for base in _header_names(facts, facts.outline.definitions[index])]


def _header_names(facts: Facts, one: Definition) -> list[str]:
    """Return the names in a class's header; a function's header names no ancestors."""
    text = facts.text[one.start : one.head_end]
    return _NAME.findall(text) if _CLASS_HEADER.match(text) else []


def _found(name: str, query: Query, project: Project) -> Iterator[tuple[Path, Facts, int, float]]:
    """Yield where a name is defined in the workspace, and the share each place has in it; nothing for a common name."""
    files = [path for path in project.defining(name) if are_related(query.path, query.language, path)]
    for path in files if len(files) <= _MOST_DEFINERS else ():
        facts = project.facts(path)
        for index, one in enumerate(facts.outline.definitions if facts else ()):
            if facts is not None and name in one.names:
                yield path, facts, index, 1 / len(files)


def same_package(query: Query, project: Project) -> Iterator[Candidate]:
    """Yield the definitions of the files next to the document, where they need no import."""
    if query.path is None or query.language not in _PACKAGE_ENDINGS:
        return
    ending, tests = _PACKAGE_ENDINGS[query.language]
    own_is_test = query.path.name.endswith(tests)
    files = files_in(query.path.parent, ending, without="\0" if own_is_test else tests)
    for path, facts, popular in _all_of([path for path in files if path != query.path], project):
        for index, one in enumerate(facts.outline.definitions):
            if one.names:
                way = OF_PACKAGE + popularity_worth(popular.get(one.names[0], 0))
                way += FITS_RECEIVER if one.owner in query.receivers else 0.0
                yield head(path, facts, index, likeliness(query, one.names, way), "package")
