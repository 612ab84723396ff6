"""Turn a benchmark's figures into the Markdown that docs/benchmarks.md holds."""

from collections.abc import Mapping, Sequence
from typing import Any

# Row of the table, key of the figures, and how the value is written.
_QUALITY_ROWS = (
    ("exact match", "exact_match", "{:.1%}"),
    ("first line right", "first_line_match", "{:.1%}"),
    ("edit similarity", "edit_similarity", "{:.3f}"),
    ("shown", "shown_rate", "{:.1%}"),
    ("right when shown", "precision_when_shown", "{:.1%}"),
    ("parses when shown", "parse_valid", "{:.1%}"),
    ("tokens generated in vain", "wasted_token_share", "{:.1%}"),
    ("median time, ms", "median_ms", "{:.0f}"),
)


def quality_table(columns: Mapping[str, Mapping[str, Any]]) -> str:
    """Return a Markdown table with a row per figure and a column per run."""
    rows = [[title, *(form.format(run[key]) for run in columns.values())] for title, key, form in _QUALITY_ROWS]
    cases = [["cases", *(str(run["cases"]) for run in columns.values())]]
    return markdown_table(["", *columns], cases + rows)


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table.

    >>> print(markdown_table(["a", "b"], [["1", "2"]]))
    | a | b |
    | --- | --- |
    | 1 | 2 |
    """
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
