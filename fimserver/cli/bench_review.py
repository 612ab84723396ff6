"""`fimserver bench review`: how often what the chat model finds is right, on pairs of buggy and mended texts."""

import asyncio
import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import click

import fimserver
from fimserver.bench.report import markdown_table
from fimserver.bench.review import Judged, Pair, as_rows, figures, judged, read_pairs
from fimserver.cli import output
from fimserver.cli.chat_model import chat_engine, chat_model_option
from fimserver.cli.choice import Choice
from fimserver.cli.figures import Figures, printing_figures
from fimserver.cli.progress import at_work
from fimserver.engine.interface import Engine
from fimserver.review.asking import loaded

_PAIRS = Path(fimserver.__file__).parents[1] / "fixtures" / "review"

# Key of the figures, and what it means.
_ROWS = (
    ("pairs", "pairs of a buggy and a mended text"),
    ("clean_texts", "texts without a known bug"),
    ("findings", "findings"),
    ("precision", "of the findings are about the bug"),
    ("recall", "of the bugs are found"),
    ("line_accuracy", "of these findings name its very line"),
    ("category_accuracy", "… and its category"),
    ("silence_when_clean", "of the texts without a known bug have no finding"),
    ("parse_rate", "of the answers are all in the form that was asked for"),
    ("cut", "answers had no end and were cut"),
    ("median_ms", "milliseconds for a text, the median"),
)


@click.command("review")
@click.argument("folder", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--language", "languages", multiple=True, help="Only pairs of this language; may be repeated.")
@click.option("--findings", "findings_file", type=click.Path(path_type=Path), help="Write every finding to this file.")
@printing_figures
@chat_model_option
@click.pass_obj
def bench_review_command(
    choice: Choice,
    folder: Path | None,
    languages: tuple[str, ...],
    findings_file: Path | None,
    model: str | None,
) -> Figures:
    """Measure how often the findings of a review are right.

    FOLDER holds pairs as fixtures/review of a checkout does, which is used where none is named.
    """
    if folder is None and not _PAIRS.is_dir():
        raise click.UsageError("Name a folder of pairs; those of fimserver are in fixtures/review of its repository.")
    pairs = [pair for pair in read_pairs(folder or _PAIRS) if not languages or pair.language in languages]
    if not pairs:
        raise click.UsageError(f"There are no pairs of {', '.join(languages)}.")
    results = asyncio.run(_run(chat_engine(choice, model), pairs))
    if findings_file is not None:
        findings_file.write_text(json.dumps(as_rows(results), indent=1), "utf-8")
    result = figures(results)
    return result, partial(_show, result)


async def _run(engine: Engine, pairs: Sequence[Pair]) -> list[Judged]:
    try:
        with at_work(engine):
            await loaded(engine)
        return await judged(engine, pairs, lambda done: click.echo(f"{done} of {len(pairs)}", err=True))
    finally:
        await engine.close()


def _show(result: dict[str, Any]) -> None:
    output.line(markdown_table(["", ""], [[_written(result[key]), meaning] for key, meaning in _ROWS]))


def _written(value: float | None) -> str:
    if value is None:
        return "-"
    return str(value) if isinstance(value, int) else f"{value:.1%}" if value <= 1 else f"{value:.0f}"
