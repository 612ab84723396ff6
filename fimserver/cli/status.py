"""Turn the running engine's state into a few lines."""

import asyncio
from dataclasses import asdict

import click

from fimserver.cli import output
from fimserver.cli.choice import Choice
from fimserver.cli.engines import engine_options
from fimserver.engine.client import EngineClient
from fimserver.engine.interface import EngineState, EngineStatus


@click.command("status")
@click.option("--json", "as_json", is_flag=True, help="Print the same as JSON.")
@click.pass_obj
def status_command(choice: Choice, as_json: bool) -> None:
    """Show the engine that is running. Nothing is started for it."""
    options = engine_options(choice.settings)
    status = asyncio.run(_ask(EngineClient(options)))
    values = {"model": options.model_path, **asdict(status)}
    if as_json:
        output.as_json(values)
    else:
        output.columns([((name, output.FAINT), shown) for name, shown in _rows(options.model_path, status)])


async def _ask(client: EngineClient) -> EngineStatus:
    try:
        return await client.ask_status()
    finally:
        await client.close()


def _rows(model_path: str, status: EngineStatus) -> list[tuple[str, str]]:
    rows = [("model", model_path), ("engine", _STATES[status.state].format(status.percent))]
    if status.message:
        rows.append(("message", status.message))
    if status.pid:
        rows += [
            ("process", str(status.pid)),
            ("memory", f"{status.memory_bytes / 1e6:.0f} MB"),
            ("clients", str(status.clients)),
        ]
    return rows


_STATES = {
    EngineState.ABSENT: "not running; it starts with the first suggestion",
    EngineState.STARTING: "starting",
    EngineState.LOADING: "loading the model, {} %",
    EngineState.READY: "ready",
    EngineState.FAILED: "failed",
}
