"""`fimserver bench load`: how long people wait when several type at one engine at once."""

import asyncio
from dataclasses import replace
from functools import partial
from typing import Any

import click

from fimserver.bench.load import load, load_figures
from fimserver.bench.report import markdown_table
from fimserver.cli import output
from fimserver.cli.choice import Choice
from fimserver.cli.engines import loaded_model, new_engine
from fimserver.cli.figures import Figures, printing_figures
from fimserver.cli.progress import at_work
from fimserver.settings import Settings

_ROWS = (
    ("keys", "keys", "{:d}"),
    ("suggestions shown", "suggestions", "{:d}"),
    ("… a second", "suggestions_per_s", "{:.1f}"),
    ("answers by the model", "answers", "{:d}"),
    ("tokens written a second", "generated_tokens_per_s", "{:.1f}"),
    ("prompt tokens evaluated a second", "evaluated_tokens_per_s", "{:.1f}"),
    ("first token, median ms", "first_token_ms_p50", "{:.0f}"),
    ("… 90th percentile", "first_token_ms_p90", "{:.0f}"),
    ("… 99th percentile", "first_token_ms_p99", "{:.0f}"),
    ("answer, median ms", "answer_ms_p50", "{:.0f}"),
    ("… 90th percentile", "answer_ms_p90", "{:.0f}"),
    ("… 99th percentile", "answer_ms_p99", "{:.0f}"),
    ("displaced by the next key", "displaced", "{:d}"),
    ("the typists' own delay, 99th percentile ms", "typists_late_ms_p99", "{:.0f}"),
)


@click.command("load")
@click.option("--typists", default="8", show_default=True, metavar="N[,N…]", help="How many type at once; a run each.")
@click.option("--seconds", default=30.0, show_default=True, help="For how long.")
@click.option("--gap-ms", default=200.0, show_default=True, help="Time from key to key.")
@click.option(
    "--kind", type=click.Choice(["local", "llama-server", "ollama", "openai"]), help="Instead of engine.kind."
)
@click.option("--url", help="Instead of engine.url.")
@click.option("--remote-model", help="Instead of engine.remote_model.")
@printing_figures
@click.pass_obj
def bench_load_command(
    choice: Choice,
    typists: str,
    seconds: float,
    gap_ms: float,
    kind: str | None,
    url: str | None,
    remote_model: str | None,
) -> Figures:
    """Let several people type at one engine, and measure how long they wait.

    The engine is that of the settings: our own, or a server; --kind and --url name another one.
    """
    named = {"kind": kind, "url": url, "remote_model": remote_model}
    settings = _settings(choice.settings, {name: value for name, value in named.items() if value is not None})
    runs = [asyncio.run(_run(choice, settings, count, seconds, gap_ms)) for count in _counts(typists)]
    return runs, partial(_show, runs)


def _settings(settings: Settings, named: dict[str, Any]) -> Settings:
    """Return the settings with another engine, and with everything shown: here nobody judges suggestions."""
    completion = replace(settings.completion, confidence="off")
    return replace(settings, completion=completion, engine=replace(settings.engine, **named))


def _counts(typists: str) -> list[int]:
    if not all(count.isdigit() and int(count) > 0 for count in typists.split(",")):
        raise click.BadParameter(f"{typists!r} is no number of people, nor several with commas between them.")
    return [int(count) for count in typists.split(",")]


async def _run(choice: Choice, settings: Settings, typists: int, seconds: float, gap_ms: float) -> dict[str, Any]:
    """Return the figures of one run. Raises EngineError or ModelError where the engine cannot answer at all."""
    first = new_engine(settings, choice.script)
    try:
        with at_work(first):
            await loaded_model(first)
    finally:
        await first.close()
    click.echo(f"{typists} typing …", err=True)
    asked = await load(typists, seconds, gap_ms, lambda: new_engine(settings, choice.script), settings)
    return load_figures(asked, typists, seconds)


def _show(runs: list[dict[str, Any]]) -> None:
    header = ["", *(f"{run['typists']} typing" for run in runs)]
    output.line(
        markdown_table(header, [[title, *(form.format(run[key]) for run in runs)] for title, key, form in _ROWS])
    )
    for run in runs:
        for reason, count in run["failed"].items():
            output.line(f"{run['typists']} typing: {count} keys without an answer: {reason}. {run['why'][reason]}")
