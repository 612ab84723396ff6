"""Turn a place in a file into the story of its suggestion: what was asked, what came back, what was made of it."""

from collections.abc import Iterator

import click

from fimserver.cli import output
from fimserver.cli.choice import Choice
from fimserver.cli.place import Place, document_at, place_argument
from fimserver.complete.journal import Entry
from fimserver.values import Completion, Rejection


@click.command("why")
@place_argument
@click.option("--by-hand", is_flag=True, help="Ask as if by hand, so that the suggestion need not be sure.")
@click.option("--json", "as_json", is_flag=True, help="Print the same as JSON.")
@click.pass_obj
def why_command(choice: Choice, place: Place, by_hand: bool, as_json: bool) -> None:
    """Say why something is suggested at a position, or why nothing is.

    Asks there once, as an editor does while its user types, and tells each step: how much was worth asking for, what
    the model read of other files and what it wrote, which filter changed or refused it, and how sure the model was.
    `fimserver context` has the whole prompt. In an editor, the command
    `fimserver.why` says the same of the last suggestion.
    """
    from fimserver.cli.asking import ask_at

    document, offset = document_at(place)
    entry = ask_at(choice, place, document, offset, typed=not by_hand)
    if as_json:
        output.as_json(entry.as_json())
    else:
        output.columns(list(_story(place, entry)))


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
