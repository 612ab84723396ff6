"""Be an `Engine` that asks a server somebody else runs: llama-server, Ollama, or anything that speaks OpenAI's API.

The prompts are the same as for our own engine, anchors and stops included. Closing an answer closes its connection,
which is how these servers are told to stop.
"""

import asyncio
import os
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from functools import lru_cache

from fimserver.engine.dialects import DIALECTS
from fimserver.engine.dialects.speech import Json, Piece
from fimserver.engine.http import Server, was_answered
from fimserver.engine.interface import (
    Chunk,
    EngineStatus,
    Finish,
    GenerateRequest,
    ModelFacts,
    Priority,
    Prompt,
    Usage,
)
from fimserver.engine.remote_answer import RemoteAnswer
from fimserver.errors import EngineError
from fimserver.retrieval.secrets import mask_secrets
from fimserver.settings import EngineSettings

_SILENCE_S = 30.0
_PAUSES_S = (0.2, 0.8)


class RemoteEngine:
    """A server, as an `Engine`. All methods belong to one event loop."""

    def __init__(
        self,
        settings: EngineSettings,
        environment: Mapping[str, str] = os.environ,
        *,
        silence_s: float = _SILENCE_S,
        pauses_s: Sequence[float] = _PAUSES_S,
    ) -> None:
        """Make an engine; nothing is asked yet. Raises SettingsError where the address or the key cannot be used.

        A server that says nothing for `silence_s` is taken for one that hangs; one that is busy is asked again after
        each of `pauses_s`.
        """
        self._server = Server(settings, environment, silence_s=silence_s, pauses_s=pauses_s)
        self._dialect = DIALECTS[settings.kind](settings)
        self._reads_ahead = settings.kind == "llama-server"
        self._facts: ModelFacts | None = None

    async def generate(self, request: GenerateRequest) -> AsyncGenerator[Chunk, None]:
        """Stream an answer. Raises EngineError; closing the iterator closes the connection.

        What looks like a secret is masked in the prompt: a server may stand, or pass on what it hears, anywhere.
        """
        request = replace(request, prompt=_without_secrets(request.prompt))
        answer = RemoteAnswer(request)
        if request.forced:
            yield answer.read(Piece(text=request.forced))
        async with aclosing(self._pieces(request, answer)) as pieces:
            while answer.finish is None:
                try:
                    async with asyncio.timeout_at(answer.deadline):
                        piece = await anext(pieces)
                except TimeoutError:
                    answer.finish = Finish.DEADLINE
                except StopAsyncIteration:
                    answer.finish = Finish.END_OF_TEXT
                else:
                    yield answer.read(piece)
        yield answer.last()

    async def warm(self, prompt: Prompt, priority: Priority = Priority.WARM) -> Usage:
        """Let llama-server read a prompt beforehand. Other servers would generate a token for it, and are not asked."""
        usage = Usage()
        if self._reads_ahead:
            only_read = GenerateRequest(prompt=prompt, max_tokens=0, priority=priority)
            async with aclosing(self.generate(only_read)) as chunks:
                async for chunk in chunks:
                    usage = chunk.usage
        return usage

    async def describe(self) -> ModelFacts:
        """Return what the server says of its model, asked for once. Raises EngineError."""
        if self._facts is None:
            try:
                facts = await self._dialect.describe(self._server.call)
            except (KeyError, TypeError, ValueError) as error:
                raise self._server.not_its_language() from error
            self._facts = replace(facts, remote=self._server.is_elsewhere)
        return self._facts

    def status(self) -> EngineStatus:
        """Return what the last request has shown."""
        return self._server.status

    async def close(self) -> None:
        """Close all connections."""
        await self._server.close()

    async def _pieces(self, request: GenerateRequest, answer: RemoteAnswer) -> AsyncGenerator[Piece, None]:
        """Yield the parts of the server's answer. Raises EngineError."""
        try:
            await self.describe()
            answer.stop_ids = await self._dialect.stop_ids(request.prompt, self._server.call)
            async with aclosing(self._events(request)) as events:
                async for event in events:
                    yield self._dialect.piece(event)
        except (KeyError, TypeError, ValueError) as error:
            raise self._server.not_its_language() from error

    async def _events(self, request: GenerateRequest) -> AsyncGenerator[Json, None]:
        """Yield the events of an answer; where there is none, ask once more for less. Raises EngineError."""
        while True:
            heard = False
            try:
                path, body = await self._dialect.question(request, self._server.call)
                async with aclosing(self._server.events(path, body, self._dialect.framing)) as events:
                    async for event in events:
                        heard = True
                        yield event
                return
            except EngineError as error:
                if heard or not was_answered(error) or not self._dialect.simplify():
                    raise
                self._server.forgive()


def _without_secrets(prompt: Prompt) -> Prompt:
    segments = tuple(replace(one, text=_masked(one.text)) for one in prompt.segments)
    return replace(prompt, segments=segments, turns=tuple(replace(one, text=_masked(one.text)) for one in prompt.turns))


# Most segments stay the same from key to key, and masking a long one takes some milliseconds.
_masked = lru_cache(maxsize=64)(mask_secrets)
