"""`fimserver bench quality`: how often suggestions are right when shown, against the raw model on the same cases."""

import asyncio
import json
import tomllib
from collections.abc import Awaitable, Callable
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import click

from fimserver.bench.calibrate import calibrated
from fimserver.bench.cases import Case, cut_holes, read_cases
from fimserver.bench.execution import passed
from fimserver.bench.quality import Answer, answers, as_rows, by, compared, figures, keystrokes_saved
from fimserver.bench.report import markdown_table, quality_table
from fimserver.cli import output
from fimserver.cli.bench_cross_file import bench_cross_file
from fimserver.cli.choice import Choice
from fimserver.cli.engines import loaded_model, new_engine
from fimserver.cli.figures import Figures, printing_figures
from fimserver.cli.progress import at_work
from fimserver.engine.interface import Engine
from fimserver.settings import Settings, read_settings

Measured = TypeVar("Measured")

# A model that is loaded answers in time; here nobody types, so a slow machine must not cut answers short.
_UNHURRIED_MS = 60_000


@click.command("quality")
@click.argument("files", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option("--repo", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Cut holes in this folder.")
@click.option("--count", default=300, show_default=True, help="How many holes to cut.")
@click.option("--seed", default=0, show_default=True, help="Which holes to cut.")
@click.option("--language", "languages", multiple=True, help="Only files of this language; may be repeated.")
@click.option("--layout", type=click.Choice(["anchored", "plain"]), default="anchored", show_default=True)
@click.option(
    "--compare", metavar="SETTING=VALUE", help="Run the same cases with a setting changed, and test the difference."
)
@click.option("--cross-file", is_flag=True, help="FILES are packages: measure what other files are worth, by source.")
@click.option("--execute", is_flag=True, help="Also run the programs of cases that bring a test, under limits.")
@click.option("--calibrate", is_flag=True, help="Also find the confidence thresholds that suit the model.")
@click.option("--keystrokes", default=0, help="Also type so many of the blocks key by key, and count what is saved.")
@click.option("--answers", "answers_file", type=click.Path(path_type=Path), help="Write every answer to this file.")
@printing_figures
@click.pass_obj
def bench_quality_command(
    choice: Choice,
    files: tuple[Path, ...],
    repo: Path | None,
    count: int,
    seed: int,
    languages: tuple[str, ...],
    layout: str,
    compare: str | None,
    cross_file: bool,
    execute: bool,
    calibrate: bool,
    keystrokes: int,
    answers_file: Path | None,
) -> Figures:
    """Measure how often suggestions are right.

    FILES are folders of fixtures or JSON lines of cases; without any, holes are cut in --repo. With --cross-file they
    are packages: in each so many lines are cut that need a name of another file, and as many others.
    """
    if cross_file:
        return bench_cross_file(choice, files, count, seed)
    cases = [case for path in files for case in read_cases(path)]
    if repo is not None:
        cases += cut_holes(repo, count, seed=seed, languages=languages)
    if not cases:
        raise click.UsageError("Name files of cases, or a folder with --repo.")
    settings = _settings(choice.settings, layout)
    product, raw = asyncio.run(_run(choice, settings, cases))
    result = _result(product, raw)
    if execute:
        result["passed"] = passed(cases, [answer.text for answer in product]).value
        result["raw"]["passed"] = passed(cases, [answer.text for answer in raw]).value
    if calibrate:
        result["calibrated"] = {shape: _calibrated(raw, shape) for shape in ("line", "block")}
    if keystrokes:
        blocks = [case for case in cases if case.kind == "block"][:keystrokes]
        saved, raw_saved = asyncio.run(_with_engine(choice, settings, partial(keystrokes_saved, cases=blocks)))
        result["keystrokes_saved"], result["raw"]["keystrokes_saved"] = saved, raw_saved
    if compare:
        other, other_raw = asyncio.run(_run(choice, _changed(settings, compare), cases))
        result["compared"] = {
            "with": compare,
            "figures": {**figures(other), "raw": figures(other_raw)},
            "shown": compared(product, other),
            "raw": compared(raw, other_raw),
        }
    if answers_file is not None:
        answers_file.write_text(json.dumps({"product": as_rows(product), "raw": as_rows(raw)}, indent=1), "utf-8")
    return result, partial(_show, result)


def _settings(settings: Settings, layout: str) -> Settings:
    completion = replace(settings.completion, layout=layout, ahead=False, deadline_ms=_UNHURRIED_MS)
    return replace(settings, completion=completion)


def _changed(settings: Settings, change: str) -> Settings:
    """Return the settings with one of them changed, as `completion.layout=plain`."""
    name, _, value = change.partition("=")
    section, _, field = name.strip().partition(".")
    try:
        parsed: Any = tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        parsed = value
    changed, problems = read_settings({section: {field: parsed}}, settings)
    if problems:
        raise click.UsageError(f"--compare {change}: {problems[0]}")
    return changed


async def _run(choice: Choice, settings: Settings, cases: list[Case]) -> tuple[list[Answer], list[Answer]]:
    measure = partial(answers, cases=cases, on_case=_progress(len(cases)))
    return await _with_engine(choice, settings, measure)


async def _with_engine(
    choice: Choice, settings: Settings, measure: Callable[[Engine, Settings], Awaitable[Measured]]
) -> Measured:
    engine = new_engine(settings, choice.script)
    try:
        with at_work(engine):
            await loaded_model(engine)
        return await measure(engine, settings)
    finally:
        await engine.close()


def _progress(total: int) -> Any:
    """Return a function that tells how far it is, every tenth, on standard error."""
    step = max(1, total // 10)
    return lambda done: click.echo(f"{done} of {total} cases", err=True) if done % step == 0 else None


def _result(product: list[Answer], raw: list[Answer]) -> dict[str, Any]:
    return {
        **figures(product),
        "raw": {**figures(raw), "keystrokes_saved": None},
        "by_kind": by(product, "kind"),
        "by_language": by(product, "language"),
        "keystrokes_saved": None,
    }


def _calibrated(raw: list[Answer], shape: str) -> dict[str, Any] | None:
    found = calibrated([answer for answer in raw if answer.kind == shape])
    return asdict(found) if found else None


def _show(result: dict[str, Any]) -> None:
    columns = {"shown by fimserver": result, "raw model, first line": result["raw"]}
    if "compared" in result:
        other = result["compared"]
        columns |= {f"shown, {other['with']}": other["figures"], f"raw, {other['with']}": other["figures"]["raw"]}
    output.line(quality_table(columns))
    output.line()
    reasons = [[reason, str(count)] for reason, count in result["reasons"].items()]
    output.line(markdown_table(["not shown because", "cases"], reasons))
    if result["keystrokes_saved"] is not None:
        saved, raw_saved = result["keystrokes_saved"], result["raw"]["keystrokes_saved"]
        output.line(f"\nKeys saved: {saved:.1%}; with the raw model's first lines: {raw_saved:.1%}.")
    if "passed" in result:
        output.line(
            f"\nPrograms that pass: {result['passed']:.1%}; with the raw model's: {result['raw']['passed']:.1%}."
        )
    for shape, found in result.get("calibrated", {}).items():
        output.line(f"\n{shape} = {_as_toml(found)}" if found else f"\nNo {shape} was right: nothing to choose by.")
    for what in ("shown", "raw") if "compared" in result else ():
        output.line()
        output.line(_verdict(what, result["compared"]))


def _as_toml(found: dict[str, Any]) -> str:
    """Return a gate as a profile has it, and what it did to the answers it was chosen on."""
    gate = ", ".join(f"{name} = {least:.1f}" for name, least in found["gate"].items())
    effect = f"shows {found['shown']:.0%}, right {found['gain']:.2f} times as often, {found['wasted']:.0%} in vain"
    return f"{{ {gate} }}  # {effect}"


def _verdict(what: str, compared: dict[str, Any]) -> str:
    paired = compared[what]
    return (
        f"Right in what is {what}, of {paired['cases']} cases: without {compared['with']} only {paired['only_first']}, "
        f"with it only {paired['only_second']}; probability of chance {paired['probability']:.2f}."
    )
