"""Cut holes whose answer is defined in another file of the same package.

The cursor stands where a line uses a name that exactly one other file of the package defines, and the rest of the line
is gone. Half of the cursors stand at the line's first character, where nothing of the line is known, and half directly
before the name. Names in strings and comments do not count, nor do members that a standard type also has, nor those
that are assigned somewhere: which `x.name` means cannot be told there without types.
"""

import builtins
import collections
import io
import os
import random
import re
import sys
import typing
from argparse import ArgumentParser
from asyncio import AbstractEventLoop, Future
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from logging import Logger
from pathlib import Path
from socket import socket
from subprocess import Popen
from threading import Event, Thread

from fimserver.retrieval.exclude import Exclusions
from fimserver.retrieval.facts import Facts, facts_of
from fimserver.retrieval.imports import Import, imports_of
from fimserver.retrieval.places import read_source
from fimserver.retrieval.project import family, language_of
from fimserver.retrieval.scan import found_files
from fimserver.settings import ContextSettings
from fimserver.syntax.languages import language_named
from fimserver.syntax.tree import parse_text
from fimserver.values import Span

# A shorter name stands for something else too often.
_SHORTEST_NAME = 4

# No file speaks for its package.
_MOST_HOLES_PER_FILE = 6

_NAME = re.compile(rf"\b[^\W\d]\w{{{_SHORTEST_NAME - 1},}}\b")
# `shelf.`: what a name may be a member of.
_BEFORE = re.compile(r"([^\W\d]\w*)?\s*(\.|\?\.|->|::)\s*\Z")
_LONGEST_BEFORE = 80
_ASSIGNED = re.compile(r"(?:\.|->)([^\W\d]\w*)\s*(?::[^=\n]+)?=(?!=)")

# Languages in which a bare name may come from another file without being imported by name.
_SHARED_SCOPE = frozenset({"go", "java", "c", "cpp", "rust"})

# Members of the standard types of several languages, beside Python's own, which are asked for theirs.
_STANDARD_TYPES = (
    *(
        str,
        bytes,
        list,
        dict,
        set,
        int,
        float,
        Exception,
        Path,
        re.Match,
        re.Pattern,
        builtins,
        datetime,
        Logger,
        Popen,
    ),
    *(io.TextIOWrapper, io.BytesIO, Thread, Event, ContextVar, ArgumentParser, socket, Future, AbstractEventLoop),
    *(typing, os, os.path, sys, collections),
)
_STANDARD_MEMBERS = frozenset(name for standard in _STANDARD_TYPES for name in dir(standard)).union(
    re.findall(
        r"\w+",
        """
        Arc Box Close Err Error HashMap HashSet None Ok Option PathBuf Rc Read Result Self Some String Vec Write
        abort aborted addEventListener address append apply arrayBuffer assert assert_eq assign begin bind blob
        body bool buffer byteLength byteOffset c_str call cancel catch cfg charAt charCodeAt charset
        clearTimeout clone collect concat constructor contains containsKey create currentTarget data
        debug_assert delete derive detail dispatchEvent emit emplace_back empty encoding endsWith entries equals
        error every exec exit expect exports filter finally find findIndex flat flatMap forEach format freeze
        from fromEntries getClass getReader has hasOwnProperty hash hashCode headers host hostname href includes
        indexOf insert into isArray isEmpty iter iterator join json keys kill length listen localeCompare match
        matches message method name next normalize now once origin padEnd padStart panic parse pathname
        performance pid pipe port preventDefault println protocol prototype push push_back reduce reject
        releaseLock removeEventListener removeListener repeat replace resolve reverse search send setTimeout
        shift signal size slice socket some sort splice stack startsWith status stderr stdout stringify substr
        substring target test then toFixed toJSON toLowerCase toString toUpperCase todo trim trimEnd trimStart
        type unimplemented unreachable unshift unwrap url valueOf values vec warn write
        """,
    )
)


@dataclass(frozen=True, slots=True)
class Hole:
    """A text with a cursor, and the name that is needed there. Paths are relative to the package."""

    package: Path
    path: str
    language: str
    text: str  # without the rest of the cursor's line
    offset: int
    rest: str  # what is gone of the cursor's line
    name: str
    defined_in: str
    heads: tuple[str, ...]  # the lines of that file that define the name
    way: str  # how the text reaches the name: "imported", "module", "member" or "scope"
    at_line_start: bool


@dataclass(frozen=True, slots=True)
class _Package:
    root: Path
    facts: Mapping[str, Facts]
    defined_in: Mapping[tuple[str, str], frozenset[str]]  # (family of languages, name) → the files that define it
    assigned: frozenset[str]  # members that are assigned somewhere


def cut_cross_file_holes(root: Path, count: int, *, seed: int = 0) -> list[Hole]:
    """Return up to `count` holes of a package, the same for the same seed."""
    chance = random.Random(f"{seed} {root.name}")  # noqa: S311  (chooses cases, guards nothing)
    package = _read_package(root)
    holes = [hole for path in sorted(package.facts) for hole in _some_holes(package, path, chance)]
    return chance.sample(holes, min(count, len(holes)))


def _read_package(root: Path) -> _Package:
    exclusions = Exclusions((root,), ContextSettings())
    facts: dict[str, Facts] = {}
    defined_in: dict[tuple[str, str], set[str]] = defaultdict(set)
    for found in found_files(root, exclusions):
        language = language_of(root / found.name) if found else ""
        if found is None or not language or exclusions.excluded(root / found.name):
            continue
        facts[found.name] = facts_of(read_source(root / found.name), language)
        for definition in facts[found.name].outline.definitions:
            for name in definition.names:
                defined_in[family(language), name].add(found.name)
    assigned = frozenset(name for one in facts.values() for name in _ASSIGNED.findall(one.text))
    return _Package(root, facts, {name: frozenset(paths) for name, paths in defined_in.items()}, assigned)


@dataclass(frozen=True, slots=True)
class _File:
    """One file of a package, and what its names may mean."""

    package: _Package
    path: str
    facts: Facts
    imports: tuple[Import, ...]
    by_name: Mapping[str, str]  # a name here → the name it was imported as
    own: frozenset[str]  # names it defines
    bound: frozenset[str]  # names of variables and parameters

    @classmethod
    def of(cls, package: _Package, path: str) -> "_File":
        facts = package.facts[path]
        imports = imports_of(facts.outline.imports, facts.language)
        return cls(
            package,
            path,
            facts,
            imports,
            by_name={here: there for one in imports for there, here in one.names},
            own=frozenset(name for one in facts.outline.definitions for name in one.names),
            bound=frozenset(_ASSIGNED_NAME.findall(facts.text)) | frozenset(_PARAMETER.findall(facts.text)),
        )


_ASSIGNED_NAME = re.compile(r"\b([^\W\d]\w*)\s{0,2}(?::[^=\n]{1,80})?=(?!=)")
_PARAMETER = re.compile(r"[(,]\s{0,2}([^\W\d]\w*)(?=\s{0,2}[,)=:])")


def _some_holes(package: _Package, path: str, chance: random.Random) -> list[Hole]:
    file = _File.of(package, path)
    uses = [use for use in _uses(_code_only(file.facts)) if use.name not in file.own]
    needs = [need for use in uses if (need := _need(file, use))]
    chosen = chance.sample(needs, min(len(needs), _MOST_HOLES_PER_FILE))
    holes = [_hole(file, need, at_line_start=chance.random() < 0.5) for need in chosen]
    return [hole for hole in holes if hole.heads]  # none where the definition is too long to show the name


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


@dataclass(frozen=True, slots=True)
class _Need:
    offset: int
    name: str
    defined_in: str
    way: str


def _need(file: _File, use: _Use) -> _Need | None:
    """Return what a use of a name needs from another file, if it does."""
    name = use.name if use.mark else file.by_name.get(use.name, use.name)
    others = file.package.defined_in.get((family(file.facts.language), name), frozenset())
    if len(others) != 1 or file.path in others:
        return None
    (other,) = others
    way = _way(file, use, other)
    return _Need(use.offset, name, other, way) if way else None


def _way(file: _File, use: _Use, defined_in: str) -> str:
    """Say how a name is reached; "" where that cannot be told."""
    text = file.facts.text
    line = text[text.rfind("\n", 0, use.offset) + 1 : use.offset]
    if _IMPORTING.match(line) or "require(" in line:
        return ""
    if not use.mark and use.name not in file.by_name:
        known = use.name in file.bound or use.name in _STANDARD_MEMBERS
        return "scope" if file.facts.language in _SHARED_SCOPE and not known else ""
    alias = use.before if use.mark else use.name
    modules = [one for one in file.imports if alias and alias in (one.local, *(here for _, here in one.names))]
    if modules:
        reached = any(_may_lead_to(one, defined_in, file.package.root.name) for one in modules)
        return ("module" if use.mark else "imported") if reached else ""
    return "" if use.name in _STANDARD_MEMBERS or use.name in file.package.assigned else "member"


def _may_lead_to(wanted: Import, defined_in: str, package: str) -> bool:
    """Tell an import of the package's own from a library's that happens to have such a name."""
    parts = re.split(r"[./:@]+", wanted.module)
    own = set(re.split(r"[/.]", defined_in))
    return package in parts or wanted.module.startswith(".") or not own.isdisjoint({parts[-1], *dict(wanted.names)})


_IMPORTING = re.compile(r"\s*(?:import|from|use|#\s*include|package|export .*from|\}? ?from)\b")


def _hole(file: _File, need: _Need, *, at_line_start: bool) -> Hole:
    facts, other = file.facts, file.package.facts[need.defined_in]
    line_start = facts.text.rfind("\n", 0, need.offset) + 1
    line_end = facts.text.find("\n", need.offset)
    line = facts.text[line_start : need.offset]
    offset = line_start + len(line) - len(line.lstrip()) if at_line_start else need.offset
    line_end = line_end if line_end >= 0 else len(facts.text)
    return Hole(
        package=file.package.root,
        path=file.path,
        language=facts.language,
        text=facts.text[:offset] + facts.text[line_end:],
        offset=offset,
        rest=facts.text[offset:line_end],
        name=need.name,
        defined_in=need.defined_in,
        heads=tuple(_defining_lines(other, need.name)),
        way=need.way,
        at_line_start=at_line_start,
    )


def _defining_lines(facts: Facts, name: str) -> Iterator[str]:
    """Yield the lines of a text on which a name stands in its own definition."""
    for one in facts.outline.definitions:
        found = (
            re.search(rf"\b{re.escape(name)}\b", facts.text[one.start : one.head_end]) if name in one.names else None
        )
        if found is not None:
            at = one.start + found.start()
            line_end = facts.text.find("\n", at)
            end = min(one.head_end, line_end if line_end >= 0 else one.head_end)
            yield facts.text[max(one.start, facts.text.rfind("\n", 0, at) + 1) : end].strip()


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
