"""Start, stop or show the engine process of the chosen model."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import click

from fimserver.cli import output
from fimserver.cli.choice import Choice
from fimserver.cli.engines import engine_process
from fimserver.cli.status import status_command
from fimserver.engine.client import EngineClient

Result = TypeVar("Result")


@click.group("engine")
def engine_command() -> None:
    """Start, stop or show the engine process. It starts by itself when it is needed, and ends when it is not."""


@engine_command.command("start")
@click.pass_obj
def start_command(choice: Choice) -> None:
    """Start the engine and wait until its model is loaded."""
    facts = _with_engine(choice, EngineClient.loaded)
    output.line(f"{facts.name} is ready: {facts.architecture}, context {facts.context_tokens:,} tokens.")


@engine_command.command("stop")
@click.pass_obj
def stop_command(choice: Choice) -> None:
    """Stop the engine, for every editor that uses it."""
    stopped = _with_engine(choice, EngineClient.stop)
    output.line("The engine has stopped." if stopped else "No engine was running.")


engine_command.add_command(status_command)


def _with_engine(choice: Choice, work: Callable[[EngineClient], Awaitable[Result]]) -> Result:
    async def run() -> Result:
        client = engine_process(choice.settings)
        try:
            return await work(client)
        finally:
            await client.close()

    return asyncio.run(run())
