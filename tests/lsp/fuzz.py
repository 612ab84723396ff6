"""Make sessions that are right, wrong and anything between, and know which of their requests must be answered.

A session is a list of steps; a step is bytes, and the ids of the well-formed requests in them. `tests/faults` runs the
same generator for longer.
"""

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from tests.lsp.raw_client import frame

URIS = ("file:///a.py", "untitled:1", "", "file:///%zz")
WORDS = ("abc", "é😀", "wait", "refuse", "fail x", "two lines", "far", "\r", "\n", "\f\u2028", "\ud83d", "")
METHODS = (
    "textDocument/inlineCompletion",
    "textDocument/completion",
    "workspace/executeCommand",
    "textDocument/hover",
    "initialize",
    "$/nothing",
)
NOTIFICATIONS = (
    "textDocument/didOpen",
    "textDocument/didChange",
    "textDocument/didClose",
    "workspace/didChangeConfiguration",
    "$/cancelRequest",
    "initialized",
    "fimserver/didShowCompletion",
    "fimserver/didFocus",
    "nothing",
)


@dataclass(frozen=True)
class Step:
    """Bytes to send, and the ids of the requests in them that must be answered once."""

    data: bytes
    ids: tuple[Any, ...] = ()


class Session:
    """Steps at random, the same for the same seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._number = 1_000_000  # no value at random is one of these

    def steps(self, count: int) -> Iterator[Step]:
        """Yield so many steps."""
        kinds: tuple[Callable[[], Step], ...] = (
            self._request,
            self._request,
            self._notification,
            self._notification,
            self._rubbish,
            self._wrong_length,
            self._damaged,
            self._odd_message,
        )
        for _ in range(count):
            yield self._random.choice(kinds)()

    def _new_id(self) -> Any:
        self._number += 1
        return self._random.choice((self._number, f"r{self._number}", -self._number))

    def _request(self) -> Step:
        number = self._new_id()
        method = self._random.choice(METHODS)
        return Step(self._frame({"id": number, "method": method, "params": self._params(method)}), (number,))

    def _notification(self) -> Step:
        method = self._random.choice(NOTIFICATIONS)
        return Step(self._frame({"method": method, "params": self._params(method)}))

    def _rubbish(self) -> Step:
        """Bytes that are no frame, glued to the next one or not."""
        return Step(self._bytes() + self._random.choice((b"", b"\r\n", b"\n\n")))

    def _wrong_length(self) -> Step:
        """A header that is wrong about its body: absurd, too short, or too long by as many bytes as follow."""
        body = json.dumps({"jsonrpc": "2.0", "method": "nothing"}).encode()
        shorter, longer = self._random.randrange(1, len(body)), self._random.randrange(1, 99)
        return Step(
            self._random.choice(
                (
                    b"Content-Length: -1\r\n\r\n",
                    b"Content-Length: 99999999999999\r\n\r\n",
                    b"Content-Length: \r\n\r\n",
                    frame(body, shorter),
                    frame(body, len(body) + longer) + b" " * longer,
                )
            )
        )

    def _damaged(self) -> Step:
        """A sound frame around a body with a few bytes changed. Nobody can say whether that is still a request."""
        body = bytearray(json.dumps({"jsonrpc": "2.0", "method": "nothing", "params": self._value(3)}).encode())
        for _ in range(self._random.randrange(1, 4)):
            body[self._random.randrange(len(body))] = self._random.randrange(256)
        return Step(frame(bytes(body)))

    def _odd_message(self) -> Step:
        """JSON that is no message, and ids that are none."""
        odd: tuple[Any, ...] = (
            self._value(3),
            [{"jsonrpc": "2.0", "id": "batch", "method": "shutdown"}],
            {"jsonrpc": "2.0", "id": None, "method": "shutdown"},
            {"jsonrpc": "2.0", "id": 10**9, "result": self._value(2)},
            {"jsonrpc": "2.0", "id": None, "error": self._value(2)},
        )
        return Step(frame(self._random.choice(odd)))

    def _params(self, method: str) -> Any:
        return self._sound_params(method) if self._random.random() < 0.7 else self._value(3)

    def _sound_params(self, method: str) -> Any:
        uri, choice = self._random.choice(URIS), self._random.choice
        place = {"line": self._random.randrange(4), "character": self._random.randrange(12)}
        end = {"line": self._random.randrange(4), "character": self._random.randrange(12)}
        text = "".join(choice(WORDS) for _ in range(4))
        document = {"uri": uri, "languageId": "python", "version": self._number, "text": text}
        changes = [{"range": {"start": place, "end": end}, "text": text}, {"text": text}]
        return {
            "textDocument/didOpen": {"textDocument": document},
            "textDocument/didChange": {"textDocument": document, "contentChanges": [choice(changes)]},
            "$/cancelRequest": {"id": choice((self._number, f"r{self._number}"))},
            "workspace/executeCommand": {"command": choice(("fimserver.why", "fimserver.status", "x"))},
        }.get(method, {"textDocument": document, "position": place, "context": {"triggerKind": 2}})

    def _value(self, depth: int) -> Any:
        """JSON at random."""
        choice = self._random.choice
        if depth == 0 or self._random.random() < 0.4:
            return choice((None, True, 0, -1, 2**40, 1.5, "", "jsonrpc", choice(WORDS)))
        if self._random.random() < 0.5:
            return [self._value(depth - 1) for _ in range(self._random.randrange(4))]
        keys = ("jsonrpc", "id", "method", "params", "uri", "textDocument", "position", "text", "x")
        return {choice(keys): self._value(depth - 1) for _ in range(self._random.randrange(4))}

    def _bytes(self) -> bytes:
        return bytes(self._random.randrange(256) for _ in range(self._random.randrange(40)))

    def _frame(self, message: dict[str, Any]) -> bytes:
        return frame({"jsonrpc": "2.0", **message})
