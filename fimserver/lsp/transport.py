"""Turn the process's standard streams (or one TCP connection) into a private channel for frames.

One thread reads, and one writes what has to wait (`writer.py`), so neither a busy event loop nor a client that stops
reading holds up the other side. Frames have a file descriptor of their own: what native code or a stray `print` sends
to standard output goes to standard error.
"""

import logging
import os
import select
import socket
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import NoReturn

_log = logging.getLogger(__name__)

_READ_BYTES = 64 * 1024

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
        lambda count: os.read(reading, count), lambda data: os.write(writing, data), partial(has_room, writing)
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
        partial(has_room, connection.fileno()),
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


def has_room(descriptor: int) -> bool:
    """Say whether a short frame can be written to a descriptor without blocking."""
    waiting = select.poll()
    waiting.register(descriptor, select.POLLOUT)
    return waiting.poll(0) == [(descriptor, select.POLLOUT)]


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True
