"""`fimserver bench typing`: what each key of recorded editing costs, through the real server and engine."""

import asyncio
import json
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import click

from fimserver.bench.baseline import replay_baseline
from fimserver.bench.chart import typing_chart
from fimserver.bench.own_time import own_time
from fimserver.bench.report import markdown_table
from fimserver.bench.traces import Trace, in_cold_files, read_trace
from fimserver.bench.typing import Replayed, Tokens, as_rows, replay, typing_figures
from fimserver.cli import output
from fimserver.cli.choice import Choice
from fimserver.cli.engines import ask_status
from fimserver.cli.figures import Figures, printing_figures
from fimserver.errors import FimError
from fimserver.models.store import resolve

_FIXTURES = Path(__file__).parents[2] / "fixtures" / "traces"

# Its file of 2,000 lines is five times as long, or cut into four, for what is measured beside the traces.
_LONG = "insert-in-a-long-file.jsonl"

_ROWS = (
    ("keys", "keys", "{:d}"),
    ("prompt tokens evaluated per key, mean", "evaluated_tokens_per_key_mean", "{:.2f}"),
    ("… median", "evaluated_tokens_per_key_median", "{:.0f}"),
    ("… at most", "evaluated_tokens_per_key_max", "{:d}"),
    ("tokens written per key, mean", "generated_tokens_per_key_mean", "{:.2f}"),
    ("prompt tokens per key, waited for or not", "all_prompt_tokens_per_key_mean", "{:.1f}"),
    ("tokens through the model per key, whatever for", "all_tokens_per_key_mean", "{:.1f}"),
    ("keys answered without the model", "cached_share", "{:.0%}"),
    ("first token, median ms", "first_token_ms_median", "{:.0f}"),
    ("answer, median ms", "answer_ms_median", "{:.1f}"),
    ("answer, 99th percentile ms", "answer_ms_p99", "{:.0f}"),
)


_PARTS = ("traces", "cold", "server")


@click.command("typing")
@click.argument("traces", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--only", type=click.Choice(_PARTS), help="Measure one of the three things alone.")
@click.option("--gap-ms", default=100.0, show_default=True, help="Time from key to key, as long as answers allow it.")
@click.option("--threads", default=0, help="Threads for both engines; 0 lets each choose.")
@click.option("--baseline", metavar="llama-server=URL|FILE", help="Replay against a llama-server too, in the same run.")
@click.option("--keys", "keys_file", type=click.Path(path_type=Path), help="Write every key to this file.")
@click.option("--svg", "chart_file", type=click.Path(path_type=Path), help="Draw the tokens of all keys to this file.")
@printing_figures
@click.pass_obj
def bench_typing_command(
    choice: Choice,
    traces: tuple[Path, ...],
    only: str | None,
    gap_ms: float,
    threads: int,
    baseline: str | None,
    keys_file: Path | None,
    chart_file: Path | None,
) -> Figures:
    """Measure what each key costs.

    TRACES are recorded editing, by default all those of fixtures/traces in a checkout. If none are named two more
    things are measured: the first key in a file of 500 lines that nobody has looked at yet (cold), and what the
    language server takes by itself for a key in 10,000 lines (server).
    """
    parts = _parts(traces, only)
    if "traces" not in parts and (keys_file or chart_file):
        raise FimError(f"--keys and --svg show the keys of the traces; leave them out with --only {only}.")
    llama_server = None if baseline is None else _address(baseline)
    settings = {"completion": {"confidence": "off"}, "engine": {"threads": threads}}

    def ours(traces: list[Trace]) -> Replayed:
        tokens = partial(_tokens_so_far, choice, threads)
        return asyncio.run(
            replay(traces, choice.options, settings, gap_ms=gap_ms, tokens_so_far=tokens, on_trace=_tell)
        )

    def theirs(traces: list[Trace]) -> Replayed:
        model = resolve(choice.settings.model.completion)
        return replay_baseline(llama_server or "", model, traces, threads=threads or 2, gap_ms=gap_ms, on_trace=_tell)

    server = {}
    if "server" in parts:  # first, while no engine prepares anything
        _tell("the language server's own time")
        server = {"server": asyncio.run(own_time(_long(), settings))}
    recorded = [read_trace(path) for path in traces or _own_traces()] if "traces" in parts else []
    cold = [in_cold_files(_long())] if "cold" in parts else []
    typed, figures = dict[str, Replayed](), dict[str, dict[str, Any]]()
    for name, run in {"fimserver": ours, **({"llama-server": theirs} if llama_server else {})}.items():
        typed[name], in_cold = (run(each) if each else Replayed((), {}) for each in (recorded, cold))
        figures[name] = _figures(typed[name], in_cold)
    result = figures["fimserver"] | server
    if "llama-server" in figures:
        other = figures["llama-server"]
        result |= {"baseline": other, "ratio": _ratio(result, other)}
    if keys_file is not None:
        keys_file.write_text(json.dumps(as_rows(typed["fimserver"]), indent=1), "utf-8")
    if chart_file is not None:
        evaluated = {name: [key.evaluated_tokens for key in run.keys] for name, run in typed.items()}
        chart_file.write_text(typing_chart(evaluated), "utf-8")
    return result, partial(_show, result)


def _parts(traces: tuple[Path, ...], only: str | None) -> tuple[str, ...]:
    """Return what is to be measured. Raises FimError for traces that are named and not asked for."""
    if traces and only not in (None, "traces"):
        raise FimError(f"--only {only} has its own files; leave out {traces[0]}.")
    return (only,) if only else _PARTS[:1] if traces else _PARTS


def _own_traces() -> list[Path]:
    """Return the recorded traces of the project. Raises FimError where this is no checkout of it."""
    if not (found := sorted(_FIXTURES.glob("*.jsonl"))):
        raise FimError("There are no traces here; name some, or run this in a checkout of the project.")
    return found


def _long() -> Trace:
    return read_trace(next(path for path in _own_traces() if path.name == _LONG))


def _figures(recorded: Replayed, cold: Replayed) -> dict[str, Any]:
    figures = typing_figures(recorded) if recorded.keys else {}
    return {**figures, **({"cold": typing_figures(cold)} if cold.keys else {})}


async def _tokens_so_far(choice: Choice, threads: int) -> Tokens:
    engine = replace(choice.settings.engine, threads=threads or choice.settings.engine.threads)
    status = await ask_status(replace(choice.settings, engine=engine), choice.script)
    return Tokens(status.evaluated_tokens, status.prompt_tokens)


def _address(baseline: str) -> str:
    """Return the address or the program of the llama-server to compare with. Raises FimError."""
    kind, _, server = baseline.partition("=")
    if kind != "llama-server" or not server:
        raise FimError(f"--baseline takes llama-server=URL or llama-server=FILE, not {baseline!r}.")
    return server


_COMPARED = (
    ("evaluated_tokens_per_key_mean",),
    ("all_prompt_tokens_per_key_mean",),
    ("all_tokens_per_key_mean",),
    ("first_token_ms_median",),
    ("answer_ms_median",),
    ("cold", "first_token_ms_median"),
    ("cold", "answer_ms_median"),
)


def _ratio(ours: dict[str, Any], theirs: dict[str, Any]) -> dict[str, float | None]:
    """Return the quotients: how many times more the baseline costs than we do; None where we cost nothing."""
    known = [path for path in _COMPARED if path[0] in ours]
    pairs = [("_".join(path), _at(theirs, path), _at(ours, path)) for path in known]
    return {name: other / own if own else None for name, other, own in pairs}


def _at(figures: dict[str, Any], path: tuple[str, ...]) -> float:
    value: Any = figures
    for name in path:
        value = value[name]
    return float(value)


def _tell(name: str) -> None:
    click.echo(name, err=True)


def _show(result: dict[str, Any]) -> None:
    if "keys" in result:
        columns = {"all": result, **result["per_trace"]}
        if "baseline" in result:
            columns = {"fimserver": result, "llama-server": result["baseline"], **result["per_trace"]}
        rows = [[title, *(form.format(run[key]) for run in columns.values())] for title, key, form in _ROWS]
        output.line(markdown_table(["", *columns], rows))
        output.line()
    for name, run in {"fimserver": result, "llama-server": result.get("baseline", {})}.items():
        if "cold" in run:
            output.line(
                f"{name}: in 500 cold lines the first token after {run['cold']['first_token_ms_median']:.0f} ms, "
                f"the first answer after {run['cold']['answer_ms_median']:.0f} ms, median"
            )
    if "server" in result:
        output.line(_SERVER.format(**result["server"]))


_SERVER = (
    "fimserver without the engine, a key in {lines:,} lines: {own_ms_median:.1f} ms median, {own_ms_p99:.1f} ms 99th "
    "percentile, {processor_ms_mean:.1f} ms of a processor"
)
