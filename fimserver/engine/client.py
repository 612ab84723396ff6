"""Be an `Engine` for this process: one line to the shared engine process, which is found, started and restarted.

The engine's death costs the requests that were waiting, which hear it at once; the next one starts it again, with a
growing rest in between, and after too many deaths not until somebody asks for it.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from fimserver.engine.backoff import Patience, rest_of
from fimserver.engine.connection import Answer, Connection, EngineLeft, EngineSilent
from fimserver.engine.interface import (
    Chunk,
    EngineState,
    EngineStatus,
    GenerateRequest,
    ModelFacts,
    Priority,
    Prompt,
    Usage,
)
from fimserver.engine.launch import Line, find, find_or_start, kill, stop, tidy
from fimserver.engine.starting import COMMAND
from fimserver.engine.wire import EngineOptions, encode
from fimserver.errors import EngineUnavailable, FimError

_PATIENCE = Patience()
_ABSENT = EngineStatus(state=EngineState.ABSENT)


class EngineClient:
    """Our own engine process, as an `Engine`. All methods belong to one event loop."""

    def __init__(
        self,
        options: EngineOptions,
        *,
        command: Sequence[str] = COMMAND,
        patience: Patience = _PATIENCE,
        on_status: Callable[[EngineStatus], None] = lambda _: None,
        may_start: Callable[[], None] = lambda: None,
    ) -> None:
        """Make a client; nothing is started before the first request.

        `may_start` is asked before every start of a process, and raises ModelError where there must be none.
        `on_status` is called with every change of the state, in the event loop.
        """
        self._options = options
        self._command = command
        self._patience = patience
        self._on_status = on_status
        self._may_start = may_start
        self._status = _ABSENT
        self._connection: Connection | None = None
        self._opening: asyncio.Task[Connection] | None = None
        self._closed = False
        self._stops: list[float] = []  # when the engine stopped unexpectedly

    async def generate(self, request: GenerateRequest) -> AsyncGenerator[Chunk, None]:
        """Stream an answer. Raises EngineLoading while the model is read, EngineError, ModelError; closing cancels."""
        async with aclosing(self._ask("generate", request=encode(request))) as answers:
            async for answer in answers:
                assert isinstance(answer, Chunk)
                yield answer

    async def warm(self, prompt: Prompt, priority: Priority = Priority.WARM) -> Usage:
        """Evaluate a prompt so that the next request that begins with it finds it done. Raises as `generate` does."""
        only_evaluate = GenerateRequest(prompt=prompt, max_tokens=0, priority=priority)
        answer = await self._last("generate", request=encode(only_evaluate))
        assert isinstance(answer, Chunk)
        return answer.usage

    async def describe(self) -> ModelFacts:
        """Return the model's facts, starting the engine if need be. Raises as `generate` does."""
        answer = await self._last("describe", wait=False)
        assert isinstance(answer, ModelFacts)
        return answer

    async def loaded(self) -> ModelFacts:
        """Return the model's facts as soon as there are any: as `describe`, but the loading is waited for."""
        answer = await self._last("describe", wait=True)
        assert isinstance(answer, ModelFacts)
        return answer

    def status(self) -> EngineStatus:
        """Return the state as last heard, without waiting."""
        return self._status

    async def ask_status(self) -> EngineStatus:
        """Return the state as the engine says it now; ABSENT where none runs, for none is started."""
        line = await find(self._options)
        if line is None:
            return _ABSENT
        line.writer.close()
        return replace(line.status, clients=line.status.clients - 1)  # who only looks is no client

    async def stop(self) -> bool:
        """Stop the engine for everybody who uses it, by force if it hangs. Return whether there was one."""
        return await stop(self._options)

    async def restart(self) -> None:
        """Start the engine anew, however often it has stopped. Raises as `generate` does, but never EngineLoading."""
        self._stops.clear()
        await self.stop()
        await self._connected()

    async def leave(self) -> None:
        """Let go of the engine for good: it ends at once where nobody else uses it. Raises as `ask_status` does."""
        ours = self._connection is not None and self._connection.open
        others = (await self.ask_status()).clients - ours
        await self.close()
        if not others:
            await self.stop()

    async def close(self) -> None:
        """Let go of the engine. It goes on for its other clients."""
        self._closed = True
        if self._opening is not None:
            self._opening.cancel()
        if self._connection is not None:
            await self._connection.close()

    async def _last(self, kind: str, **fields: Any) -> Answer:
        async with aclosing(self._ask(kind, **fields)) as answers:
            async for answer in answers:
                last = answer
        return last

    async def _ask(self, kind: str, **fields: Any) -> AsyncGenerator[Answer, None]:
        """Yield the answers to one request; ask a second engine where the first ended, as it should, meanwhile."""
        answered = False
        while True:
            connection = await self._connected()
            try:
                async with aclosing(connection.answers(kind, **fields)) as answers:
                    async for answer in answers:
                        answered = True
                        yield answer
                return
            except EngineLeft:
                if answered or self._closed:
                    raise

    async def _connected(self) -> Connection:
        """Return a connection to the engine, which is started if need be: once, for all who wait for it."""
        if self._closed:
            raise EngineLeft("The engine was let go of.")
        if self._connection is not None and self._connection.open:
            return self._connection
        if self._opening is None:
            pause_s = self._pause_s()
            self._opening = asyncio.create_task(self._open(pause_s))
            self._opening.add_done_callback(self._opened)
        opening = self._opening
        try:
            return await asyncio.shield(opening)
        except asyncio.CancelledError:
            if opening.cancelled():  # by `close`, not we
                raise EngineLeft("The engine was let go of.") from None
            raise

    def _pause_s(self) -> float:
        """Return how long to wait before a start. Raises EngineUnavailable where that is too long to wait for."""
        rest = rest_of(self._stops, asyncio.get_running_loop().time(), self._patience)
        if rest.given_up:
            raise EngineUnavailable(
                f"The engine stopped {self._patience.most_stops} times in a short while and is left alone now. "
                f"{self._status.message} Run `fimserver doctor`, then `fimserver engine start`."
            )
        if rest.left_s > self._patience.bearable_rest_s:
            raise EngineUnavailable(f"{self._status.message} It is started again in {rest.left_s:.0f} s.")
        return rest.left_s

    async def _open(self, pause_s: float) -> Connection:
        await asyncio.sleep(pause_s)
        try:
            line = await find_or_start(
                self._options,
                command=self._command,
                start_s=self._patience.start_s,
                on_start=self._starts,
            )
        except FimError as error:
            self._failed(error)
            raise
        return self._connect(line)

    def _starts(self) -> None:
        self._may_start()
        self._hear(EngineStatus(state=EngineState.STARTING))

    def _opened(self, opening: asyncio.Task[Connection]) -> None:
        self._opening = None
        if not opening.cancelled() and opening.exception() is None:
            self._connection = opening.result()

    def _connect(self, line: Line) -> Connection:
        self._hear(line.status)
        return Connection(line, silence_s=self._patience.silence_s, on_status=self._hear, on_end=self._lost)

    def _lost(self, connection: Connection, reason: EngineUnavailable) -> None:
        """Note that a line has ended, and clear away what is left of an engine that did not end as it should."""
        if isinstance(reason, EngineLeft):
            self._hear(_ABSENT)
            return
        if isinstance(reason, EngineSilent):
            kill(connection.line.place, connection.line.status.pid)
        tidy(connection.line.place)
        self._failed(reason)

    def _failed(self, reason: FimError) -> None:
        if isinstance(reason, EngineUnavailable):
            self._stops.append(asyncio.get_running_loop().time())
        self._hear(EngineStatus(state=EngineState.FAILED, message=str(reason)))

    def _hear(self, status: EngineStatus) -> None:
        if status != self._status:
            self._status = status
            asyncio.get_running_loop().call_soon(self._on_status, status)  # what a listener does wrong is its own
