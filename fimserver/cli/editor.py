"""An editor without a screen: starts the language server, sends it frames, and hands each reply to whoever waits.

It is what `fimserver demo` types with. It speaks the protocol itself, so that what it measures is what an editor
would see, and so that the command line needs no protocol library.
"""

import asyncio
import itertools
import json
from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from fimserver.errors import FimError

# The server answers `exit` at once; a server that does not is ended.
_EXIT_S = 2.0

_CANCELLED = -32800


class Editor:
    """One editor window and its server. Use it as `async with Editor(command) as editor`."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = command
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Any]] = {}

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        self._reading = asyncio.create_task(self._read())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with suppress(TimeoutError, FimError, ConnectionError):
            async with asyncio.timeout(_EXIT_S):
                await self.request("shutdown")
                self.notify("exit")
                await self._process.wait()
        if self._process.returncode is None:
            self._process.kill()
            await self._process.wait()
        self._reading.cancel()

    @property
    def server_pid(self) -> int:
        """The language server's process id."""
        return self._process.pid

    async def request(self, method: str, params: Any = None) -> Any:
        """Return the reply's result. Raises FimError with the reply's message. Cancelling the task cancels the request."""
        number = next(self._numbers)
        reply = self._waiting[number] = asyncio.get_running_loop().create_future()
        self._send({"id": number, "method": method, "params": params})
        try:
            return await asyncio.shield(reply)
        except asyncio.CancelledError:
            self.notify("$/cancelRequest", {"id": number})
            raise

    def notify(self, method: str, params: Any = None) -> None:
        """Send a notification."""
        self._send({"method": method, "params": params})

    def _send(self, message: dict[str, Any]) -> None:
        present = {key: value for key, value in message.items() if key != "params" or value is not None}
        body = json.dumps({"jsonrpc": "2.0", **present}).encode()
        assert self._process.stdin is not None
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))

    async def _read(self) -> None:
        try:
            while True:
                self._take(await self._message())
        except (asyncio.IncompleteReadError, ConnectionError):
            lost = FimError("The language server ended; its log is server.log in the folder that `fimserver doctor` names.")
            for reply in self._waiting.values():
                if not reply.done():
                    reply.set_exception(lost)

    async def _message(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        header = await self._process.stdout.readuntil(b"\r\n\r\n")
        length = next(int(line[15:]) for line in header.split(b"\r\n") if line.lower().startswith(b"content-length:"))
        message: dict[str, Any] = json.loads(await self._process.stdout.readexactly(length))
        return message

    def _take(self, message: dict[str, Any]) -> None:
        """Hand a reply to its waiter; say null to everything that the server asks."""
        if "method" in message and "id" in message:
            self._send({"id": message["id"], "result": _own_answer(message)})
        elif "id" in message and (reply := self._waiting.pop(message["id"], None)) and not reply.done():
            error = message.get("error")
            if error:
                reply.set_exception(FimError(error["message"]))
            else:
                reply.set_result(message.get("result"))


def _own_answer(message: dict[str, Any]) -> Any:
    """Answer as an editor without settings does: one null for each setting that is asked for, else null."""
    if message["method"] == "workspace/configuration":
        return [None] * len(message["params"]["items"])
    return None
