"""Turn a fresh installation into ghost text: a model, an editor's configuration, and a real request that proves it.

Every question can be answered beforehand by an option. Without a terminal and without `--yes` nothing is downloaded
and nothing is written: it is printed, to be copied.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import click

from fimserver.cli import output
from fimserver.cli.choice import Choice
from fimserver.cli.completion import complete_model
from fimserver.cli.consent import Talk, talk_with
from fimserver.cli.editor_blocks import program
from fimserver.cli.editors import EDITORS, Editor, found_editors
from fimserver.cli.exit_codes import ExitCode
from fimserver.cli.first_suggestion import FirstSuggestion, first_suggestion
from fimserver.cli.setup_editor import Taken, set_up_editor
from fimserver.cli.setup_model import set_up_model
from fimserver.errors import FimError


@click.command("setup")
@click.option(
    "--editor",
    "names",
    type=click.Choice([editor.name for editor in EDITORS]),
    multiple=True,
    help="Editor to set up; may be repeated. Else all that are found.",
)
@click.option(
    "--model",
    metavar="ID|FILE",
    shell_complete=complete_model,
    help="Model to use, or `embedded`; else the one for this machine.",
)
@click.option("--yes", is_flag=True, help="Agree to everything: the download, the files, the commands.")
@click.option("--print", "only_print", is_flag=True, help="Print the editor's configuration, and do nothing.")
@click.option("--json", "as_json", is_flag=True, help="Ask nothing, and print what was done as JSON.")
@click.pass_context
def setup_command(
    context: click.Context, names: tuple[str, ...], model: str | None, yes: bool, only_print: bool, as_json: bool
) -> None:
    """Get a model, connect your editors, and try it.

    Each step is shown before it is done, and done if you agree. No line of your own configuration is changed: a block
    is put behind it, or printed where that is not safe. Ends with code 2 if something that you agreed to failed.
    """
    editors = [editor for editor in EDITORS if editor.name in names] if names else found_editors()
    if only_print:
        _print_blocks(editors)
        return
    talk = talk_with(yes=yes, silent=as_json)
    name = set_up_model(context.obj, model, talk)
    if not editors:
        talk.tell("\nNo editor was found on PATH. One that is elsewhere: fimserver setup --editor NAME")
    taken = {editor.name: set_up_editor(editor, program(), talk) for editor in editors}
    trial = _tried(context.obj, talk)
    if as_json:
        output.as_json(_values(name, taken, trial, talk))
    context.exit(ExitCode.REFUSED if talk.failures else ExitCode.DONE)


def _print_blocks(editors: Sequence[Editor]) -> None:
    """Print what goes into files; where it goes is said on standard error."""
    for editor in editors:
        for step in editor.steps(program()):
            click.echo(f"{editor.title}: {step.says}", err=True)
            click.echo(step.block, nl=False)


def _tried(choice: Choice, talk: Talk) -> FirstSuggestion | None:
    """Ask for a suggestion as an editor does, and say what came; None where nothing can answer."""
    command = (program(), *choice.options, "serve")
    talk.tell("\nAsking the language server as an editor does…")
    try:
        trial = asyncio.run(first_suggestion(command))
    except FimError as error:
        talk.fail(str(error))
        return None
    talk.tell(_told(trial))
    return trial


def _told(trial: FirstSuggestion) -> str:
    if not trial.suggestion:
        return f"{trial.model} answered in {trial.ms:.0f} ms, and nothing is to be shown: {trial.reason}."
    shown = trial.suggestion.partition("\n")[0]
    return f"{trial.model} completed `{trial.typed}` to `{trial.typed}{shown}` in {trial.ms:.0f} ms. It works."


def _values(model: str, taken: dict[str, list[Taken]], trial: FirstSuggestion | None, talk: Talk) -> dict[str, Any]:
    return {
        "model": model,
        "editors": {name: [asdict(step) for step in steps] for name, steps in taken.items()},
        "trial": asdict(trial) if trial else None,
        "failures": talk.failures,
    }
