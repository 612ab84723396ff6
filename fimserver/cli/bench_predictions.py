"""`fimserver bench predictions`: whether models take what is promised of them, on random models of real shapes."""

import asyncio
import tempfile
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

import click

from fimserver.bench.predictions import USUAL, Compared, Measurement, Predicted, compared, measure
from fimserver.bench.report import markdown_table
from fimserver.cli import output
from fimserver.cli.choice import Choice
from fimserver.cli.engines import engine_process
from fimserver.cli.figures import Figures, printing_figures
from fimserver.engine.client import EngineClient
from fimserver.models.hardware import this_machine
from fimserver.settings import Settings

# How far a prediction may be off, as a share of what is measured.
_FILE, _MEMORY, _SPEED = 0.01, 0.10, 0.30


@click.command("predictions")
@click.argument("models", nargs=-1, metavar="[ID:QUANT]...")
@click.option("--folder", type=click.Path(file_okay=False, exists=True, path_type=Path), help="Where to write them.")
@printing_figures
@click.pass_obj
def bench_predictions_command(choice: Choice, models: tuple[str, ...], folder: Path | None) -> Figures:
    """Compare predicted sizes, memory and speeds with those of random models.

    Each is as large and as slow as the model it is named after; three small ones are taken unless some are named. One
    at a time is written, and deleted again.
    """
    with tempfile.TemporaryDirectory(prefix="fimserver-", dir=folder) as made:
        measurements = asyncio.run(_measure(choice.settings, models or USUAL, Path(made)))
    rows = compared(measurements, this_machine())
    return [_values(row) for row in rows], partial(_show, rows)


async def _measure(settings: Settings, models: tuple[str, ...], folder: Path) -> list[Measurement]:
    def new_client(path: Path) -> EngineClient:
        model = replace(settings.model, completion=str(path))
        return engine_process(replace(settings, model=model, engine=replace(settings.engine, save_state=False)))

    measurements = []
    for name in models:
        click.echo(name, err=True)
        measurements.append(await measure(name, folder, new_client, settings.engine))
    return measurements


def _values(row: Predicted) -> dict[str, Any]:
    errors = {
        f"{name}_error": round(getattr(row, name).error, 4) for name in ("file_bytes", "memory_bytes", "tokens_per_s")
    }
    return {**asdict(row), **errors}


def _show(rows: list[Predicted]) -> None:
    header = ["model", "file", "memory", "tokens/s", "tokens/s by the probe alone"]
    table = [
        [
            row.model,
            _cell(row.file_bytes, 1e6, "MB", _FILE),
            _cell(row.memory_bytes, 1e6, "MB", _MEMORY),
            _cell(row.tokens_per_s, 1, "", _SPEED),
            f"{row.probed_tokens_per_s:.1f}",
        ]
        for row in rows
    ]
    output.line(markdown_table(header, table))


def _cell(compared: Compared, unit: float, name: str, most: float) -> str:
    """Return predicted → measured, and by how much that was wrong, marked where it is more than it may be."""
    verdict = "" if abs(compared.error) <= most else f", more than {most:.0%}"
    values = f"{compared.predicted / unit:.1f} → {compared.measured / unit:.1f} {name}".strip()
    return f"{values} ({compared.error:+.1%}{verdict})"
