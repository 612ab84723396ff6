"""Turn a text with one mark in it into what belongs there: a filter for editors that can only pipe.

:%!fimserver fill --whole --path % -          in Vim, with the mark typed where code is wanted
"""

import asyncio
from dataclasses import replace
from pathlib import Path

import click

from fimserver.cli import output
from fimserver.cli.choice import Choice
from fimserver.cli.engines import loaded_model, new_engine
from fimserver.cli.filter import document_of, path_option, read_text, write
from fimserver.cli.progress import at_work
from fimserver.complete.completer import Completer
from fimserver.engine.interface import Engine
from fimserver.errors import FimError
from fimserver.prompt.profile import profile_for
from fimserver.settings import Settings
from fimserver.values import Completion, Document, Outcome

MARK = "<FILL_ME>"

# Nobody types while a filter runs: the answer may take its time, and is wanted whole.
_PATIENCE_MS = 60_000
_MOST_LINES = 100


@click.command("fill")
@click.argument("source", metavar="FILE|-")
@click.option("--mark", default=MARK, show_default=True, help="What stands where the text is to be filled in.")
@click.option("--whole", is_flag=True, help="Write the whole text, filled in, instead of the middle alone.")
@click.option("--json", "as_json", is_flag=True, help="Print the text as JSON.")
@path_option
@click.pass_obj
def fill_command(choice: Choice, source: str, mark: str, whole: bool, as_json: bool, path: Path | None) -> None:
    """Fill in a text at its mark.

    Reads a text that holds the mark once, and writes what belongs there. --path names the file it is of, and so its
    language; the completion model answers.
    """
    text = read_text(source)
    before, after = _split(text, mark)
    document = document_of(before + after, path or (None if source == "-" else Path(source)))
    engine = new_engine(choice.settings, choice.script)
    with at_work(engine):
        outcome = asyncio.run(_outcome(engine, choice.settings, document, len(before)))
    if not isinstance(outcome, Completion):
        if whole and not as_json:
            write(text)  # an editor that takes what is written for its buffer keeps what it had
        raise FimError(f"Nothing was filled in: {outcome.reason}. {outcome.detail}".rstrip())
    answer = filled(outcome, document) if whole else middle(outcome, document, len(before))
    if as_json:
        output.as_json({"text": answer})
    else:
        write(answer)


def filled(completion: Completion, document: Document) -> str:
    """Return the whole text with a completion in it."""
    return document.text[: completion.replaces.start] + completion.text + document.text[completion.replaces.end :]


def middle(completion: Completion, document: Document, cursor: int) -> str:
    """Return what a completion puts between the text before and after the cursor.

    It may begin with what stands before the cursor on its line, and end with what stands behind: those are left out.
    """
    begun = document.text[completion.replaces.start : cursor]
    tail = document.text[cursor : completion.replaces.end]
    return completion.text.removeprefix(begun).removesuffix(tail)


def _split(text: str, mark: str) -> tuple[str, str]:
    count = text.count(mark) if mark else 0
    if count != 1:
        there = "no" if not count else str(count)
        raise FimError(f"There is {there} {mark} in the text; put it once where something is to be filled in.")
    before, _, after = text.partition(mark)
    return before, after


async def _outcome(engine: Engine, settings: Settings, document: Document, offset: int) -> Outcome:
    try:
        profile_for(await loaded_model(engine), settings.model.profile)
        return await Completer(engine, _patient(settings), None, ()).complete(document, offset, invoked=True)
    finally:
        await engine.close()


def _patient(settings: Settings) -> Settings:
    completion = replace(
        settings.completion,
        enabled=True,
        deadline_ms=_PATIENCE_MS,
        quiet_ms=0,
        confidence="off",
        max_lines=_MOST_LINES,
        ahead=False,  # nothing is asked after this
    )
    return replace(settings, completion=completion)
