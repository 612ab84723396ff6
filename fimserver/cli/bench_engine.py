"""`fimserver bench engine`: what one engine process reaches and takes, and how near that is to llama-bench."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import click

from fimserver.bench.engine import Measured, engine_figures, measure_engine
from fimserver.bench.llama_bench import llama_bench_round
from fimserver.cli import output
from fimserver.cli.choice import Choice
from fimserver.cli.engines import engine_process
from fimserver.cli.figures import Figures, printing_figures
from fimserver.models.hardware import usable_cores
from fimserver.models.store import resolve


class _Row(NamedTuple):
    """A line of the table: its title, the figure, how it is written, and the target with its test, if there is one."""

    title: str
    value: Callable[[dict[str, Any]], float]
    form: str
    target: str = ""
    holds: Callable[[float], bool] | None = None


_ROWS = (
    _Row("tokens written a second", lambda found: found["decode_tokens_per_s"], "{:.1f}"),
    _Row("prompt tokens evaluated a second", lambda found: found["prefill_tokens_per_s"], "{:.1f}"),
    _Row("… written with a full cache", lambda found: found["full_cache"]["decode_tokens_per_s"], "{:.1f}"),
    _Row("… evaluated with a full cache", lambda found: found["full_cache"]["prefill_tokens_per_s"], "{:.1f}"),
    _Row(
        "from a cancel to a free engine, 95th percentile",
        lambda found: found["cancel_ms_p95"],
        "{:.1f} ms",
        "at most 60 ms",
        lambda value: value <= 60,
    ),
    _Row("memory with one window", lambda found: found["memory_bytes_one_window"] / 1e6, "{:.0f} MB"),
    _Row(
        "… and with a second one",
        lambda found: found["memory_bytes_two_windows"] / found["memory_bytes_one_window"] - 1,
        "{:+.1%}",
        "at most 5% more",
        lambda value: value <= 0.05,
    ),
    _Row(
        "of a processor while nobody types",
        lambda found: found["idle_processor_share"],
        "{:.1%}",
        "at most 0.5%",
        lambda value: value <= 0.005,
    ),
)

_BASELINE_ROWS = (
    _Row("llama-bench: tokens written a second", lambda found: found["llama_bench"]["decode_tokens_per_s"], "{:.1f}"),
    _Row("… prompt tokens evaluated a second", lambda found: found["llama_bench"]["prefill_tokens_per_s"], "{:.1f}"),
    _Row(
        "ours of its tokens written",
        lambda found: found["ratio"]["decode"],
        "{:.3f}",
        "at least 0.95",
        lambda value: value >= 0.95,
    ),
    _Row("… of its prompt tokens evaluated", lambda found: found["ratio"]["prefill"], "{:.3f}"),
)


@click.command("engine")
@click.option("--llama-bench", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Measure it in turn.")
@click.option("--threads", default=0, help="Threads for both; 0 takes a core less than there are.")
@click.option("--rounds", default=5, show_default=True, help="How often each reads and writes; medians are printed.")
@printing_figures
@click.pass_obj
def bench_engine_command(choice: Choice, llama_bench: Path | None, threads: int, rounds: int) -> Figures:
    """Measure one engine process: speed, cancelling, memory, idling.

    With --llama-bench that program measures the same model in turn, round by round.
    """
    figures = engine_figures(asyncio.run(_measure(choice, llama_bench, threads or max(1, usable_cores() - 1), rounds)))
    rows = (*_ROWS, *(_BASELINE_ROWS if llama_bench else ()))
    return figures, lambda: output.columns([_shown(row, figures) for row in rows])


async def _measure(choice: Choice, llama_bench: Path | None, threads: int, rounds: int) -> Measured:
    own: dict[str, Any] = {"threads": threads, "drafting": "off", "save_state": False}
    settings = replace(choice.settings, engine=replace(choice.settings.engine, **own))
    baseline = None
    if llama_bench is not None:
        baseline = partial(llama_bench_round, llama_bench, resolve(settings.model.completion), threads)
    client = engine_process(settings)
    try:
        return await measure_engine(
            client, choice.options, {"engine": own}, rounds=max(1, rounds), baseline=baseline, on_step=_tell
        )
    finally:
        await client.close()
        await client.stop()


def _tell(step: str) -> None:
    click.echo(step, err=True)


def _shown(row: _Row, figures: dict[str, Any]) -> list[output.Part]:
    value = row.value(figures)
    if row.holds is None:
        return [row.title, row.form.format(value), "", ""]
    verdict = ("ok", output.GOOD) if row.holds(value) else ("missed", output.BAD)
    return [row.title, row.form.format(value), row.target, verdict]
