"""Carry many requests over one line to an engine: each gets the answers that bear its number, as values.

A line ends in one of three ways, and every waiting request hears it at once: the engine said goodbye (EngineLeft: ask
another), it is gone, or it lives and does not answer any more.
"""

import asyncio
import itertools
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import suppress
from typing import Any

from fimserver.engine.interface import Chunk, EngineState, EngineStatus, ModelFacts
from fimserver.engine.launch import Line
from fimserver.engine.starting import farewell
from fimserver.engine.wire import (
    Frame,
    FrameBroken,
    decode_chunk,
    decode_error,
    decode_facts,
    decode_frame,
    decode_status,
    encode_frame,
    take,
)
from fimserver.errors import EngineUnavailable, FimError

Answer = Chunk | ModelFacts | FimError | None  # None is a pong

_DECODERS: Mapping[str, Callable[[Frame], Answer | EngineStatus]] = {
    "chunk": lambda frame: decode_chunk(take(frame, "chunk", dict)),
    "facts": lambda frame: decode_facts(take(frame, "facts", dict)),
    "status": lambda frame: decode_status(take(frame, "status", dict)),
    "error": lambda frame: decode_error(take(frame, "error", dict)),
    "pong": lambda _: None,
}


class EngineLeft(EngineUnavailable):
    """The engine ended as it should, idle or told to; whoever asks again gets another."""


class EngineSilent(EngineUnavailable):
    """The engine's process is there and does not answer."""


class Connection:
    """An open line and the requests that wait on it."""

    def __init__(
        self,
        line: Line,
        *,
        silence_s: float,
        on_status: Callable[[EngineStatus], None],
        on_end: Callable[["Connection", EngineUnavailable], None],
    ) -> None:
        self.line = line
        self._silence_s = silence_s
        self._on_status = on_status
        self._on_end = on_end
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Queue[Answer]] = {}
        self._asked = asyncio.Event()
        self._heard = False
        self._state = line.status.state
        self._ended: EngineUnavailable | None = None
        self._tasks = (asyncio.create_task(self._read()), asyncio.create_task(self._watch()))

    @property
    def open(self) -> bool:
        """Whether the line has not ended yet."""
        return self._ended is None

    async def answers(self, kind: str, **fields: Any) -> AsyncGenerator[Answer, None]:
        """Send a request and yield what is answered to it, the last answer last. Closing the iterator cancels.

        Raises the error the engine answers with, and EngineUnavailable as soon as the line ends.
        """
        if self._ended is not None:
            raise _again(self._ended)
        number = next(self._numbers)
        answers = self._waiting[number] = asyncio.Queue()
        self.send({"type": kind, "id": number, **fields})
        self._asked.set()
        finished = False
        try:
            while not finished:
                answer = await answers.get()
                finished = not isinstance(answer, Chunk) or answer.finish is not None
                if isinstance(answer, FimError):
                    raise _again(answer)
                yield answer
        finally:  # nothing here may wait: this also runs while the task is being cancelled
            del self._waiting[number]
            if not finished:
                self.send({"type": "cancel", "id": number})

    def send(self, frame: Frame) -> None:
        """Write a frame without waiting; nothing happens on a line that has ended."""
        if self.open:
            self.line.writer.write(encode_frame(frame))

    async def close(self) -> None:
        """End the line from this side. Requests that wait hear it as EngineLeft."""
        self._end(EngineLeft("The engine was let go of."))
        with suppress(ConnectionError):
            await self.line.writer.wait_closed()

    async def _read(self) -> None:
        try:
            while True:
                self._take(decode_frame(await self.line.reader.readuntil(b"\n")))
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            # Its door is closed before it says goodbye, which is lost where we write to a line that has just ended.
            if isinstance(error, BrokenPipeError) and not self.line.place.door.exists():
                self._end(EngineLeft("The engine has ended; ask again."))
            else:
                self._end(EngineUnavailable(farewell(self.line.place, loading=self._state is EngineState.LOADING)))
        except (FrameBroken, asyncio.LimitOverrunError):
            self._end(EngineSilent("The engine answered what is no answer."))

    def _take(self, frame: Frame) -> None:
        self._heard = True
        if frame["type"] == "goodbye":
            self._end(EngineLeft("The engine has ended; ask again."))
            return
        decode = _DECODERS.get(frame["type"])
        if decode is None:
            raise FrameBroken("There is no such answer.")
        answer = decode(frame)
        if isinstance(answer, EngineStatus):
            self._state = answer.state
            self._on_status(answer)
        elif take(frame, "id", int) in self._waiting:  # else it was cancelled meanwhile
            self._waiting[frame["id"]].put_nowait(answer)

    async def _watch(self) -> None:
        """Ask an engine that is silent too long whether it lives, and end the line if it does not answer that either.

        With no request waiting nobody cares: then nothing is sent, and both processes sleep.
        """
        while True:
            if not self._waiting:
                self._asked.clear()
                await self._asked.wait()
            if await self._silent() and self._waiting:
                self.send({"type": "ping", "id": 0})
                if await self._silent():
                    self._end(EngineSilent("The engine does not answer any more."))
                    return

    async def _silent(self) -> bool:
        """Listen for a while and return whether nothing was heard."""
        self._heard = False
        await asyncio.sleep(self._silence_s)
        return not self._heard

    def _end(self, reason: EngineUnavailable) -> None:
        """Tell every waiting request, once."""
        if self._ended is not None:
            return
        self._ended = reason
        for answers in self._waiting.values():
            answers.put_nowait(reason)
        for task in self._tasks:
            if task is not asyncio.current_task():
                task.cancel()
        self.line.writer.close()
        self._on_end(self, reason)


def _again(error: FimError) -> FimError:
    """Return the error anew: one that several tasks raise would collect all their tracebacks."""
    return type(error)(*error.args)
