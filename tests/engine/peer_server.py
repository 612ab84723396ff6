"""Other makers' servers on loopback, as far as this project speaks to them: each answers from a script."""

import json
import ssl
import threading
import time
from collections.abc import Callable, Iterable
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from tests.loopback import Loopback

# Answers one request: the handler, and what was posted.
Answer = Callable[["Handler", Any], None]


class PeerServer(Loopback):
    """Answers by path. `asked` holds method, path, body, headers; `left` is set once somebody broke an answer off."""

    def __init__(self, answers: dict[str, Answer], certificate: Path | None = None) -> None:
        self.answers = answers
        self.asked: list[tuple[str, str, Any, dict[str, str]]] = []
        self.left = threading.Event()
        super().__init__(Handler, "peer")
        self._scheme = "https" if certificate else "http"
        if certificate:
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            tls.load_cert_chain(certificate)
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self.port}"

    def bodies(self, path: str) -> list[Any]:
        return [body for _, asked, body, _ in self.asked if asked == path]


class Handler(BaseHTTPRequestHandler):
    peer: PeerServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer(None)

    def do_POST(self) -> None:
        self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def _answer(self, body: Any) -> None:
        self.peer.asked.append((self.command, self.path, body, dict(self.headers.items())))
        try:
            self.peer.answers.get(self.path, not_found)(self, body)
        except (BrokenPipeError, ConnectionResetError):
            self.peer.left.set()
        self.close_connection = True

    def send(self, content: bytes, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Connection", "close")
        for key, value in headers.items():
            self.send_header(key.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(content)

    def start_stream(self, kind: str = "text/event-stream") -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Connection", "close")
        self.end_headers()

    def log_message(self, format: str, *_: object) -> None:  # noqa: A002
        """Say nothing."""


def as_json(value: Any, status: int = 200) -> Answer:
    return lambda handler, _: handler.send(json.dumps(value).encode(), status, Content_Type="application/json")


def not_found(handler: Handler, _: Any) -> None:
    handler.send(b"not found", 404)


def web_page(handler: Handler, _: Any) -> None:
    handler.send(b"<html>Welcome</html>", Content_Type="text/html; charset=utf-8")


def redirect(handler: Handler, _: Any) -> None:
    handler.send(b"", 302, Location="http://elsewhere.example/v1")


def events(values: Iterable[Any], *, done: bool = False) -> Answer:
    def answer(handler: Handler, _: Any) -> None:
        handler.start_stream()
        for value in values:
            handler.wfile.write(f"data: {json.dumps(value)}\n\n".encode())
        if done:
            handler.wfile.write(b"data: [DONE]\n\n")

    return answer


def lines(values: Iterable[Any]) -> Answer:
    def answer(handler: Handler, _: Any) -> None:
        handler.start_stream("application/x-ndjson")
        for value in values:
            handler.wfile.write(json.dumps(value).encode() + b"\n")

    return answer


def endless(value: Any) -> Answer:
    """Stream the same event until the other side is gone."""

    def answer(handler: Handler, _: Any) -> None:
        handler.start_stream()
        while True:
            handler.wfile.write(f"data: {json.dumps(value)}\n\n".encode())
            time.sleep(0.001)  # a model's pace; the test waits for an event, not for this

    return answer


def first_then_silence(value: Any, released: threading.Event) -> Answer:
    def answer(handler: Handler, _: Any) -> None:
        handler.start_stream()
        handler.wfile.write(f"data: {json.dumps(value)}\n\n".encode())
        released.wait(200)

    return answer


def in_turn(*answers: Answer) -> Answer:
    left = list(answers)
    return lambda handler, body: (left.pop(0) if len(left) > 1 else left[0])(handler, body)
