"""An editor without a screen: it turns keys into the protocol's messages, and replies into what it would draw.

`fimserver demo` and `fimserver bench typing` type with it. It speaks the protocol itself, so that what they measure is
what an editor would see, and so that the command line needs no protocol library.
"""

import asyncio
import itertools
import json
import os
from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from fimserver.errors import FimError

# The server answers `exit` at once; a server that does not is ended.
_EXIT_S = 2.0

_AUTOMATIC = 2  # a suggestion nobody asked for by hand: LSP's InlineCompletionTriggerKind


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

    async def initialize(self, options: dict[str, Any]) -> None:
        """Introduce this editor to its server. `options` are settings, as an editor's configuration would have them."""
        await self.request(
            "initialize",
            {
                "processId": os.getpid(),
                "clientInfo": {"name": "fimserver demo"},
                "rootUri": None,
                "capabilities": {"textDocument": {"inlineCompletion": {}}},
                "initializationOptions": options,
            },
        )
        self.notify("initialized", {})

    async def run_command(self, name: str) -> Any:
        """Return what one of the server's own commands returns."""
        return await self.request("workspace/executeCommand", {"command": name})

    async def request(self, method: str, params: Any = None) -> Any:
        """Return the reply's result. Raises FimError with its message. Cancelling the task cancels the request."""
        if self._reading.done():
            raise _lost()
        number = next(self._numbers)
        reply = self._waiting[number] = asyncio.get_running_loop().create_future()
        self._send({"id": number, "method": method, "params": params})
        try:
            return await asyncio.shield(reply)
        except asyncio.CancelledError:
            self._waiting.pop(number, None)  # its answer, that it was cancelled, is for nobody
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
            for reply in self._waiting.values():
                if not reply.done():
                    reply.set_exception(_lost())

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


class Buffer:
    """A document that is open in the editor, with its caret. It is ASCII, so that columns need no units."""

    def __init__(self, editor: Editor, uri: str, language: str, before: str, after: str) -> None:
        self.editor = editor
        self.text, self.caret = before + after, len(before)
        self._uri = uri
        self._version = 1
        self._counted = 0, 0  # an offset and its line, from which the next line is counted
        document = {"uri": uri, "languageId": language, "version": 1, "text": self.text}
        editor.notify("textDocument/didOpen", {"textDocument": document})

    @property
    def line(self) -> str:
        """The text before the caret on its line."""
        return self.text[self.text.rfind("\n", 0, self.caret) + 1 : self.caret]

    def type(self, text: str) -> None:
        """Insert text at the caret."""
        self.edit(self.caret, 0, text)

    def move(self, offset: int) -> None:
        """Put the caret somewhere else; the server hears where it has come to rest."""
        self.caret = offset
        place = {"textDocument": {"uri": self._uri}, "position": self._position(offset)}
        self.editor.notify("fimserver/didFocus", place)

    def edit(self, start: int, remove: int, insert: str, then: str = "") -> None:
        """Replace `remove` characters at an offset; the caret comes to stand between `insert` and `then`."""
        if remove or insert or then:
            self._version += 1
            span = {"end": self._position(start + remove), "start": self._position(start)}
            self.editor.notify(
                "textDocument/didChange",
                {
                    "textDocument": {"uri": self._uri, "version": self._version},
                    "contentChanges": [{"range": span, "text": insert + then}],
                },
            )
        self.text = self.text[:start] + insert + then + self.text[start + remove :]
        self.caret = start + len(insert)

    async def suggest(self) -> str:
        """Return the ghost text at the caret: what a suggestion adds to what stands there already."""
        reply = await self.editor.request(
            "textDocument/inlineCompletion",
            {
                "textDocument": {"uri": self._uri},
                "position": self._position(self.caret),
                "context": {"triggerKind": _AUTOMATIC},
            },
        )
        items = reply["items"] if reply else []
        return self._ghost(items[0]) if items else ""

    def _ghost(self, item: dict[str, Any]) -> str:
        typed = self.line[item["range"]["start"]["character"] :]
        text: str = item["insertText"]
        return text.removeprefix(typed)

    def _position(self, offset: int) -> dict[str, int]:
        """Return an offset as line and character. The text before the one asked for last must not have changed."""
        counted, line = self._counted
        line += self.text.count("\n", counted, offset) - self.text.count("\n", offset, counted)
        self._counted = offset, line
        return {"line": line, "character": offset - self.text.rfind("\n", 0, offset) - 1}


def _lost() -> FimError:
    return FimError("The language server ended; its log is server.log in the folder that `fimserver doctor` names.")


def _own_answer(message: dict[str, Any]) -> Any:
    """Answer as an editor without settings does: one null for each setting that is asked for, else null."""
    if message["method"] == "workspace/configuration":
        return [None] * len(message["params"]["items"])
    return None
