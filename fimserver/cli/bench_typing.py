"""`fimserver bench typing`: what each key of recorded editing costs, through the real server and engine."""

import asyncio
import json
from functools import partial
from pathlib import Path
from typing import Any

import click

from fimserver.bench.baseline import replay_baseline
from fimserver.bench.report import markdown_table
from fimserver.bench.traces import Trace, read_trace
from fimserver.bench.typing import as_rows, replay, typing_figures
from fimserver.cli import output
from fimserver.cli.choice import Choice
from fimserver.cli.engines import ask_status
from fimserver.errors import FimError
from fimserver.models.store import resolve

_FIXTURES = Path(__file__).parents[2] / "fixtures" / "traces"

_ROWS = (
    ("keys", "keys", "{:d}"),
    ("prompt tokens evaluated per key, mean", "evaluated_tokens_per_key_mean", "{:.2f}"),
    ("… median", "evaluated_tokens_per_key_median", "{:.0f}"),
    ("… at most", "evaluated_tokens_per_key_max", "{:d}"),
    ("tokens written per key, mean", "generated_tokens_per_key_mean", "{:.2f}"),
    ("tokens through the model per key, whatever for", "all_tokens_per_key_mean", "{:.1f}"),
    ("keys answered without the model", "cached_share", "{:.0%}"),
    ("first token, median ms", "first_token_ms_median", "{:.0f}"),
    ("answer, median ms", "answer_ms_median", "{:.1f}"),
    ("answer, 99th percentile ms", "answer_ms_p99", "{:.0f}"),
)


@click.command("typing")
@click.argument("traces", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--gap-ms", default=100.0, show_default=True, help="Time from key to key, as long as answers allow it.")
@click.option("--threads", default=0, help="Threads for both engines; 0 lets each choose.")
@click.option("--baseline", metavar="llama-server=URL|FILE", help="Replay against a llama-server too, in the same run.")
@click.option("--keys", "keys_file", type=click.Path(path_type=Path), help="Write every key to this file.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
@click.pass_obj
def bench_typing_command(
    choice: Choice,
    traces: tuple[Path, ...],
    gap_ms: float,
    threads: int,
    baseline: str | None,
    keys_file: Path | None,
    as_json: bool,
) -> None:
    """Measure what each key costs.

    TRACES are recorded editing, by default all those of fixtures/traces in a checkout.
    """
    paths = traces or tuple(sorted(_FIXTURES.glob("*.jsonl")))
    if not paths:
        raise FimError("There are no traces here; name some, or run this in a checkout of the project.")
    recorded = [read_trace(path) for path in paths]
    settings = {"completion": {"confidence": "off"}, "engine": {"threads": threads}}
    tokens_so_far = partial(_tokens_so_far, choice)
    replaying = replay(recorded, choice.options, settings, gap_ms=gap_ms, tokens_so_far=tokens_so_far, on_trace=_tell)
    replayed = asyncio.run(replaying)
    if keys_file is not None:
        keys_file.write_text(json.dumps(as_rows(replayed), indent=1), "utf-8")
    result = typing_figures(replayed)
    if baseline is not None:
        result |= _compared(result, _baseline(choice, baseline, recorded, threads, gap_ms))
    if as_json:
        output.as_json(result)
    else:
        _show(result)


async def _tokens_so_far(choice: Choice) -> int:
    return (await ask_status(choice.settings, choice.script)).evaluated_tokens


def _baseline(choice: Choice, baseline: str, recorded: list[Trace], threads: int, gap_ms: float) -> dict[str, Any]:
    kind, _, server = baseline.partition("=")
    if kind != "llama-server" or not server:
        raise FimError(f"--baseline takes llama-server=URL or llama-server=FILE, not {baseline!r}.")
    model = resolve(choice.settings.model.completion)
    return typing_figures(replay_baseline(server, model, recorded, threads=threads or 2, gap_ms=gap_ms, on_trace=_tell))


def _compared(ours: dict[str, Any], theirs: dict[str, Any]) -> dict[str, Any]:
    """Return the baseline's figures and the quotients: how many times more it costs than we do."""
    names = ("evaluated_tokens_per_key_mean", "all_tokens_per_key_mean", "first_token_ms_median", "answer_ms_median")
    ratio = {name: theirs[name] / ours[name] if ours[name] else None for name in names}
    return {"baseline": theirs, "ratio": ratio}


def _tell(name: str) -> None:
    click.echo(name, err=True)


def _show(result: dict[str, Any]) -> None:
    columns = {"all": result, **result["per_trace"]}
    if "baseline" in result:
        columns = {"fimserver": result, "llama-server": result["baseline"], **result["per_trace"]}
    rows = [[title, *(form.format(run[key]) for run in columns.values())] for title, key, form in _ROWS]
    output.line(markdown_table(["", *columns], rows))
