"""Let clients in: listen where only this user can connect, and say where that is.

Files appear when they are true and go before they are not: a socket is seen once it listens, the door's note after
that, and both are gone before the engine stops to answer. Whatever removes them meanwhile, they are put up again.
"""

import asyncio
import logging
import secrets
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path

from fimserver.engine.place import Door, Place, read_door, socket_stands, write_door
from fimserver.engine.wire import MAX_FRAME_BYTES
from fimserver.errors import EngineUnavailable

_LOG = logging.getLogger(__name__)

Admit = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

# All windows of a session that is restored connect at once.
_BACKLOG = 512


class Entrance:
    """The engine's one listening socket, with its token."""

    def __init__(self, place: Place, admit: Admit, *, tcp: bool) -> None:
        """Make an entrance that is still closed; `admit` gets every connection."""
        self.token = secrets.token_hex(32)
        self._place = place
        self._admit = admit
        self._tcp = tcp
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        """Let clients in. Raises OSError, and EngineUnavailable where something foreign stands in the way."""
        server, port = await (self._listen_on_loopback() if self._tcp else self._listen_on_socket())
        self._door = Door(port, self.token)
        write_door(self._place, self._door)
        if self._server is not None:
            self._server.close()
        self._server = server

    async def mend(self) -> None:
        """Open anew where the files are gone; who is inside notices nothing."""
        try:
            if read_door(self._place) != self._door or not (self._tcp or socket_stands(self._place)):
                await self.open()
        except (OSError, EngineUnavailable) as error:
            _LOG.warning("The socket is gone and cannot be put up again: %s", error)

    def close(self) -> None:
        """Let nobody in any more, and take the files away."""
        self._place.door.unlink(missing_ok=True)
        self._place.socket.unlink(missing_ok=True)
        if self._server is not None:
            self._server.close()

    async def _listen_on_loopback(self) -> tuple[asyncio.Server, int]:
        server = await asyncio.start_server(self._admit, "127.0.0.1", 0, limit=MAX_FRAME_BYTES, backlog=_BACKLOG)
        return server, server.sockets[0].getsockname()[1]

    async def _listen_on_socket(self) -> tuple[asyncio.Server, int]:
        """Bind beside the path and move the socket there once it listens: nobody meets it half made."""
        socket_stands(self._place)
        fresh = self._place.socket.with_suffix(".new")
        listener = _private_socket(fresh)
        server = await asyncio.start_unix_server(self._admit, sock=listener, limit=MAX_FRAME_BYTES, backlog=_BACKLOG)
        fresh.replace(self._place.socket)
        return server, 0


def _private_socket(path: Path) -> socket.socket:
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    path.chmod(0o600)
    return listener
