"""Turn the running engine's state into a few lines."""

import asyncio
from dataclasses import asdict, replace

import click

from fimserver.cli import output
from fimserver.cli.choice import Choice
from fimserver.cli.engines import ask_status, engine_name
from fimserver.engine.interface import EngineState, EngineStatus
from fimserver.settings import Settings


@click.command("status")
@click.option("--json", "as_json", is_flag=True, help="Print the same as JSON.")
@click.pass_obj
def status_command(choice: Choice, as_json: bool) -> None:
    """Show the engine that is running, and that of the chat model if one is chosen. Nothing is started for it."""
    name, status = _engine(choice, choice.settings)
    chat = _chat_engine(choice)
    if as_json:
        shown = {"model": chat[0], **asdict(chat[1])} if chat else None
        output.as_json({"model": name, **asdict(status), "chat": shown})
        return
    rows = _rows(name, status)
    if chat:
        rows += [(f"chat {heading}", shown) for heading, shown in _rows(*chat)]
    output.columns([((heading, output.FAINT), shown) for heading, shown in rows])


def _engine(choice: Choice, settings: Settings) -> tuple[str, EngineStatus]:
    return engine_name(settings, choice.script), asyncio.run(ask_status(settings, choice.script))


def _chat_engine(choice: Choice) -> tuple[str, EngineStatus] | None:
    """Return the chat model and its engine's state, None where there is no second engine."""
    settings = choice.settings
    if not settings.model.chat or choice.script is not None or settings.engine.kind != "local":
        return None
    return _engine(choice, replace(settings, model=replace(settings.model, completion=settings.model.chat)))


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
