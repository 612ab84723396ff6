"""Turn a place in a file into the suggestion there, drawn where it would stand."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import click

from fimserver.cli import output
from fimserver.cli.choice import Choice
from fimserver.cli.place import Place, document_at, place_argument, shown_position
from fimserver.text import line_end, position_at
from fimserver.values import Completion, Document, Outcome, Rejection


@click.command("complete")
@place_argument
@click.option("--typed", is_flag=True, help="Ask as while typing: only where and when one would come by itself.")
@click.option("--json", "as_json", is_flag=True, help="Print text, range, reason and timings as JSON.")
@click.pass_obj
def complete_command(choice: Choice, place: Place, typed: bool, as_json: bool) -> None:
    """Print the suggestion at a position of a file.

    It is drawn dim where it would stand. LINE and COLUMN count from 1, the column in characters: main.py:3:1 is before
    the third line's first character.
    Where there is nothing to suggest, the reason is printed instead.
    """
    from fimserver.cli.asking import ask_at

    document, offset = document_at(place)
    outcome = ask_at(choice, place, document, offset, typed=typed).outcome
    if as_json:
        output.as_json(as_values(outcome, document))
    elif isinstance(outcome, Completion):
        output.line(*drawn(outcome, document, offset))
    else:
        output.line((nothing(outcome), output.FAINT))


def as_values(outcome: Outcome, document: Document) -> dict[str, Any]:
    """Return an outcome as `--json` prints it. Lines and columns count from 1, columns in characters."""
    shown = outcome if isinstance(outcome, Completion) else None
    refused = outcome if isinstance(outcome, Rejection) else None
    span = shown.replaces if shown else None
    return {
        "text": shown.text if shown else "",
        "range": span and {end: shown_position(document, getattr(span, end)) for end in ("start", "end")},
        "reason": refused.reason if refused else None,
        "detail": refused.detail if refused else "",
        "timings": asdict(outcome.timings),
    }


def drawn(completion: Completion, document: Document, offset: int) -> Iterator[output.Part]:
    r"""Yield the cursor's line with the suggestion in it: what stands there plain, what is suggested dim.

    A suggestion may begin before the cursor, with what is typed already, and may replace the line's tail.
    """
    line, _ = position_at(document.starts, offset)
    span = completion.replaces
    typed = document.text[span.start : offset]
    known = len(typed) if completion.text.startswith(typed) else 0
    yield document.text[document.starts[line] : span.start] + completion.text[:known]
    yield completion.text[known:], output.GHOST
    yield document.text[span.end : line_end(document.text, document.starts, line)]


def nothing(rejection: Rejection) -> str:
    """Return the sentence about a rejection."""
    return f"Nothing to suggest: {rejection.reason}. {rejection.detail}".rstrip()
