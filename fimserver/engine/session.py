"""Serve one client of the engine: its requests become jobs of the worker, the worker's chunks become frames.

What a client does wrong costs that client only: a frame that is no frame closes its connection, a request that makes no
sense is refused, and one that stops reading is dropped. Whatever it had asked for is cancelled when it goes.
"""

import asyncio
import hmac
import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Protocol

from fimserver.engine.interface import Chunk, EngineState, EngineStatus, GenerateRequest, ModelFacts, Prompt
from fimserver.engine.peer import is_ours
from fimserver.engine.wire import (
    MAX_FRAME_BYTES,
    PROTOCOL_VERSION,
    Frame,
    FrameBroken,
    decode_frame,
    decode_request,
    encode,
    encode_error,
    encode_frame,
    take,
)
from fimserver.errors import EngineLoading, EngineRefused, FimError

if TYPE_CHECKING:  # it imports llama.cpp
    from fimserver.engine.worker import Job, Worker

_LOG = logging.getLogger(__name__)

# An honest client says hello in its first packet; nobody may hold a connection without.
_HELLO_S = 10
_HELLO_BYTES = 1024

# A client reads a chunk in less than a millisecond. Ten thousand unread chunks mean that it hangs.
_MOST_UNREAD_BYTES = 4 * 1024 * 1024

# A language server has a few requests per document in flight; this many is a mistake.
_MOST_JOBS = 256

_SETTLED = (EngineState.READY, EngineState.FAILED)

Result = Chunk | FimError
MakeJob = Callable[[GenerateRequest, Callable[[Result], None]], "Job"]


class Host(Protocol):
    """What a session needs of the daemon it belongs to."""

    make_job: MakeJob

    @property
    def token(self) -> str:
        """What a client must know to come in."""

    @property
    def worker(self) -> "Worker":
        """The worker. Raises why there is none, once the state is FAILED."""

    def status(self) -> EngineStatus:
        """Return the engine's state now."""

    def facts(self) -> ModelFacts | None:
        """Return the model's facts; None where the model is not loaded."""

    def touch(self) -> None:
        """Note that somebody needed the engine just now."""

    def end(self) -> None:
        """Begin to stop the process."""


class Session:
    """One client, from its hello to its end."""

    def __init__(self, host: Host, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._host = host
        self._reader = reader
        self._writer = writer
        self._loop = asyncio.get_running_loop()
        self.has_asked = False  # for anything but the facts
        self._jobs: dict[int, Job] = {}
        self._describing: list[int] = []  # the requests for facts that wait for the model
        self._answers: Mapping[str, Callable[[int, Frame], None]] = {
            "generate": self._generate,
            "cancel": self._cancel,
            "describe": self._describe,
            "ping": self._pong,
        }

    @property
    def working(self) -> bool:
        """True while the client waits for something."""
        return bool(self._jobs or self._describing)

    async def greet(self) -> bool:
        """Return whether the client may come in: it is this user, speaks this version and knows the token."""
        try:
            hello = is_ours(self._writer.get_extra_info("socket")) and await asyncio.wait_for(self._hello(), _HELLO_S)
        except (ValueError, TimeoutError, ConnectionError):  # ValueError: what is no frame, or no text
            hello = False
        if not hello:
            _LOG.warning("A connection of another user, or without the right version or token, was closed.")
        return hello

    async def serve(self) -> None:
        """Welcome the client and answer it until it leaves, or is made to."""
        self.send({"type": "welcome", "version": PROTOCOL_VERSION, "status": encode(self._host.status())})
        try:
            while True:
                self._answer(decode_frame(await self._reader.readuntil(b"\n")))
        except (FrameBroken, asyncio.LimitOverrunError):
            _LOG.warning(
                "A client sent what is no frame, or one of more than %d bytes; it was dropped.", MAX_FRAME_BYTES
            )
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # it left, between two frames or within one
        finally:
            for job in self._jobs.values():
                self._host.worker.cancel(job)
            self._jobs.clear()

    def send(self, frame: Frame) -> None:
        """Write a frame without waiting; a client that leaves too much of it unread is dropped."""
        if self._writer.is_closing():
            return
        self._writer.write(encode_frame(frame))
        if self._writer.transport.get_write_buffer_size() > _MOST_UNREAD_BYTES:
            _LOG.warning("A client that had stopped reading was dropped.")
            self._writer.transport.abort()

    def say_status(self) -> None:
        """Push the state, and the facts to those who wait for them."""
        status = self._host.status()
        self.send({"type": "status", "status": encode(status)})
        if status.state in _SETTLED:
            waiting, self._describing = self._describing, []
            for number in waiting:
                self._answer({"type": "describe", "id": number, "wait": False})

    async def _hello(self) -> bool:
        """Read the hello and return whether it is right. Who is not in yet may not send more than a little."""
        line = b""
        while not line.endswith(b"\n") and len(line) < _HELLO_BYTES:
            piece = await self._reader.read(_HELLO_BYTES)
            if not piece:
                return False
            line += piece
        hello = decode_frame(line)
        token = take(hello, "token", str).encode()
        right_token = hmac.compare_digest(token, self._host.token.encode())
        return right_token and hello["type"] == "hello" and take(hello, "version", int) == PROTOCOL_VERSION

    def _answer(self, frame: Frame) -> None:
        kind = frame["type"]
        if kind == "stop":
            self._host.end()
            return
        number = take(frame, "id", int)
        try:
            if kind not in self._answers:
                raise EngineRefused("This engine does not know such a request.")
            self._answers[kind](number, frame)
        except FrameBroken as error:
            self._send_error(number, EngineRefused(f"The request makes no sense: {error}"))
        except FimError as error:
            self._send_error(number, error)

    def _generate(self, number: int, frame: Frame) -> None:
        self.has_asked = True
        self._submit(number, decode_request(take(frame, "request", dict)))

    def _submit(self, number: int, request: GenerateRequest) -> None:
        """Hand a request to the worker. After a failed load it answers each with what went wrong."""
        self._host.touch()
        if self._host.status().state not in _SETTLED:
            raise EngineLoading("The model is still being loaded; ask again in a moment.")
        if len(self._jobs) >= _MOST_JOBS:
            raise EngineRefused("Too many requests of this client are in flight.")
        if number in self._jobs:
            raise EngineRefused("A request of this number is in flight.")

        def deliver(result: Result) -> None:  # in the worker's thread
            self._loop.call_soon_threadsafe(self._deliver, number, job, result)

        job = self._host.make_job(request, deliver)
        self._host.worker.submit(job)
        self._jobs[number] = job

    def _deliver(self, number: int, job: "Job", result: Result) -> None:
        if self._jobs.get(number) is not job:
            return  # cancelled meanwhile
        if isinstance(result, FimError) or result.finish is not None:
            del self._jobs[number]
            self._host.touch()
        if isinstance(result, FimError):
            self._send_error(number, result)
        else:
            self.send({"type": "chunk", "id": number, "chunk": encode(result)})

    def _cancel(self, number: int, frame: Frame) -> None:  # noqa: ARG002 - every answer has the same shape
        if number in self._describing:
            self._describing.remove(number)
        job = self._jobs.pop(number, None)
        if job is not None:
            self._host.worker.cancel(job)

    def _describe(self, number: int, frame: Frame) -> None:
        wait, facts = take(frame, "wait", bool), self._host.facts()
        if facts is not None:
            self._host.touch()
            self.send({"type": "facts", "id": number, "facts": encode(facts)})
        elif wait and self._host.status().state not in _SETTLED:
            self._describing.append(number)
        else:
            self._submit(number, GenerateRequest(prompt=Prompt(()), max_tokens=0))  # is answered with what is wrong

    def _pong(self, number: int, frame: Frame) -> None:  # noqa: ARG002
        self.send({"type": "pong", "id": number})

    def _send_error(self, number: int, error: FimError) -> None:
        self.send({"type": "error", "id": number, "error": encode_error(error)})
