"""Measure retrieval without a model: is the definition that a hole needs among the snippets sent?

    found with all sources, with each alone, and without each; by language, by how the name is reached, by the cut

It runs what the language server runs in its background thread, on each package as a workspace of its own.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fimserver.bench.cross_file_holes import Hole, cut_cross_file_holes
from fimserver.bench.metrics import Share
from fimserver.context.cursor import look_around
from fimserver.retrieval.candidate import Candidate, best_snippets
from fimserver.retrieval.exclude import Exclusions
from fimserver.retrieval.search import Searcher
from fimserver.retrieval.sources import SOURCES
from fimserver.settings import CompletionSettings, ContextSettings
from fimserver.values import Document, Snippet

ALL_SOURCES = "all"


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether one hole's definition was among the snippets sent with some sources at a budget."""

    hole: Hole
    sources: str  # ALL_SOURCES, "only NAME" or "without NAME"
    budget_tokens: int
    found: bool


def measure_package(package: Path, budgets: Sequence[int], holes: int, *, seed: int = 0) -> Iterator[Answer]:
    """Yield the answers for holes cut from one package."""
    root = package.resolve()
    searcher = Searcher((root,), Exclusions((root,), ContextSettings()), notes=False)
    for _ in searcher.project.refresh():
        pass
    for hole in cut_cross_file_holes(root, holes, seed=seed):
        yield from _answers(hole, searcher, budgets)
    searcher.project.close()


def _answers(hole: Hole, searcher: Searcher, budgets: Sequence[int]) -> Iterator[Answer]:
    document = Document.of(hole.text, uri=(hole.package / hole.path).as_uri(), language=hole.language)
    context = look_around(document, hole.offset, completion=CompletionSettings(), invoked=False)
    query = searcher.query(context)
    offered = {name: list(source(query, searcher.project)) for name, source in SOURCES.items()}
    for sources, candidates in _selections(offered):
        for budget in budgets:
            snippets = best_snippets(candidates, budget, searcher.name_of)
            yield Answer(hole, sources, budget, is_sent(hole, snippets))


def _selections(offered: Mapping[str, list[Candidate]]) -> Iterator[tuple[str, list[Candidate]]]:
    yield ALL_SOURCES, [candidate for candidates in offered.values() for candidate in candidates]
    for name in offered:
        yield f"only {name}", offered[name]
        yield f"without {name}", [one for other in offered if other != name for one in offered[other]]


def is_sent(hole: Hole, snippets: Sequence[Snippet]) -> bool:
    """Tell whether a line that defines the hole's name is in a snippet of the file that defines it."""
    texts = [snippet.text for snippet in snippets if snippet.path == hole.defined_in]
    return any(head.rstrip(" {:") in text for head in hole.heads for text in texts)


def recall_figures(answers: Sequence[Answer]) -> dict[str, Any]:
    """Return the shares of holes whose definition was sent, by budget, then by group and by sources."""
    by_budget: dict[int, list[Answer]] = defaultdict(list)
    for answer in answers:
        by_budget[answer.budget_tokens].append(answer)
    return {str(budget): _figures(mine) for budget, mine in sorted(by_budget.items())}


def _figures(answers: Sequence[Answer]) -> dict[str, Any]:
    complete = [answer for answer in answers if answer.sources == ALL_SOURCES]
    return {
        "all": _share(complete),
        "by_language": _grouped(complete, lambda answer: answer.hole.language),
        "by_way": _grouped(complete, lambda answer: answer.hole.way),
        "by_cut": _grouped(complete, lambda answer: "line start" if answer.hole.at_line_start else "before the name"),
        "by_package": _grouped(complete, lambda answer: answer.hole.package.name),
        "by_sources": _grouped(answers, lambda answer: answer.sources),
    }


def _grouped(answers: Sequence[Answer], key: Callable[[Answer], str]) -> dict[str, Any]:
    groups: dict[str, list[Answer]] = defaultdict(list)
    for answer in answers:
        groups[key(answer)].append(answer)
    return {name: _share(groups[name]) for name in sorted(groups)}


def _share(answers: Sequence[Answer]) -> dict[str, float]:
    share = Share(sum(answer.found for answer in answers), len(answers))
    return {
        "holes": share.of,
        "found": share.hits,
        "recall": round(share.value, 4),
        "plus_minus": round(share.plus_minus, 4),
    }
