"""Turn holes in packages into lines the model writes with and without pieces of other files, and those into figures.

    none                 nothing of other files
    all                  what the server would send
    only X, without X    with some of the sources

A cross-file hole is answered rightly where the line has the name it needs. In-file holes tell whether what is read of
other files does harm where it is not needed: there the whole line must be right.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fimserver.bench.cases import Case, cut_holes
from fimserver.bench.cross_file_holes import Hole, cut_cross_file_holes
from fimserver.bench.metrics import Share, exact, mcnemar
from fimserver.complete.pace import CHARACTERS_PER_TOKEN
from fimserver.context.anchor import fresh_anchor, typed_since
from fimserver.context.cursor import look_around
from fimserver.context.window import Budget
from fimserver.engine.interface import Engine, GenerateRequest, Prompt
from fimserver.prompt.fim import fim_prompt
from fimserver.prompt.profile import Profile
from fimserver.retrieval.candidate import Candidate, best_snippets
from fimserver.retrieval.exclude import Exclusions
from fimserver.retrieval.search import Searcher
from fimserver.retrieval.sources import SOURCES
from fimserver.settings import CompletionSettings, ContextSettings
from fimserver.values import CursorContext, Document, Snippet

NONE, ALL = "none", "all"

_LINE_TOKENS = 48

_NAME = re.compile(r"[^\W\d]\w*")


@dataclass(frozen=True, slots=True)
class Written:
    """What the model wrote for one hole with some sources. `name` is what the line needs, "" in an in-file hole."""

    package: str
    language: str
    sources: str
    name: str
    wanted: str
    text: str

    @property
    def has_name(self) -> bool:
        """Whether the line has the name it needs; of an in-file hole, all names that were there."""
        needed = [self.name] if self.name else _NAME.findall(self.wanted)
        return set(needed) <= set(_NAME.findall(self.text))

    @property
    def is_exact(self) -> bool:
        """Whether the line is the one that was there."""
        return exact(self.text, self.wanted)


@dataclass(frozen=True, slots=True)
class Measure:
    """How to ask: the model, its profile, and how much of its prompt is this file and how much others."""

    engine: Engine
    profile: Profile
    window_tokens: int
    snippet_tokens: int


async def measure_package(measure: Measure, root: Path, count: int, *, seed: int = 0) -> list[Written]:
    """Return what the model writes in `count` cross-file holes and as many in-file holes of a package.

    `root` is the package's folder, links resolved.
    """
    searcher = Searcher((root,), Exclusions((root,), ContextSettings()), notes=False)
    for _ in searcher.project.refresh():
        pass
    written: list[Written] = []
    for hole in cut_cross_file_holes(root, count, seed=seed):
        written += await _cross_file(measure, hole, searcher)
    for case in cut_holes(root, count, seed=seed):
        written += await _in_file(measure, case, root, searcher)
    searcher.project.close()
    return written


async def _cross_file(measure: Measure, hole: Hole, searcher: Searcher) -> list[Written]:
    document = Document.of(hole.text, uri=(hole.package / hole.path).as_uri(), language=hole.language)
    context = look_around(document, hole.offset, completion=CompletionSettings(), invoked=True)
    selections = dict(_selections(_offered(context, searcher)))
    lines = await _lines(measure, context, hole.package, selections, searcher)
    return [
        Written(hole.package.name, hole.language, sources, hole.name, hole.rest, line)
        for sources, line in lines.items()
    ]


async def _in_file(measure: Measure, case: Case, root: Path, searcher: Searcher) -> list[Written]:
    text = case.prefix + case.suffix
    document = Document.of(text, uri=(root / case.path).as_uri(), language=case.language)
    context = look_around(document, len(case.prefix), completion=CompletionSettings(), invoked=True)
    offered = _offered(context, searcher)
    selections = {NONE: [], ALL: [candidate for candidates in offered.values() for candidate in candidates]}
    lines = await _lines(measure, context, root, selections, searcher)
    wanted = case.middle.lstrip("\n").split("\n", 1)[0]
    return [Written(root.name, case.language, sources, "", wanted, line) for sources, line in lines.items()]


def _offered(context: CursorContext, searcher: Searcher) -> dict[str, list[Candidate]]:
    query = searcher.query(context)
    return {name: list(source(query, searcher.project)) for name, source in SOURCES.items()}


def _selections(offered: Mapping[str, list[Candidate]]) -> Iterator[tuple[str, list[Candidate]]]:
    yield NONE, []
    yield ALL, [candidate for candidates in offered.values() for candidate in candidates]
    for name in offered:
        yield f"only {name}", offered[name]
        yield f"without {name}", [one for other in offered if other != name for one in offered[other]]


async def _lines(
    measure: Measure,
    context: CursorContext,
    root: Path,
    selections: Mapping[str, Sequence[Candidate]],
    searcher: Searcher,
) -> dict[str, str]:
    """Return the line the model writes with each selection; the same prompt is asked once."""
    known: dict[Prompt, str] = {}
    lines = {}
    for sources, candidates in selections.items():
        snippets = best_snippets(candidates, measure.snippet_tokens, searcher.name_of)
        prompt = _prompt(measure, context, root, snippets)
        if prompt not in known:
            known[prompt] = await _line(measure.engine, prompt, context)
        lines[sources] = known[prompt]
    return lines


def _prompt(measure: Measure, context: CursorContext, root: Path, snippets: Sequence[Snippet]) -> Prompt:
    characters = int(measure.window_tokens * CHARACTERS_PER_TOKEN)
    anchor = fresh_anchor(context, Budget(window_characters=characters))
    path = Path(context.document.uri.removeprefix("file://")).relative_to(root).as_posix()
    typed = typed_since(anchor, context)
    return fim_prompt(anchor, typed, snippets, measure.profile, path=path, repository=root.name)


async def _line(engine: Engine, prompt: Prompt, context: CursorContext) -> str:
    """Return the first line that holds anything, as it would stand behind the cursor."""
    request = GenerateRequest(prompt=prompt, max_tokens=_LINE_TOKENS)
    text = ""
    async with aclosing(engine.generate(request)) as chunks:
        async for chunk in chunks:
            text += chunk.text
            if "\n" in text.lstrip("\n"):
                break
    line = text.lstrip("\n").split("\n", 1)[0]
    return line.removeprefix(context.line_prefix) if context.blank_prefix else line


def cross_file_figures(written: Sequence[Written]) -> dict[str, Any]:
    """Return the shares of right answers by sources, each tested against the run with nothing of other files."""
    cross = [one for one in written if one.name]
    in_file = [one for one in written if not one.name]
    return {
        "cross_file": {name: _figures(cross, name) for name in dict.fromkeys(one.sources for one in cross)},
        "in_file": {name: _figures(in_file, name) for name in dict.fromkeys(one.sources for one in in_file)},
    }


def _figures(written: Sequence[Written], sources: str) -> dict[str, Any]:
    mine = [one for one in written if one.sources == sources]
    base = [one for one in written if one.sources == NONE]
    named = Share(sum(one.has_name for one in mine), len(mine))
    whole = Share(sum(one.is_exact for one in mine), len(mine))
    return {
        "holes": len(mine),
        "identifier_match": named.value,
        "identifier_match_plus_minus": named.plus_minus,
        "exact_match": whole.value,
        "exact_match_plus_minus": whole.plus_minus,
        "identifier_probability": _probability(base, mine, lambda one: one.has_name),
        "exact_probability": _probability(base, mine, lambda one: one.is_exact),
    }


def _probability(base: Sequence[Written], mine: Sequence[Written], right: Callable[[Written], bool]) -> float:
    """Return how likely so large a difference is by chance."""
    pairs = list(zip(base, mine, strict=True))
    only_base = sum(right(one) and not right(other) for one, other in pairs)
    return mcnemar(only_base, sum(right(other) and not right(one) for one, other in pairs))
