"""Turn the settings, or the option `--model` of the commands that talk, into the chat model that answers."""

from dataclasses import replace

import click

from fimserver.cli.choice import Choice, absolute_model
from fimserver.cli.engines import new_engine
from fimserver.engine.interface import Engine

chat_model_option = click.option("--model", metavar="ID|FILE", help="Chat model to use instead of the settings'.")


def chat_engine(choice: Choice, model: str | None) -> Engine:
    """Return the engine of the chat model; where none is chosen, whatever it is asked for says so and what mends it."""
    settings = choice.settings
    if model is not None:
        settings = replace(settings, model=replace(settings.model, chat=absolute_model(model) or ""))
    return new_engine(settings, choice.script, chat=True)
