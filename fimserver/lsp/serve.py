"""Turn a channel to an editor into a running language server, and end the process when the editor is done with it.

The order is what makes it quick to start: take the streams, answer `initialize`, and only then load the protocol's
types, the completer and the grammars, while the editor reads the answer.
"""

import asyncio
import signal
import sys
import threading
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from fimserver.engine.interface import Engine
from fimserver.lsp.envelope import Message, read_message
from fimserver.lsp.frames import FrameReader
from fimserver.lsp.greeting import Greeted, greet
from fimserver.lsp.parent import watch_process
from fimserver.lsp.seams import Completer, CompleterFactory, EngineFactory
from fimserver.lsp.transport import Channel, Writer, leave, leave_soon, standard_channel, start_reader, tcp_channel
from fimserver.settings import Settings

if TYPE_CHECKING:
    from fimserver.lsp.server import Server

# Messages that are read but not handled yet; more wait in the pipe.
_MOST_UNHANDLED = 1024

# How long the engine's connection may take to close, and the last answers to be written.
_CLOSE_S = 0.4


def serve(
    new_engine: EngineFactory,
    settings: Settings,
    *,
    tcp_port: int | None = None,
    new_completer: CompleterFactory | None = None,
) -> NoReturn:
    """Serve one editor and end the process: with code 0 if it shut the server down before it left, else with 1.

    `new_engine` and `new_completer` are called after `initialize` has been answered: what they import costs the editor
    no time. Raises OSError where the TCP port is taken.
    """
    channel = standard_channel() if tcp_port is None else tcp_channel(tcp_port)
    if not sys.__stdin__ or not sys.__stdin__.isatty():
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C in a terminal's editor is meant for the editor
    writer, frames = Writer(channel.write), FrameReader()
    greeted = greet(channel, frames, writer, settings)
    if greeted is None:
        writer.flush(_CLOSE_S)
        leave(1)
    asyncio.run(_run(greeted, channel, frames, writer, new_engine, new_completer or _completer))
    leave(1)  # not reached: _run ends the process


async def _run(
    greeted: Greeted,
    channel: Channel,
    frames: FrameReader,
    writer: Writer,
    new_engine: EngineFactory,
    new_completer: CompleterFactory,
) -> NoReturn:
    from fimserver.lsp.server import Server, report_fault
    from fimserver.lsp.session import Session

    asyncio.get_running_loop().set_exception_handler(report_fault)
    server = Server()
    protocol = server.protocol
    protocol.outlet = writer
    protocol.session = session = Session(protocol, greeted.client, greeted.settings, new_engine, new_completer)
    session.tell_problems(greeted.problems)
    for message in greeted.early:
        protocol.receive(message)
    _read(channel, frames, writer, server)
    watch_process(greeted.client.process_id, partial(_client_is_gone, server, asyncio.get_running_loop()))
    await protocol.gone.wait()
    leave_soon(protocol.exit_code)
    await session.close()
    writer.flush(_CLOSE_S)
    leave(protocol.exit_code)


def _read(channel: Channel, frames: FrameReader, writer: Writer, server: "Server") -> None:
    """Let a thread read messages and hand them to the event loop, in order and not too many at a time."""
    loop = asyncio.get_running_loop()
    free = threading.Semaphore(_MOST_UNHANDLED)

    def handle(message: Message) -> None:
        free.release()
        server.protocol.receive(message)

    def take(received: bytes) -> None:
        for body in frames.feed(received):
            writer.wait_for_room()
            free.acquire()
            loop.call_soon_threadsafe(handle, read_message(body))

    start_reader(channel.read, take, partial(_client_is_gone, server, loop))


def _client_is_gone(server: "Server", loop: asyncio.AbstractEventLoop) -> None:
    """End the process from a thread, even while the event loop is blocked."""
    leave_soon(server.protocol.exit_code)
    loop.call_soon_threadsafe(server.protocol.gone.set)


def _completer(engine: Engine, settings: Settings, roots: tuple[Path, ...]) -> Completer:
    from fimserver.complete import completer

    return completer.Completer(engine, settings, roots=roots)
