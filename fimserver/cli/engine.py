"""Start, stop or show the engine process of the chosen model."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from typing import TypeVar

import click

from fimserver.cli import output
from fimserver.cli.choice import Choice
from fimserver.cli.engines import engine_process
from fimserver.cli.progress import at_work
from fimserver.cli.status import status_command
from fimserver.engine.client import EngineClient
from fimserver.errors import ModelError
from fimserver.settings import Settings

Result = TypeVar("Result")


@click.group("engine")
def engine_command() -> None:
    """Start, stop or show the engine process. It starts by itself when it is needed, and ends when it is not."""


_json_option = click.option("--json", "as_json", is_flag=True, help="Print the same as JSON.")


@engine_command.command("start")
@_json_option
@click.pass_obj
def start_command(choice: Choice, as_json: bool) -> None:
    """Start the engine and wait until its model is loaded."""
    facts = _with_engine(choice.settings, EngineClient.loaded)
    if as_json:
        shown = ("name", "path", "architecture", "context_tokens")
        output.as_json({name: getattr(facts, name) for name in shown})
        return
    output.line(f"{facts.name} is ready: {facts.architecture}, context {facts.context_tokens:,} tokens.")


@engine_command.command("stop")
@_json_option
@click.pass_obj
def stop_command(choice: Choice, as_json: bool) -> None:
    """Stop the engine, and that of the chat model, for every editor that uses it."""
    settings = choice.settings
    stopped = [_with_engine(settings, EngineClient.stop)]
    if settings.model.chat:
        with suppress(ModelError):  # one that is not there has no engine
            chat = replace(settings, model=replace(settings.model, completion=settings.model.chat))
            stopped.append(_with_engine(chat, EngineClient.stop))
    if as_json:
        output.as_json({"stopped": any(stopped)})
        return
    output.line("The engine has stopped." if any(stopped) else "No engine was running.")


engine_command.add_command(status_command)


def _with_engine(settings: Settings, work: Callable[[EngineClient], Awaitable[Result]]) -> Result:
    async def run() -> Result:
        client = engine_process(settings)
        try:
            with at_work(client):
                return await work(client)
        finally:
            await client.close()

    return asyncio.run(run())
