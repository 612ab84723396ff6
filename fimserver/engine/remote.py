"""Be an `Engine` that asks a server somebody else runs: llama-server, Ollama, or anything that speaks OpenAI's API.

The prompts are the same as for our own engine, anchors and stops included. Closing an answer closes its connection,
which is how these servers are told to stop. What is wrong with a server is said in one sentence, and it is then left
alone for a while, so that a dead server does not cost every key a timeout.
"""

import asyncio
import json
import os
import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from functools import lru_cache
from typing import Any

import httpx2

from fimserver.engine.address import api_key, checked_url, is_loopback, key_file
from fimserver.engine.backoff import Patience, rest_of
from fimserver.engine.dialects import DIALECTS
from fimserver.engine.dialects.speech import Json, Piece
from fimserver.engine.interface import (
    Chunk,
    EngineState,
    EngineStatus,
    Finish,
    GenerateRequest,
    ModelFacts,
    Priority,
    Prompt,
    Usage,
)
from fimserver.errors import EngineError, EngineLoading, EngineRefused, EngineUnavailable
from fimserver.retrieval.secrets import mask_secrets
from fimserver.settings import EngineSettings

_CONNECT_S = 5.0
_SILENCE_S = 30.0
_PAUSES_S = (0.2, 0.8)
_PATIENCE = Patience()

# Longer than any event of these servers; a server that sends more without a line's end is none of them.
_LONGEST_LINE_BYTES = 4 * 1024 * 1024


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
        self._settings = settings
        self._pauses_s = pauses_s
        self._url = checked_url(settings)
        self._whereabouts = "" if is_loopback(self._url) else f"Ready. Your text goes to {self._url}."
        self._dialect = DIALECTS[settings.kind](settings)
        key = api_key(settings, environment)
        self._client = httpx2.AsyncClient(
            base_url=self._url,
            headers={"Authorization": f"Bearer {key}"} if key else {},
            timeout=httpx2.Timeout(silence_s, connect=_CONNECT_S),
            follow_redirects=False,
        )
        self._facts: ModelFacts | None = None
        self._status = EngineStatus(state=EngineState.ABSENT)
        self._failures: list[float] = []

    async def generate(self, request: GenerateRequest) -> AsyncGenerator[Chunk, None]:
        """Stream an answer. Raises EngineError; closing the iterator closes the connection.

        What looks like a secret is masked in the prompt: a server may stand, or pass on what it hears, anywhere.
        """
        request = replace(request, prompt=_without_secrets(request.prompt))
        answer = _Answer(request)
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

    async def _pieces(self, request: GenerateRequest, answer: "_Answer") -> AsyncGenerator[Piece, None]:
        """Yield the parts of the server's answer. Raises EngineError."""
        try:
            await self.describe()
            answer.stop_ids = await self._dialect.stop_ids(request.prompt, self._call)
            async with aclosing(self._asked(request)) as events:
                async for event in events:
                    yield self._dialect.piece(event)
        except (KeyError, TypeError, ValueError) as error:
            raise self._not_its_language() from error

    async def _asked(self, request: GenerateRequest) -> AsyncGenerator[Json, None]:
        """Yield the events of an answer; where there is none, ask once more for less. Raises EngineError."""
        while True:
            heard = False
            try:
                path, body = await self._dialect.question(request, self._call)
                async with aclosing(self._events(path, body)) as events:
                    async for event in events:
                        heard = True
                        yield event
                return
            except EngineError as error:
                answered = isinstance(error, EngineRefused) or isinstance(error.__cause__, _BROKEN_OFF)
                if heard or not answered or not self._dialect.simplify():
                    raise
                self._failures.clear()

    async def warm(self, prompt: Prompt, priority: Priority = Priority.WARM) -> Usage:
        """Let llama-server read a prompt beforehand. Other servers would generate a token for it, and are not asked."""
        if self._settings.kind != "llama-server":
            return Usage()
        usage = Usage()
        async with aclosing(self.generate(GenerateRequest(prompt=prompt, max_tokens=0, priority=priority))) as chunks:
            async for chunk in chunks:
                usage = chunk.usage
        return usage

    async def describe(self) -> ModelFacts:
        """Return what the server says of its model, asked for once. Raises EngineError."""
        if self._facts is None:
            try:
                facts = await self._dialect.describe(self._call)
            except (KeyError, TypeError, ValueError) as error:
                raise self._not_its_language() from error
            self._facts = replace(facts, remote=not is_loopback(self._url))
        return self._facts

    def status(self) -> EngineStatus:
        """Return what the last request has shown."""
        return self._status

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()

    async def _call(self, method: str, path: str, body: Json | None) -> Json:
        """Ask for one JSON object. Raises EngineError."""
        async with self._response(method, path, body) as response:
            content = await response.aread()
        try:
            answer = json.loads(content)
        except ValueError as error:
            raise self._not_its_language() from error
        if not isinstance(answer, dict):
            raise self._not_its_language()
        return answer

    async def _events(self, path: str, body: Json) -> AsyncGenerator[Json, None]:
        """Yield the JSON objects of a streamed answer. Raises EngineError."""
        async with self._response("POST", path, body) as response, aclosing(_lines(response)) as lines:
            async for line in lines:
                payload = line.removeprefix("data:").strip() if self._dialect.framing == "events" else line.strip()
                if not payload or payload.startswith((":", "event:", "id:", "retry:")):
                    continue
                if payload == "[DONE]":
                    return
                event = json.loads(payload)
                if not isinstance(event, dict):
                    raise self._not_its_language()
                if event.get("error"):
                    raise EngineRefused(f"{self._url} answers: {_reason(event)}")
                yield event

    @asynccontextmanager
    async def _response(self, method: str, path: str, body: Json | None) -> AsyncIterator[httpx2.Response]:
        """Open an answer, asked for again where a server that is up cannot answer just now. Raises EngineError."""
        self._rest()
        try:
            response = await self._answer(method, path, body)
        except httpx2.HTTPError as error:
            raise self._failed(error) from error
        try:
            await self._check(response)
            self._failures.clear()
            self._status = EngineStatus(state=EngineState.READY, message=self._whereabouts)
            yield response
        except httpx2.HTTPError as error:
            raise self._failed(error) from error
        finally:
            await response.aclose()

    async def _answer(self, method: str, path: str, body: Json | None) -> httpx2.Response:
        for pause_s in (*self._pauses_s, None):
            if self._client.is_closed:
                raise EngineUnavailable("The engine was let go of.")
            request = self._client.build_request(method, path, json=body)
            response = await self._client.send(request, stream=True)
            if response.status_code not in _PASSING_STATUS or pause_s is None:
                break
            await response.aclose()
            await asyncio.sleep(pause_s)
        return response

    async def _check(self, response: httpx2.Response) -> None:
        """Raise EngineError unless this is an answer."""
        if response.is_success and "text/html" not in response.headers.get("Content-Type", ""):
            return
        url, status, kind = self._url, response.status_code, self._settings.kind
        if response.is_redirect:
            target = response.headers.get("Location", "elsewhere")
            raise EngineRefused(f"{url} sends us on to {target}. If you trust that address, make it engine.url.")
        if response.is_success:
            raise EngineRefused(f"{url} answers with a web page. Set engine.url to the address of a {kind} server.")
        if status in (401, 403):
            key = f"the key of ${self._settings.api_key_variable}"
            raise EngineRefused(f"{url} refuses {key} ({status}). Set that variable, or put the key into {key_file()}.")
        content = (await response.aread()).decode("utf-8", "replace")
        reason = _reason_in(content)
        if status == 404 and not reason:
            raise EngineRefused(f"{url} has no {response.request.url.path}: it is no {kind} server. Check engine.kind.")
        if status == 503 and "loading" in reason.lower():
            raise EngineLoading(f"{url} is still reading its model.")
        kind_of_error = EngineUnavailable if status in _PASSING_STATUS else EngineRefused
        raise kind_of_error(f"{url} answers {status}: {reason or 'no reason given'}.{self._remedy(reason)}")

    def _remedy(self, reason: str) -> str:
        missing = self._settings.kind == "ollama" and "not found" in reason
        return f" Get it with: ollama pull {self._settings.remote_model}" if missing else ""

    def _rest(self) -> None:
        """Raise EngineUnavailable while the server is left alone."""
        if rest_of(self._failures, time.monotonic(), _PATIENCE).left_s > 0:
            raise EngineUnavailable(self._status.message)

    def _failed(self, error: httpx2.HTTPError) -> EngineError:
        kind, reason = type(error).__name__, str(error)
        how = next((how for names, how in _FAILURES.items() if kind in names), "breaks off")
        remedy = _TRUST if "CERTIFICATE_VERIFY_FAILED" in reason else "Is the server running? Check engine.url."
        message = f"{self._url} {how} ({reason or kind}). {remedy}"
        self._failures.append(time.monotonic())
        self._status = EngineStatus(state=EngineState.FAILED, message=message)
        return EngineUnavailable(message)

    def _not_its_language(self) -> EngineRefused:
        kind = self._settings.kind
        return EngineRefused(f"{self._url} answers, but not as a {kind} server does. Check engine.kind and engine.url.")


def _without_secrets(prompt: Prompt) -> Prompt:
    segments = tuple(replace(one, text=_masked(one.text)) for one in prompt.segments)
    return replace(prompt, segments=segments, turns=tuple(replace(one, text=_masked(one.text)) for one in prompt.turns))


# Most segments stay the same from key to key, and masking a long one takes some milliseconds.
_masked = lru_cache(maxsize=64)(mask_secrets)


# An answer that began and then broke, as servers do that fail at something they were asked for.
_BROKEN_OFF = (httpx2.RemoteProtocolError, httpx2.ReadError)

_PASSING_STATUS = frozenset({429, 502, 503, 504})

_TRUST = (
    "Its certificate is not trusted here: set the environment variable SSL_CERT_FILE to a file that holds your "
    "authority's, or use the name that the certificate is for."
)

_FAILURES: Mapping[frozenset[str], str] = {
    frozenset({"ConnectError", "ConnectTimeout", "UnsupportedProtocol"}): "cannot be reached",
    frozenset({"ReadTimeout", "WriteTimeout", "PoolTimeout"}): "does not answer",
}


class _Answer:
    """Turns pieces into chunks, and knows when the answer is over. `deadline` is a time of the event loop."""

    def __init__(self, request: GenerateRequest) -> None:
        self._request = request
        self._began = asyncio.get_running_loop().time()
        self._text = ""
        self._usage = Usage()
        self.deadline = None if request.deadline_ms is None else self._began + request.deadline_ms / 1000
        self.stop_ids: frozenset[int] = frozenset()
        self.finish: Finish | None = None

    def read(self, piece: Piece) -> Chunk:
        """Return a piece as a chunk, and note why the answer ends with it, if it does."""
        if not self.stop_ids.isdisjoint(piece.token_ids):
            self.finish = Finish.END_OF_TEXT
            return Chunk(usage=self._counted(replace(piece, text="")))
        self._text += piece.text
        if any(stop in self._text for stop in self._request.stop_texts):
            self.finish = Finish.STOP_TEXT
        elif piece.finish is not None:
            self.finish = piece.finish
        return Chunk(text=piece.text, tokens=piece.tokens, logprob=piece.logprob, usage=self._counted(piece))

    def last(self) -> Chunk:
        """Return the chunk that ends the answer."""
        return Chunk(usage=replace(self._usage, total_ms=self._passed_ms()), finish=self.finish)

    def _counted(self, piece: Piece) -> Usage:
        first = self._usage.first_token_ms
        if first is None and piece.text:
            first = self._passed_ms()
        counts: dict[str, Any] = dict(piece.counts or {})
        counts.setdefault("generated_tokens", self._usage.generated_tokens + bool(piece.text))
        self._usage = replace(self._usage, first_token_ms=first, total_ms=self._passed_ms(), **counts)
        return self._usage

    def _passed_ms(self) -> float:
        return (asyncio.get_running_loop().time() - self._began) * 1000


async def _lines(response: httpx2.Response) -> AsyncGenerator[str, None]:
    """Yield the lines of an answer. Raises EngineRefused where one has no end."""
    rest = b""
    async for content in response.aiter_bytes():
        *lines, rest = (rest + content).split(b"\n")
        for line in lines:
            yield line.decode("utf-8", "replace")
        if len(rest) > _LONGEST_LINE_BYTES:
            raise EngineRefused(f"{response.request.url.host} sends a line that does not end. Check engine.kind.")
    if rest:
        yield rest.decode("utf-8", "replace")


def _reason_in(content: str) -> str:
    try:
        answer = json.loads(content)
    except ValueError:
        return ""
    return _reason(answer) if isinstance(answer, dict) else ""


def _reason(answer: Json) -> str:
    """Return what a server says went wrong: they put it into `error`, `message` or `detail`, one below the other."""
    reason = answer.get("error") or answer.get("message") or answer.get("detail") or ""
    if isinstance(reason, Mapping):
        reason = reason.get("message") or ""
    return str(reason)[:300]
