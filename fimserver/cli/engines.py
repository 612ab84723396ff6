"""Turn the settings into the engine that answers: our own process, a server somewhere, or a script."""

from collections.abc import AsyncGenerator
from contextlib import suppress
from dataclasses import fields, replace
from pathlib import Path

from fimserver.engine.client import EngineClient
from fimserver.engine.interface import (
    Chunk,
    Engine,
    EngineState,
    EngineStatus,
    GenerateRequest,
    ModelFacts,
    Priority,
    Prompt,
    Usage,
)
from fimserver.engine.wire import EngineOptions
from fimserver.errors import EngineRefused, FimError, ModelMissing
from fimserver.settings import Settings

# The smallest of the catalogue that is of use for review: 4.7 GB.
USUAL_CHAT_MODEL = "qwen2.5-coder-7b-instruct"


def new_engine(settings: Settings, script: Path | None = None, *, chat: bool = False) -> Engine:
    """Return the engine, or that of the chat model; nothing is started before it is asked.

    Where the settings name none that could ever answer, every request says why: an editor's session goes on without.
    """
    try:
        return _chosen(_with_chat_model(settings, script), script, settings) if chat else _chosen(settings, script)
    except FimError as error:
        return NoEngine(error)


def engine_process(settings: Settings) -> EngineClient:
    """Return a client of our own engine process. Raises ModelError, or EngineRefused where a server answers."""
    if settings.engine.kind != "local":
        raise EngineRefused(f"The engine is {engine_name(settings, None)}, which is started and stopped where it runs.")
    return EngineClient(engine_options(settings))


async def ask_status(settings: Settings, script: Path | None) -> EngineStatus:
    """Return the engine's state as it is now. A server is asked what it is; a process of ours is not started for it."""
    engine = new_engine(settings, script)
    try:
        if isinstance(engine, EngineClient):
            return await engine.ask_status()
        with suppress(FimError):  # which is then the state
            await engine.describe()
        return engine.status()
    finally:
        await engine.close()


def engine_name(settings: Settings, script: Path | None) -> str:
    """Return what answers, as people would look for it: a script, a server's address, or a model file."""
    if script is not None:
        return str(script)
    if settings.engine.kind != "local":
        return f"{settings.engine.kind} at {settings.engine.url}"
    try:
        return engine_options(settings).model_path
    except FimError:
        return settings.model.completion


async def loaded_model(engine: Engine) -> ModelFacts:
    """Return the model's facts once it is loaded, however long that takes. Raises EngineError or ModelError."""
    return await (engine.loaded() if isinstance(engine, EngineClient) else engine.describe())


def engine_options(settings: Settings) -> EngineOptions:
    """Return how our own engine process is to run. Raises ModelMissing where there is no such model."""
    from fimserver.models.store import resolve

    same = {entry.name: getattr(settings.engine, entry.name) for entry in fields(EngineOptions)[1:]}
    return EngineOptions(model_path=str(resolve(settings.model.completion)), **same)


def _with_chat_model(settings: Settings, script: Path | None) -> Settings:
    """Return the settings by which the chat model answers where the completion model does else.

    Raises ModelMissing where none is chosen. A server of somebody else's may have another model for it, too.
    """
    if settings.engine.kind != "local":
        name = settings.model.chat or settings.engine.remote_model
        return replace(settings, engine=replace(settings.engine, remote_model=name))
    if not settings.model.chat and script is None:
        raise ModelMissing(
            "No chat model is chosen, and review, edit commands and chat need one. Get one with: "
            f"fimserver pull {USUAL_CHAT_MODEL} && fimserver use --chat {USUAL_CHAT_MODEL}"
        )
    return replace(settings, model=replace(settings.model, completion=settings.model.chat))


def _chosen(settings: Settings, script: Path | None, beside: Settings | None = None) -> Engine:
    """Return the engine of some settings; `beside` are those of the completion model where this is the chat model."""
    if script is not None:
        from fimserver.engine.fake import ScriptedEngine

        return ScriptedEngine.from_file(script)
    if settings.engine.kind != "local":
        from fimserver.engine.remote import RemoteEngine

        return RemoteEngine(settings.engine)
    return engine_process(settings) if beside is None else _chat_process(settings, beside)


def _chat_process(settings: Settings, beside: Settings) -> EngineClient:
    """Return a client of the chat model's own process, which is started only where both models fit into memory."""
    options, completion = engine_options(settings), engine_options(beside)

    def may_start() -> None:
        from fimserver.models.hardware import usable_bytes
        from fimserver.models.room import Context, check_room

        context = Context(tokens=options.context_tokens, kv_type=options.kv_type)
        check_room(Path(options.model_path), Path(completion.model_path), context, usable_bytes())

    return EngineClient(options, may_start=may_start)


class NoEngine:
    """An engine that can never answer, and says why."""

    def __init__(self, error: FimError) -> None:
        self._error = error

    def generate(self, request: GenerateRequest) -> AsyncGenerator[Chunk, None]:  # noqa: ARG002 - the seam's signature
        """Raise why there is no engine."""
        raise self._error

    async def warm(self, prompt: Prompt, priority: Priority = Priority.WARM) -> Usage:  # noqa: ARG002
        """Raise why there is no engine."""
        raise self._error

    async def describe(self) -> ModelFacts:
        """Raise why there is no engine."""
        raise self._error

    def status(self) -> EngineStatus:
        """Return the failure."""
        return EngineStatus(state=EngineState.FAILED, message=str(self._error))

    async def close(self) -> None:
        """Do nothing; there is nothing to let go of."""
