"""`fimserver bench quality`: how often suggestions are right when shown, against the raw model on the same cases."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from fimserver.bench.cases import Case, cut_holes, read_cases
from fimserver.bench.quality import Answer, answers, as_rows, by, compared, figures
from fimserver.bench.report import markdown_table, quality_table
from fimserver.cli import output
from fimserver.cli.choice import Choice
from fimserver.cli.engines import loaded_model, new_engine
from fimserver.settings import Settings

# A model that is loaded answers in time; here nobody types, so a slow machine must not cut answers short.
_UNHURRIED_MS = 60_000


@click.command("quality")
@click.argument("files", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option("--repo", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Cut holes in this folder.")
@click.option("--count", default=300, show_default=True, help="How many holes to cut.")
@click.option("--seed", default=0, show_default=True, help="Which holes to cut.")
@click.option("--language", "languages", multiple=True, help="Only files of this language; may be repeated.")
@click.option("--layout", type=click.Choice(["anchored", "plain"]), default="anchored", show_default=True)
@click.option("--compare", is_flag=True, help="Run both layouts on the same cases and test the difference.")
@click.option("--answers", "answers_file", type=click.Path(path_type=Path), help="Write every answer to this file.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
@click.pass_obj
def bench_quality_command(
    choice: Choice,
    files: tuple[Path, ...],
    repo: Path | None,
    count: int,
    seed: int,
    languages: tuple[str, ...],
    layout: str,
    compare: bool,
    answers_file: Path | None,
    as_json: bool,
) -> None:
    """Measure how often suggestions are right.

    FILES are folders of fixtures or JSON lines of cases; without any, holes are cut in --repo.
    """
    cases = [case for path in files for case in read_cases(path)]
    if repo is not None:
        cases += cut_holes(repo, count, seed=seed, languages=languages)
    if not cases:
        raise click.UsageError("Name files of cases, or a folder with --repo.")
    product, raw = asyncio.run(_run(choice, _settings(choice.settings, layout), cases))
    result = _result(product, raw)
    if compare:
        other = "plain" if layout == "anchored" else "anchored"
        _, other_raw = asyncio.run(_run(choice, _settings(choice.settings, other), cases))
        result["compared"] = {"first": layout, "second": other, **compared(raw, other_raw), "raw": figures(other_raw)}
    if answers_file is not None:
        answers_file.write_text(json.dumps({"product": as_rows(product), "raw": as_rows(raw)}, indent=1), "utf-8")
    if as_json:
        output.as_json(result)
    else:
        _show(result)


def _settings(settings: Settings, layout: str) -> Settings:
    completion = replace(settings.completion, layout=layout, ahead=False, deadline_ms=_UNHURRIED_MS)
    return replace(settings, completion=completion)


async def _run(choice: Choice, settings: Settings, cases: list[Case]) -> tuple[list[Answer], list[Answer]]:
    engine = new_engine(settings, choice.script)
    try:
        await loaded_model(engine)
        return await answers(engine, settings, cases, _progress(len(cases)))
    finally:
        await engine.close()


def _progress(total: int) -> Any:
    """Return a function that tells how far it is, every tenth, on standard error."""
    step = max(1, total // 10)
    return lambda done: click.echo(f"{done} of {total} cases", err=True) if done % step == 0 else None


def _result(product: list[Answer], raw: list[Answer]) -> dict[str, Any]:
    return {
        **figures(product),
        "raw": figures(raw),
        "by_kind": by(product, "kind"),
        "by_language": by(product, "language"),
        "keystrokes_saved": None,
    }


def _show(result: dict[str, Any]) -> None:
    output.line(quality_table({"shown by fimserver": result, "raw model, first line": result["raw"]}))
    output.line()
    reasons = [[reason, str(count)] for reason, count in result["reasons"].items()]
    output.line(markdown_table(["not shown because", "cases"], reasons))
    if "compared" in result:
        paired = result["compared"]
        output.line()
        output.line(
            f"Exact in {paired['first']} only: {paired['only_first']}; in {paired['second']} only: "
            f"{paired['only_second']}; of {paired['cases']} cases; probability of chance {paired['probability']:.2f}."
        )
