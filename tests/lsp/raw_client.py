"""A client that sends bytes, right or wrong, and reads frames: for what a well-behaved client library cannot send."""

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

STAND_IN = (sys.executable, str(Path(__file__).with_name("stand_in.py")))

# Longer than any answer takes on a busy machine; nothing waits for it where all is well.
PATIENCE_S = 200.0

Message = dict[str, Any]


def frame(content: Any, length: int | None = None) -> bytes:
    """Return a message as bytes; bytes are taken as the body they are."""
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return b"Content-Length: %d\r\n\r\n%b" % (len(body) if length is None else length, body)


class RawClient:
    """One server process and both ends of its pipes. Use it as `with RawClient(home) as client`."""

    def __init__(
        self, home: Path, command: Sequence[str] = STAND_IN, environment: Mapping[str, str] | None = None
    ) -> None:
        with (home / "stderr.txt").open("ab") as stderr:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                env={**os.environ, "FIMSERVER_HOME": str(home), "FIMSERVER_STRICT": "1", **(environment or {})},
                bufsize=0,
            )
        self._home = home
        self._messages: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.process.kill()
        self.process.wait()
        self._reading.join()
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            pipe.close()

    @property
    def stderr(self) -> str:
        """What the server has written to standard error."""
        return (self._home / "stderr.txt").read_text(errors="replace")

    def send_bytes(self, data: bytes) -> None:
        """Write bytes as they are."""
        assert self.process.stdin is not None
        view = memoryview(data)
        while view:
            view = view[self.process.stdin.write(view) :]

    def send(self, *messages: Any) -> None:
        """Send messages, each as a frame of its own, `jsonrpc` added."""
        self.send_bytes(b"".join(frame({"jsonrpc": "2.0", **message}) for message in messages))

    def request(self, message_id: Any, method: str, params: Any = None) -> Message:
        """Send a request and return its answer; what else arrives meanwhile is dropped."""
        self.send({"id": message_id, "method": method, "params": params})
        return self.answer_to(message_id)

    def receive(self) -> Message:
        """Return the next message, whatever it is."""
        message = self._messages.get(timeout=PATIENCE_S)
        assert message is not None, f"the server is gone: {self.stderr}"
        return message

    def answers(self, count: int) -> list[Message]:
        """Return the next answers to requests; what the server says or asks by itself meanwhile is dropped."""
        found: list[Message] = []
        while len(found) < count:
            message = self.receive()
            found += [message] if "method" not in message else []
        return found

    def answer_to(self, message_id: Any) -> Message:
        """Return the next answer that has this id."""
        while not ("id" in (message := self.receive()) and message["id"] == message_id and "method" not in message):
            pass
        return message

    def initialize(self, **params: Any) -> Message:
        """Open the session and return what the server says it can do."""
        answer = self.request(0, "initialize", {"processId": None, "rootUri": None, "capabilities": {}, **params})
        self.send({"method": "initialized", "params": {}})
        return answer

    def open(self, text: str, uri: str = "file:///a.py", version: int = 1) -> None:
        """Open a document."""
        document = {"uri": uri, "languageId": "python", "version": version, "text": text}
        self.send({"method": "textDocument/didOpen", "params": {"textDocument": document}})

    def close_input(self) -> None:
        """Leave, as a client that dies does."""
        assert self.process.stdin is not None
        self.process.stdin.close()

    def _read(self) -> None:
        output = self.process.stdout
        assert output is not None
        while header := output.readline():
            length = int(header.removeprefix(b"Content-Length: "))
            assert output.readline() == b"\r\n"
            body = b""
            while len(body) < length and (more := output.read(length - len(body))):
                body += more
            self._messages.put(json.loads(body))
        self._messages.put(None)
