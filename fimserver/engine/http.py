"""Turn a question to a server somebody else runs into its JSON, or into one sentence that says what is wrong with it.

A server that is busy is asked again. One that fails is left alone for a while, so that a dead server does not cost
every key a timeout.
"""

import asyncio
import json
import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager

import httpx2

from fimserver.engine.address import api_key, checked_url, is_loopback, key_file
from fimserver.engine.backoff import Patience, rest_of
from fimserver.engine.dialects.speech import Json
from fimserver.engine.interface import EngineState, EngineStatus
from fimserver.errors import EngineError, EngineLoading, EngineRefused, EngineUnavailable
from fimserver.settings import EngineSettings

_CONNECT_S = 5.0
_PATIENCE = Patience()

# Longer than any event of these servers; a server that sends more without a line's end is none of them.
_LONGEST_LINE_BYTES = 4 * 1024 * 1024

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


class Server:
    """A server, and how it has behaved. Closing an answer closes its connection. All belongs to one event loop."""

    def __init__(
        self, settings: EngineSettings, environment: Mapping[str, str], *, silence_s: float, pauses_s: Sequence[float]
    ) -> None:
        """Take its address; nothing is asked yet. Raises SettingsError where the address or the key cannot be used."""
        self.url = checked_url(settings)
        self.is_elsewhere = not is_loopback(self.url)
        self.status = EngineStatus(state=EngineState.ABSENT)
        self._settings = settings
        self._pauses_s = pauses_s
        self._failures: list[float] = []
        key = api_key(settings, environment)
        self._client = httpx2.AsyncClient(
            base_url=self.url,
            headers={"Authorization": f"Bearer {key}"} if key else {},
            timeout=httpx2.Timeout(silence_s, connect=_CONNECT_S),
            follow_redirects=False,
        )

    async def call(self, method: str, path: str, body: Json | None) -> Json:
        """Ask for one JSON object. Raises EngineError."""
        async with self._response(method, path, body) as response:
            content = await response.aread()
        try:
            answer = json.loads(content)
        except ValueError as error:
            raise self.not_its_language() from error
        if not isinstance(answer, dict):
            raise self.not_its_language()
        return answer

    async def events(self, path: str, body: Json, framing: str) -> AsyncGenerator[Json, None]:
        """Yield the JSON objects of a streamed answer. Raises EngineError, and ValueError for what is no JSON."""
        async with self._response("POST", path, body) as response, aclosing(_lines(response)) as lines:
            async for line in lines:
                payload = line.removeprefix("data:").strip() if framing == "events" else line.strip()
                if not payload or payload.startswith((":", "event:", "id:", "retry:")):
                    continue
                if payload == "[DONE]":
                    return
                event = json.loads(payload)
                if not isinstance(event, dict):
                    raise self.not_its_language()
                if event.get("error"):
                    raise EngineRefused(f"{self.url} answers: {_reason(event)}")
                yield event

    def forgive(self) -> None:
        """Ask again at once, whatever has failed."""
        self._failures.clear()

    def not_its_language(self) -> EngineRefused:
        """Return the error for an answer that no server of this kind gives."""
        kind = self._settings.kind
        return EngineRefused(f"{self.url} answers, but not as a {kind} server does. Check engine.kind and engine.url.")

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()

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
            whereabouts = f"Ready. Your text goes to {self.url}." if self.is_elsewhere else ""
            self.status = EngineStatus(state=EngineState.READY, message=whereabouts)
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
        url, status, kind = self.url, response.status_code, self._settings.kind
        if response.is_redirect:
            target = response.headers.get("Location", "elsewhere")
            raise EngineRefused(f"{url} sends us on to {target}. If you trust that address, make it engine.url.")
        if response.is_success:
            raise EngineRefused(f"{url} answers with a web page. Set engine.url to the address of a {kind} server.")
        if status in (401, 403):
            key = f"the key of ${self._settings.api_key_variable}"
            raise EngineRefused(f"{url} refuses {key} ({status}). Set that variable, or put the key into {key_file()}.")
        reason = _reason_in((await response.aread()).decode("utf-8", "replace"))
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
            raise EngineUnavailable(self.status.message)

    def _failed(self, error: httpx2.HTTPError) -> EngineError:
        kind, reason = type(error).__name__, str(error)
        how = next((how for names, how in _FAILURES.items() if kind in names), "breaks off")
        remedy = _TRUST if "CERTIFICATE_VERIFY_FAILED" in reason else "Is the server running? Check engine.url."
        message = f"{self.url} {how} ({reason or kind}). {remedy}"
        self._failures.append(time.monotonic())
        self.status = EngineStatus(state=EngineState.FAILED, message=message)
        return EngineUnavailable(message)


def was_answered(error: EngineError) -> bool:
    """Return whether a server answered at all before it refused, or broke off."""
    return isinstance(error, EngineRefused) or isinstance(error.__cause__, _BROKEN_OFF)


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
