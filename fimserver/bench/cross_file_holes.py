"""Cut holes whose answer is defined in another file of the same package.

The cursor stands where a line uses a name that exactly one other file of the package defines, and the rest of the line
is gone. Half of the cursors stand at the line's first character, where nothing of the line is known, and half directly
before the name.
"""

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fimserver.bench.needs import Need, needs_of
from fimserver.bench.packages import File, Package, read_package
from fimserver.retrieval.facts import Facts

# No file speaks for its package.
_MOST_HOLES_PER_FILE = 6


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


def cut_cross_file_holes(root: Path, count: int, *, seed: int = 0) -> list[Hole]:
    """Return up to `count` holes of a package, the same for the same seed."""
    chance = random.Random(f"{seed} {root.name}")  # noqa: S311  (chooses cases, guards nothing)
    package = read_package(root)
    holes = [hole for path in sorted(package.facts) for hole in _some_holes(package, path, chance)]
    return chance.sample(holes, min(count, len(holes)))


def _some_holes(package: Package, path: str, chance: random.Random) -> list[Hole]:
    file = File.of(package, path)
    needs = needs_of(file)
    chosen = chance.sample(needs, min(len(needs), _MOST_HOLES_PER_FILE))
    holes = [_hole(file, need, at_line_start=chance.random() < 0.5) for need in chosen]
    return [hole for hole in holes if hole.heads]  # none where the definition is too long to show the name


def _hole(file: File, need: Need, *, at_line_start: bool) -> Hole:
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
