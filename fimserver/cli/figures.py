"""Turn a benchmark's figures into a table on the terminal, or JSON there, and a file of them where one is asked for."""

import json
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

from fimserver.cli import output

# The figures, ready for JSON, and what shows them as a table.
Figures = tuple[Any, Callable[[], None]]


def printing_figures(measure: Callable[..., Figures]) -> Callable[..., None]:
    """Return the command that prints what `measure` returns, with the options that say how."""

    @click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
    @click.option(
        "--keep", type=click.Path(dir_okay=False, path_type=Path), help="Write them as JSON to this file, too."
    )
    @wraps(measure)
    def command(*arguments: Any, as_json: bool, keep: Path | None, **options: Any) -> None:
        figures, show = measure(*arguments, **options)
        if keep is not None:
            keep.write_text(json.dumps(figures, indent=1) + "\n", "utf-8")
        output.as_json(figures) if as_json else show()

    return command
