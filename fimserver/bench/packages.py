"""Turn a package into what each of its files defines, imports and binds."""

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fimserver.retrieval.exclude import Exclusions
from fimserver.retrieval.facts import Facts, facts_of
from fimserver.retrieval.imports import Import, imports_of
from fimserver.retrieval.places import read_source
from fimserver.retrieval.project import family, language_of
from fimserver.retrieval.scan import found_files
from fimserver.settings import ContextSettings

_ASSIGNED = re.compile(r"(?:\.|->)([^\W\d]\w*)\s*(?::[^=\n]+)?=(?!=)")
_ASSIGNED_NAME = re.compile(r"\b([^\W\d]\w*)\s{0,2}(?::[^=\n]{1,80})?=(?!=)")
_PARAMETER = re.compile(r"[(,]\s{0,2}([^\W\d]\w*)(?=\s{0,2}[,)=:])")


@dataclass(frozen=True, slots=True)
class Package:
    """A folder of source files, read."""

    root: Path
    facts: Mapping[str, Facts]
    defined_in: Mapping[tuple[str, str], frozenset[str]]  # (family of languages, name) → the files that define it
    assigned: frozenset[str]  # members that are assigned somewhere


@dataclass(frozen=True, slots=True)
class File:
    """One file of a package, and what its names may mean."""

    package: Package
    path: str
    facts: Facts
    imports: tuple[Import, ...]
    by_name: Mapping[str, str]  # a name here → the name it was imported as
    own: frozenset[str]  # names it defines
    bound: frozenset[str]  # names of variables and parameters

    @classmethod
    def of(cls, package: Package, path: str) -> "File":
        """Return a file of a package, by its path there."""
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


def read_package(root: Path) -> Package:
    """Read every source file of a folder that the product itself would read."""
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
    return Package(root, facts, {name: frozenset(paths) for name, paths in defined_in.items()}, assigned)
