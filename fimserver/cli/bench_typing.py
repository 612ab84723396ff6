"""`fimserver bench typing`: what each key of recorded editing costs, through the real server and engine."""

import asyncio
import json
from pathlib import Path
from typing import Any

import click

from fimserver.bench.report import markdown_table
from fimserver.bench.traces import read_trace
from fimserver.bench.typing import as_rows, replay, typing_figures
from fimserver.cli import output
from fimserver.cli.choice import Choice
from fimserver.errors import FimError

_FIXTURES = Path(__file__).parents[2] / "fixtures" / "traces"

_ROWS = (
    ("keys", "keys", "{:d}"),
    ("prompt tokens evaluated per key, mean", "evaluated_tokens_per_key_mean", "{:.2f}"),
    ("… median", "evaluated_tokens_per_key_median", "{:.0f}"),
    ("… at most", "evaluated_tokens_per_key_max", "{:d}"),
    ("tokens written per key, mean", "generated_tokens_per_key_mean", "{:.2f}"),
    ("keys answered without the model", "cached_share", "{:.0%}"),
    ("first token, median ms", "first_token_ms_median", "{:.0f}"),
    ("answer, median ms", "answer_ms_median", "{:.1f}"),
    ("answer, 99th percentile ms", "answer_ms_p99", "{:.0f}"),
)


@click.command("typing")
@click.argument("traces", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--gap-ms", default=100.0, show_default=True, help="Time from key to key, as long as answers allow it.")
@click.option("--keys", "keys_file", type=click.Path(path_type=Path), help="Write every key to this file.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
@click.pass_obj
def bench_typing_command(
    choice: Choice, traces: tuple[Path, ...], gap_ms: float, keys_file: Path | None, as_json: bool
) -> None:
    """Measure what each key costs.

    TRACES are recorded editing, by default all those of fixtures/traces in a checkout.
    """
    paths = traces or tuple(sorted(_FIXTURES.glob("*.jsonl")))
    if not paths:
        raise FimError("There are no traces here; name some, or run this in a checkout of the project.")
    settings = {"completion": {"confidence": "off"}}
    replayed = asyncio.run(
        replay(
            [read_trace(path) for path in paths],
            choice.options,
            settings,
            gap_ms=gap_ms,
            on_trace=lambda name: click.echo(name, err=True),
        )
    )
    if keys_file is not None:
        keys_file.write_text(json.dumps(as_rows(replayed), indent=1), "utf-8")
    result = typing_figures(replayed)
    if as_json:
        output.as_json(result)
    else:
        _show(result)


def _show(result: dict[str, Any]) -> None:
    columns = {"all": result, **result["per_trace"]}
    rows = [[title, *(form.format(run[key]) for run in columns.values())] for title, key, form in _ROWS]
    output.line(markdown_table(["", *columns], rows))
    output.line(f"\nEvaluated or written in the background: {result['background_tokens']} tokens.")
