"""`fimserver bench recall`: how often the definition a cursor needs is among what would be sent; no model is asked."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from fimserver.bench.cross_file import Answer, measure_package, recall_figures
from fimserver.bench.report import markdown_table
from fimserver.cli import output
from fimserver.cli.figures import Figures, printing_figures

# How the groups of the figures are called in the table, in their order.
_GROUPS = (
    ("by_language", "language"),
    ("by_way", "the name is reached as"),
    ("by_cut", "the line is cut at"),
    ("by_sources", "sources"),
)


@click.command("recall")
@click.argument("packages", nargs=-1, required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--count", default=25, show_default=True, help="How many holes to cut in each package, at most.")
@click.option("--seed", default=0, show_default=True, help="Which holes to cut.")
@click.option("--budget", "budgets", type=int, multiple=True, default=(500, 1500), show_default=True, help="In tokens.")
@click.option("--misses", type=click.Path(path_type=Path), help="Write every hole that was missed to this file.")
@printing_figures
def bench_recall_command(
    packages: tuple[Path, ...], count: int, seed: int, budgets: tuple[int, ...], misses: Path | None
) -> Figures:
    """Measure how often the definition that a cursor needs is found.

    Each of the PACKAGES is a folder of source files. A line that uses a name defined in another file of the package is
    cut before the name, or at its first character; it counts as found where the definition's head is among the snippets
    that fit the budget.
    """
    answers: list[Answer] = []
    for package in packages:
        answers += measure_package(package, budgets, count, seed=seed)
        click.echo(f"{package.name}: {len({id(answer.hole) for answer in answers})} holes so far", err=True)
    if misses is not None:
        misses.write_text(json.dumps([_miss(answer) for answer in answers if _is_miss(answer)], indent=1), "utf-8")
    figures = recall_figures(answers)
    return figures, lambda: output.line(recall_table(figures))


def recall_table(figures: Mapping[str, Any]) -> str:
    """Return a Markdown table with a row for each group of holes and a column for each budget."""
    budgets = list(figures)
    names = [("all", "", "all")]
    for key, title in _GROUPS:
        names += [(key, name, f"{title}: {name}") for name in figures[budgets[0]][key]]
    rows = []
    for key, name, title in names:
        found = [figures[budget][key][name] if name else figures[budget][key] for budget in budgets]
        rows.append(
            [title, str(found[0]["holes"]), *(f"{one['recall']:.1%} ± {one['plus_minus']:.1%}" for one in found)]
        )
    return markdown_table(["holes", "number", *(f"found with {budget} tokens" for budget in budgets)], rows)


def _is_miss(answer: Answer) -> bool:
    return answer.sources == "all" and not answer.found


def _miss(answer: Answer) -> dict[str, Any]:
    hole = answer.hole
    place = f"{hole.package.name}/{hole.path}:{hole.text.count(chr(10), 0, hole.offset) + 1}"
    return {
        "place": place,
        "name": hole.name,
        "defined_in": hole.defined_in,
        "way": hole.way,
        "at_line_start": hole.at_line_start,
        "budget_tokens": answer.budget_tokens,
    }
