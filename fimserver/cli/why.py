"""Tell the story of a suggestion at a place, from what was asked to what was made of it, or what became of the last."""

import time
from collections.abc import Iterator

import click

from fimserver.cli import output
from fimserver.cli.choice import Choice
from fimserver.cli.place import Place, document_at, optional_place_argument
from fimserver.complete.journal import Entry
from fimserver.recent import Row, read_recent
from fimserver.uris import path_of
from fimserver.values import Completion, Rejection


@click.command("why")
@optional_place_argument
@click.option("--by-hand", is_flag=True, help="Ask as if by hand, so that the suggestion need not be sure.")
@click.option("--json", "as_json", is_flag=True, help="Print the same as JSON.")
@click.pass_obj
def why_command(choice: Choice, place: Place | None, by_hand: bool, as_json: bool) -> None:
    """Say why something is suggested at a position, or why nothing is.

    Without a position: what became of the last requests of the editors that are open. With one it asks there once, as
    an editor does while its user types, and tells each step: how much was worth asking for, what the model read of
    other files and what it wrote, which filter changed or refused it, and how sure the model was. `fimserver context`
    has the whole prompt. In an editor, the command `fimserver.why` says the same of the last suggestion.
    """
    if place is None:
        _tell_last(as_json=as_json)
        return
    from fimserver.cli.asking import ask_at

    document, offset = document_at(place)
    entry = ask_at(choice, place, document, offset, typed=not by_hand)
    if as_json:
        output.as_json(entry.as_json())
    else:
        output.columns(list(_story(place, entry)))


def _tell_last(*, as_json: bool) -> None:
    rows = read_recent()
    if as_json:
        output.as_json(rows)
    elif rows:
        output.columns([_last_row(row) for row in rows])
    else:
        output.line("No editor has asked for a suggestion yet. Ask for one here: fimserver why FILE:LINE:COLUMN")


def _last_row(row: Row) -> tuple[output.Part, ...]:
    when = time.strftime("%H:%M:%S", time.localtime(row["at"]))
    where = f"{path_of(row['uri']) or row['uri']}:{row['line']}:{row['column']}"
    if row["reason"]:
        return (when, output.FAINT), where, f"not shown: {row['reason']}. {row['detail']}".rstrip()
    return (when, output.FAINT), where, f"shown, {row['shown_characters']} characters from the {row['source']}"


def _story(place: Place, entry: Entry) -> Iterator[tuple[output.Part, output.Part]]:
    """Yield the steps in their order, each with a name."""
    yield _row("place", str(place))
    if entry.shape:
        yield _row("worth asking for", entry.shape)
    for snippet in entry.snippets:
        yield _row("other file", f"{snippet.path} ({snippet.source}, {snippet.score:.2f})")
    if entry.written:
        yield _row("the model wrote", repr(entry.written))
        yield _row("stopped by", entry.stopped_by or "the model itself")
    for step in entry.steps:
        after = f"{step.after.reason}: {step.after.detail}" if isinstance(step.after, Rejection) else repr(step.after)
        yield _row(step.filter.replace("_", " "), after)
    yield from _end(entry)


def _end(entry: Entry) -> Iterator[tuple[output.Part, output.Part]]:
    outcome, timings = entry.outcome, entry.outcome.timings
    if isinstance(outcome, Completion):
        if outcome.mean_logprob is not None:
            yield _row("how sure", f"{outcome.mean_logprob:.2f} mean log-probability")
        yield _row("shown", repr(outcome.text))
    else:
        yield _row("not shown", f"{outcome.reason}. {outcome.detail}".rstrip())
    yield _row(
        "cost",
        f"{timings.evaluated_tokens} of {timings.prompt_tokens} prompt tokens evaluated, "
        f"{timings.generated_tokens} generated, {timings.total_ms:.0f} ms",
    )


def _row(name: str, what: str) -> tuple[output.Part, output.Part]:
    return (name, output.FAINT), what
