"""`fimserver bench quality --cross-file`: what pieces of other files are worth to a model, by source."""

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import click

from fimserver.bench.cross_file_quality import Measure, Written, cross_file_figures, measure_package
from fimserver.bench.report import markdown_table
from fimserver.cli import output
from fimserver.cli.choice import Choice
from fimserver.cli.engines import loaded_model, new_engine
from fimserver.cli.figures import Figures
from fimserver.cli.progress import at_work
from fimserver.complete.pace import Pace, full_prompt_tokens, snippet_tokens
from fimserver.prompt.profile import profile_for


def bench_cross_file(choice: Choice, packages: Sequence[Path], count: int, seed: int) -> Figures:
    """Measure on holes cut in packages."""
    figures = cross_file_figures(asyncio.run(_run(choice, [package.resolve() for package in packages], count, seed)))
    return figures, partial(_show, figures)


async def _run(choice: Choice, packages: Sequence[Path], count: int, seed: int) -> list[Written]:
    engine = new_engine(choice.settings, choice.script)
    try:
        with at_work(engine):
            facts = await loaded_model(engine)
        tokens = full_prompt_tokens(Pace(prefill_tokens_per_s=1e9), facts)
        for_others = snippet_tokens(tokens, choice.settings.context.max_tokens)
        profile = profile_for(facts, choice.settings.model.profile)
        measure = Measure(engine, profile, window_tokens=tokens - for_others, snippet_tokens=for_others)
        written: list[Written] = []
        for package in packages:
            written += await measure_package(measure, package, count, seed=seed)
            click.echo(f"{package.name}: done", err=True)
        return written
    finally:
        await engine.close()


def _show(figures: Mapping[str, Any]) -> None:
    output.line(_table("holes whose name is defined in another file, with", figures["cross_file"]))
    output.line()
    output.line(_table("other holes, with", figures["in_file"]))


def _table(title: str, figures: Mapping[str, Mapping[str, Any]]) -> str:
    rows = [
        [sources, str(run["holes"]), *(cell for measure in _MEASURES for cell in _cells(run, measure))]
        for sources, run in figures.items()
    ]
    header = [title, "number", *(cell for measure in _MEASURES for cell in (f"{measure} match", "by chance"))]
    return markdown_table(header, rows)


_MEASURES = ("identifier", "exact")


def _cells(run: Mapping[str, Any], measure: str) -> tuple[str, str]:
    """Return a share with its interval, and how likely its difference from the first row is by chance."""
    share, plus_minus = run[f"{measure}_match"], run[f"{measure}_match_plus_minus"]
    return f"{share:.1%} ± {plus_minus:.1%}", f"{run[f'{measure}_probability']:.3f}"
