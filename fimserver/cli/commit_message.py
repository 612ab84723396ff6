"""Turn what is staged in the repository of this folder into the message of its commit."""

import asyncio
from contextlib import aclosing
from pathlib import Path

import click

from fimserver.cli import output
from fimserver.cli.chat_model import chat_engine, chat_model_option
from fimserver.cli.choice import Choice
from fimserver.cli.filter import write
from fimserver.cli.progress import at_work
from fimserver.engine.interface import Engine
from fimserver.review.commit import commit_message, message_of
from fimserver.settings import ContextSettings


@click.command("commit-message")
@click.option("--json", "as_json", is_flag=True, help="Print the message as JSON.")
@chat_model_option
@click.pass_obj
def commit_message_command(choice: Choice, as_json: bool, model: str | None) -> None:
    """Write the message of what is staged.

    Nothing is committed. As a hook: fimserver commit-message > "$1" in .git/hooks/prepare-commit-msg
    """
    engine = chat_engine(choice, model)
    with at_work(engine):
        message = asyncio.run(_message(engine, choice.settings.context))
    if as_json:
        output.as_json({"message": message})
    else:
        write(message + "\n")


async def _message(engine: Engine, exclude: ContextSettings) -> str:
    try:
        async with aclosing(commit_message(engine, Path.cwd(), exclude)) as pieces:
            return message_of("".join([piece async for piece in pieces]))
    finally:
        await engine.close()
