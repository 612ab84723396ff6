"""Turn messages into frames for the client, each whole and in order, without ever waiting for it.

What the client takes at once is written where it is sent, for to wake a thread takes longer; the rest is for a thread.
"""

import select
import threading
from collections import deque

from fimserver.lsp.transport import Channel

# Beyond this nothing more is read from a client that does not read: its requests make our answers.
_MOST_WAITING_BYTES = 32 * 1024 * 1024

# So much goes into a pipe without blocking where it says that it can be written (POSIX: PIPE_BUF); into a socket, more.
# Windows has no such promise: there the thread writes everything.
_SHORT_BYTES = getattr(select, "PIPE_BUF", 0)


class Writer:
    """Writes frames, from a thread of its own those that would have to wait for the client."""

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
