"""Turn the process's standard streams (or one TCP connection) into a private channel for frames.

One thread reads and one writes, so neither a busy event loop nor a client that stops reading holds up the other side;
what the client takes at once is written where it is sent, for to wake a thread takes longer.
Frames have a file descriptor of their own: what native code or a stray `print` sends to standard output goes to
standard error.
"""

import logging
import os
import select
import socket
import sys
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import NoReturn

_log = logging.getLogger(__name__)

_READ_BYTES = 64 * 1024

# Beyond this nothing more is read from a client that does not read: its requests make our answers.
_MOST_WAITING_BYTES = 32 * 1024 * 1024

# So much goes into a pipe without blocking where it says that it can be written (POSIX: PIPE_BUF); into a socket, more.
# Windows has no such promise: there the thread writes everything.
_SHORT_BYTES = getattr(select, "PIPE_BUF", 0)

# How long work that cannot be interrupted may hold up the end of the process, once the client is gone.
_LAST_WORK_S = 1.0


# By what every frame begins: of the headers there are, `Content-Length` and `Content-Type`.
_FIRST_WORD = b"content-"


@dataclass(frozen=True, slots=True)
class Channel:
    """Both directions of a connection. `read` returns b"" at its end; `write` may take a part only.

    `has_room` says whether a short frame can be written now without blocking.
    """

    read: Callable[[int], bytes]
    write: Callable[[memoryview], int]
    has_room: Callable[[], bool]


def standard_channel() -> Channel:
    """Take the standard streams for frames alone. Call this before any native code is loaded."""
    reading, writing = os.dup(0), os.dup(1)
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 0)
    os.dup2(2 if _is_open(2) else nowhere, 1)
    if sys.platform == "win32":
        import msvcrt

        msvcrt.setmode(reading, os.O_BINARY)
        msvcrt.setmode(writing, os.O_BINARY)
    return Channel(
        lambda count: os.read(reading, count), lambda data: os.write(writing, data), partial(_has_room, writing)
    )


def tcp_channel(port: int) -> Channel:
    """Wait on the loopback interface for one client, for debugging. Raises OSError where the port is taken."""
    with socket.create_server(("127.0.0.1", port)) as listener:
        sys.stderr.write(f"fimserver: waiting for an editor on 127.0.0.1:{listener.getsockname()[1]}\n")
        sys.stderr.flush()
        connection, begun = _accepted(listener)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    received = [begun]
    return Channel(
        lambda count: received.pop() if received else connection.recv(count),
        connection.send,
        partial(_has_room, connection.fileno()),
    )


def _accepted(listener: socket.socket) -> tuple[socket.socket, bytes]:
    """Return the first connection that begins as an editor's does, and what it has sent.

    A web page can make a browser send a request to any port of this machine, with messages of ours as its body; but it
    cannot choose the request's first line.
    """
    while True:
        connection, _ = listener.accept()
        begun = b""
        while len(begun) < len(_FIRST_WORD) and (more := read_some(connection.recv)):
            begun += more
        if begun.lower().startswith(_FIRST_WORD):
            return connection, begun
        connection.close()


class Writer:
    """Writes frames, each whole and in order; from a thread of its own what would have to wait for the client."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._frames: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._broken = False
        self._changed = threading.Condition()
        threading.Thread(target=self._run, name="fimserver-writer", daemon=True).start()

    def send(self, body: bytes) -> None:
        """Write or queue one message. It never blocks; to a client that is gone it does nothing."""
        frame = b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
        with self._changed:
            if self._broken:
                return
            if not self._waiting_bytes and len(frame) <= _SHORT_BYTES and self._channel.has_room():
                self._write(frame)
                return
            self._frames.append(frame)
            self._waiting_bytes += len(frame)
            self._changed.notify_all()

    def wait_for_room(self) -> None:
        """Block while too much is waiting for the client."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting_bytes <= _MOST_WAITING_BYTES)

    def flush(self, at_most_s: float) -> None:
        """Block until everything is written, or for so long."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting_bytes == 0, at_most_s)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._frames)
                frame = self._frames.popleft()
            self._write(frame)
            if self._broken:
                return
            with self._changed:
                self._waiting_bytes -= len(frame)
                self._changed.notify_all()

    def _write(self, frame: bytes) -> None:
        rest = memoryview(frame)
        try:
            while rest:
                rest = rest[self._channel.write(rest) :]
        except OSError:
            self._give_up()

    def _give_up(self) -> None:
        with self._changed:
            self._broken = True
            self._frames.clear()
            self._waiting_bytes = 0
            self._changed.notify_all()


def start_reader(read: Callable[[int], bytes], take: Callable[[bytes], None], at_end: Callable[[], None]) -> None:
    """Hand every piece that arrives to `take`, in a thread of its own, and call `at_end` once the client is gone."""

    def run() -> None:
        while received := read_some(read):
            take(received)
        at_end()

    threading.Thread(target=run, name="fimserver-reader", daemon=True).start()


def read_some(read: Callable[[int], bytes]) -> bytes:
    """Return what has arrived, or b"" where nothing will any more."""
    try:
        return read(_READ_BYTES)
    except OSError:
        return b""


def leave_soon(code: int) -> None:
    """End the process after a second even if a thread is blocked."""
    timer = threading.Timer(_LAST_WORK_S, leave, [code])
    timer.daemon = True
    timer.start()


def leave(code: int) -> NoReturn:
    """End the process now. Threads that hang in native code would keep an orderly end waiting for ever."""
    logging.shutdown()
    os._exit(code)


def _has_room(descriptor: int) -> bool:
    waiting = select.poll()
    waiting.register(descriptor, select.POLLOUT)
    return waiting.poll(0) == [(descriptor, select.POLLOUT)]


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True
