"""Turn the settings, or the option `--model` of the commands that talk, into the chat model that answers."""

from dataclasses import replace

import click

from fimserver.cli.choice import Choice, absolute_model
from fimserver.cli.completion import complete_model
from fimserver.cli.engines import USUAL_CHAT_MODEL, engine_name, new_engine
from fimserver.engine.interface import Engine
from fimserver.errors import ModelError

chat_model_option = click.option(
    "--model", metavar="ID|FILE", shell_complete=complete_model, help="Chat model to use instead of the settings'."
)


def chat_engine(choice: Choice, model: str | None) -> Engine:
    """Return the engine of the chat model; where none is chosen, whatever it is asked for says so and what mends it."""
    settings = choice.settings
    if model is not None:
        settings = replace(settings, model=replace(settings.model, chat=absolute_model(model) or ""))
    return new_engine(settings, choice.script, chat=True)


def chat_model_here(choice: Choice) -> tuple[str, str]:
    """Return what review, edit and chat use, and the command that gets a model for them; empty where one is here."""
    from fimserver.models.store import resolve

    if choice.script is not None or choice.settings.engine.kind != "local":
        name = choice.settings.model.chat
        return " ".join(filter(None, [name and f"{name} of", engine_name(choice.settings, choice.script)])), ""
    get_one = f"fimserver pull {USUAL_CHAT_MODEL} && fimserver use --chat {USUAL_CHAT_MODEL}"
    if not choice.settings.model.chat:
        return "none; review, edit and chat need one", get_one
    try:
        return str(resolve(choice.settings.model.chat)), ""
    except ModelError as error:
        return str(error).partition(". ")[0], get_one
