"""`fimserver bench index`: what a large repository costs to index, and what a question costs then."""

import os
import tempfile
from dataclasses import asdict
from pathlib import Path

import click

from fimserver.bench import large_repository
from fimserver.bench.large_repository import measure, write_repository
from fimserver.bench.report import markdown_table
from fimserver.cli import output
from fimserver.cli.figures import Figures, printing_figures


@click.command("index")
@click.option("--files", default=100_000, show_default=True, help="How many files to write and index.")
@click.option("--lines", "lines_per_file", default=101, show_default=True, help="How many lines each has.")
@click.option("--questions", default=1_000, show_default=True, help="How many questions of each kind to ask.")
@printing_figures
def bench_index_command(files: int, lines_per_file: int, questions: int) -> Figures:
    """Measure the index of a large repository.

    A repository is written into a temporary folder and indexed as the language server does it; both are removed.
    """
    with tempfile.TemporaryDirectory(prefix="fimserver-") as folder:
        os.environ["FIMSERVER_HOME"] = str(Path(folder) / "home")
        root = Path(folder).resolve() / "repository"
        lines = write_repository(root, files, lines_per_file)
        click.echo(f"{files} files written", err=True)
        figures = measure(root, lines, questions)
    return asdict(figures), lambda: output.line(_table(figures))


def _table(figures: large_repository.Figures) -> str:
    rows = [
        ["files", f"{figures.files:,}"],
        ["lines", f"{figures.lines:,}"],
        ["chunks", f"{figures.chunks:,}"],
        ["index on disk", f"{figures.index_bytes / 1e6:.0f} MB"],
        ["memory of the process, at its peak", f"{figures.memory_bytes / 1e6:.0f} MB"],
        ["indexed for the first time in", f"{figures.indexed_s:.0f} s"],
        ["looked through again, unchanged, in", f"{figures.looked_again_s:.1f} s"],
        ["postings read to find similar chunks, at most", f"{figures.most_postings_read:,}"],
        ["similar chunks found, median", f"{figures.similar_p50_ms:.1f} ms"],
        ["… 99 of 100 within", f"{figures.similar_p99_ms:.1f} ms"],
        ["… of processor time", f"{figures.similar_p99_processor_ms:.1f} ms"],
        ["a name's definition found, median", f"{figures.defining_p50_ms:.2f} ms"],
        ["… 99 of 100 within", f"{figures.defining_p99_ms:.2f} ms"],
    ]
    return markdown_table(["", "measured"], rows)
