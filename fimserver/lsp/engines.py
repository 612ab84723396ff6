"""Keep a window's engines, the one that completes and the one that chats, as its settings name them now."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from fimserver.engine.client import EngineClient
from fimserver.engine.interface import Engine, ModelFacts
from fimserver.errors import EngineLoading, FimError
from fimserver.lsp.seams import EngineFactory
from fimserver.settings import Settings

# How often the status item hears how far an engine is that is starting.
_LOADING_POLL_S = 0.25


class Engines:
    """The engines of one window; that of the chat model is made when it is wanted first."""

    def __init__(self, new_engine: EngineFactory, settings: Settings) -> None:
        self._new_engine = new_engine
        self.completing = new_engine(settings)
        self._chatting: Engine | None = None

    def chatting(self, settings: Settings) -> Engine:
        """Return the engine of the chat model; where there is none it says why."""
        if self._chatting is None:
            self._chatting = self._new_engine(settings, chat=True)
        return self._chatting

    def follow(self, before: Settings, settings: Settings) -> list[Engine]:
        """Take other engines where the settings name others now, and return those that they replace."""
        changed_engine = settings.engine != before.engine
        replaced: list[Engine] = []
        if self._chatting is not None and (changed_engine or settings.model.chat != before.model.chat):
            replaced.append(self._chatting)
            self._chatting = None
        if changed_engine or settings.model != replace(before.model, chat=settings.model.chat):
            replaced.append(self.completing)
            self.completing = self._new_engine(settings)
        return replaced

    def begin_anew(self, settings: Settings) -> list[Engine]:
        """Take new engines, and return those that they replace."""
        replaced = self._all()
        self.completing, self._chatting = self._new_engine(settings), None
        return replaced

    async def stop(self) -> None:
        """Stop our own engine processes for everybody who uses them. Raises FimError where that cannot be done."""
        for engine in self._all():
            if isinstance(engine, EngineClient):
                await engine.stop()

    async def close(self) -> None:
        """Let go of them all."""
        for engine in self._all():
            await engine.close()

    def _all(self) -> list[Engine]:
        return [self.completing] if self._chatting is None else [self.completing, self._chatting]


async def loaded(engine: Engine, while_loading: Callable[[], None]) -> ModelFacts:
    """Return an engine's facts once its model is loaded, starting it if need be. Raises FimError."""
    while True:
        try:
            return await engine.describe()
        except EngineLoading:
            while_loading()
            await asyncio.sleep(_LOADING_POLL_S)


async def let_go(engine: Engine, after_s: float) -> None:
    """Let go of an engine once nobody waits for it; a process of ours ends then, unless another window uses it."""
    await asyncio.sleep(after_s)
    with suppress(FimError):  # nobody waits for it any more
        await (engine.leave() if isinstance(engine, EngineClient) else engine.close())
