"""Turn the running engine's state into a few lines."""

import asyncio
from dataclasses import asdict

import click

from fimserver.cli import output
from fimserver.cli.choice import Choice
from fimserver.cli.engines import ask_status, engine_name
from fimserver.engine.interface import EngineState, EngineStatus


@click.command("status")
@click.option("--json", "as_json", is_flag=True, help="Print the same as JSON.")
@click.pass_obj
def status_command(choice: Choice, as_json: bool) -> None:
    """Show the engine that is running. Nothing is started for it."""
    name = engine_name(choice.settings, choice.script)
    status = asyncio.run(ask_status(choice.settings, choice.script))
    if as_json:
        output.as_json({"model": name, **asdict(status)})
    else:
        output.columns([((heading, output.FAINT), shown) for heading, shown in _rows(name, status)])


def _rows(name: str, status: EngineStatus) -> list[tuple[str, str]]:
    rows = [("model", name), ("engine", _STATES[status.state].format(status.percent))]
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
