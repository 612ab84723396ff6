"""Measure: one subcommand per question, each in a module of its own that is imported when it runs."""

import click

from fimserver.cli.rows import Row, RowGroup

BENCHES = (
    Row("typing", "bench_typing", "What each key costs while somebody types."),
    Row("engine", "bench_engine", "What one engine process reaches and takes, against llama-bench."),
    Row("quality", "bench_quality", "How often suggestions are right, and how often shown."),
    Row("index", "bench_index", "What a large repository costs to know."),
    Row("recall", "bench_recall", "How often what a cursor needs of other files is found."),
    Row("load", "bench_load", "How long people wait when several type at one engine."),
    Row("predictions", "bench_predictions", "Whether models take the memory and time that is promised of them."),
    Row("make-model", "bench_make_model", "Write a random model of a real one's size, without a download."),
    Row("review", "bench_review", "How often the findings of a review are right."),
    Row("scorecard", "bench_scorecard", "Whether each target of reliability and privacy is reached."),
)


@click.group("bench", cls=RowGroup, rows=BENCHES)
def bench_command() -> None:
    """Measure quality and speed on this machine; nothing is downloaded."""
