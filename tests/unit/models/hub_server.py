"""A model hub on loopback: it speaks the resolve protocol, and misbehaves as it is told to."""

import hashlib
import json
import re
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler

from tests.loopback import Loopback

COMMIT = "c0ffee" + "0" * 34

# What one answer with a file's bytes does instead of sending them from the start that was asked for.
Fault = Callable[["Handler", bytes, int], None]


class HubServer(Loopback):
    """Serves `files` (repository/path → bytes). Each of `faults` spoils one answer, in order."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files
        self.faults: list[Fault] = []
        self.heads: list[Fault] = []  # the same for questions about a file
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        self.served_bytes = 0
        self.claims: dict[str, str] = {}  # headers that say something else than the truth
        super().__init__(Handler, "hub")

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"


class Handler(BaseHTTPRequestHandler):
    """Answers HEAD and GET of /owner/repository/resolve/revision/path, the listing, and the storage behind them."""

    hub: HubServer

    def do_HEAD(self) -> None:
        self._record()
        if self.hub.heads:
            self.hub.heads.pop(0)(self, b"", 0)
            return
        self._resolve()

    def do_GET(self) -> None:
        self._record()
        if self.path.startswith("/api/"):
            self._listing()
        elif self.path.startswith("/storage/"):
            self._bytes()
        else:
            self._resolve()

    def _record(self) -> None:
        self.hub.requests.append((self.command, self.path, {key.lower(): value for key, value in self.headers.items()}))

    def _resolve(self) -> None:
        match = re.fullmatch(r"/(.+?/.+?)/resolve/(.+?)/(.+)", self.path)
        name = f"{match[1]}/{match[3]}" if match else ""
        if match and not any(file.startswith(match[1] + "/") for file in self.hub.files):
            self.answer(401, {"X-Error-Code": "RepoNotFound"})
        elif match and match[2] not in ("main", COMMIT):
            self.answer(404, {"X-Error-Code": "RevisionNotFound"})
        elif name not in self.hub.files:
            self.answer(404, {"X-Error-Code": "EntryNotFound"})
        else:
            content = self.hub.files[name]
            headers = {
                "X-Repo-Commit": COMMIT,
                "X-Linked-Etag": f'"{hashlib.sha256(content).hexdigest()}"',
                "X-Linked-Size": str(len(content)),
                # Another host than the hub's, as a content network is.
                "Location": f"http://localhost:{self.hub.port}/storage/{name}",
            }
            self.answer(302, headers | self.hub.claims)

    def _listing(self) -> None:
        repository = re.fullmatch(r"/api/models/(.+?/.+?)/tree/main.*", self.path)[1]
        names = [name.removeprefix(repository + "/") for name in self.hub.files if name.startswith(repository + "/")]
        body = json.dumps([{"type": "file", "path": name, "size": 1, "oid": "0"} for name in names]).encode()
        self.answer(200, {"Content-Type": "application/json"}, body)

    def _bytes(self) -> None:
        content = self.hub.files[self.path.removeprefix("/storage/")]
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        start = int(asked[1]) if asked else 0
        if self.hub.faults:
            self.hub.faults.pop(0)(self, content, start)
        else:
            self.send_bytes(content, start)

    def send_bytes(self, content: bytes, start: int, end: int | None = None) -> None:
        """Send the file from `start` on; an `end` cuts the connection there."""
        headers = {"Content-Length": str(len(content) - start), "ETag": '"the storage has its own"'}
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        self.start(206 if start else 200, headers)
        self.hub.served_bytes += len(content[start:end])  # before the other side can have them
        self.wfile.write(content[start:end])
        self.close_connection = True

    def start(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        self.end_headers()

    def answer(self, status: int, headers: dict[str, str] | None = None, body: bytes = b"") -> None:
        self.start(status, {"Content-Length": str(len(body))} | (headers or {}))
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *_: object) -> None:  # noqa: A002
        """Say nothing."""


def cut_after(count: int) -> Fault:
    """Break the connection after so many bytes of this answer."""
    return lambda handler, content, start: handler.send_bytes(content, start, start + count)


def status(code: int, **headers: str) -> Fault:
    return lambda handler, _content, _start: handler.answer(code, {k.replace("_", "-"): v for k, v in headers.items()})


def whole_file(handler: Handler, content: bytes, _start: int) -> None:
    """Ignore the range, as some mirrors do."""
    handler.send_bytes(content, 0)


def web_page(handler: Handler, _content: bytes, _start: int) -> None:
    handler.answer(200, {"Content-Type": "text/html; charset=utf-8"}, b"<html>Please log in to the network</html>")


def other_bytes(handler: Handler, content: bytes, start: int) -> None:
    handler.send_bytes(bytes(len(content)), start)


def too_many_bytes(handler: Handler, content: bytes, start: int) -> None:
    handler.send_bytes(content + b"more", start)


def short_but_whole(handler: Handler, content: bytes, start: int) -> None:
    """Answer as if the file were shorter than the hub says."""
    handler.send_bytes(content[:-10], start)
