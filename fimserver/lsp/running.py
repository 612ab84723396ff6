"""Turn a greeted client's messages into calls of the server, until it is gone; then end the process."""

import asyncio
import sys
import threading
from functools import partial
from pathlib import Path
from typing import NoReturn

from fimserver.complete.other_files import OtherFiles
from fimserver.engine.interface import Engine
from fimserver.lsp.envelope import Message, read_message
from fimserver.lsp.faults import report_fault
from fimserver.lsp.following import SettingsFile
from fimserver.lsp.frames import FrameReader
from fimserver.lsp.greeting import Greeted
from fimserver.lsp.parent import watch_process
from fimserver.lsp.seams import Completer, CompleterFactory, EngineFactory
from fimserver.lsp.server import Server
from fimserver.lsp.session import Session
from fimserver.lsp.transport import Channel, leave, leave_soon, start_reader
from fimserver.lsp.writer import Writer
from fimserver.settings import Settings

# Messages that are read but not handled yet; more wait in the pipe.
_MOST_UNHANDLED = 64

# A thread that computes lets another one in after so long: a key waits at most for this, not for the usual 5 ms.
_TURN_S = 0.0005

# How long the last answers may take to be written.
_LAST_WORDS_S = 0.5


def run(
    greeted: Greeted,
    channel: Channel,
    frames: FrameReader,
    writer: Writer,
    new_engine: EngineFactory,
    new_completer: CompleterFactory | None,
    followed: SettingsFile | None,
) -> NoReturn:
    """Serve a client that has been greeted and end the process when it is gone."""
    asyncio.run(_run(greeted, channel, frames, writer, new_engine, new_completer or _completer, followed))


async def _run(
    greeted: Greeted,
    channel: Channel,
    frames: FrameReader,
    writer: Writer,
    new_engine: EngineFactory,
    new_completer: CompleterFactory,
    followed: SettingsFile | None,
) -> NoReturn:
    sys.setswitchinterval(_TURN_S)
    asyncio.get_running_loop().set_exception_handler(report_fault)
    server = Server()
    protocol = server.protocol
    protocol.outlet = writer
    protocol.session = session = Session(
        protocol, greeted.client, greeted.settings, new_engine, new_completer, followed
    )
    session.warnings.tell_problems(greeted.problems)
    for message in greeted.early:
        protocol.receive(message)
    _read(channel, frames, writer, server)
    watch_process(greeted.client.process_id, partial(_client_is_gone, server, asyncio.get_running_loop()))
    await protocol.gone.wait()
    leave_soon(protocol.exit_code)
    await session.close()
    writer.flush(_LAST_WORDS_S)
    leave(protocol.exit_code)


def _read(channel: Channel, frames: FrameReader, writer: Writer, server: Server) -> None:
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


def _client_is_gone(server: Server, loop: asyncio.AbstractEventLoop) -> None:
    """End the process from a thread, even while the event loop is blocked."""
    leave_soon(server.protocol.exit_code)
    loop.call_soon_threadsafe(server.protocol.gone.set)


def _completer(engine: Engine, settings: Settings, other_files: OtherFiles, roots: tuple[Path, ...]) -> Completer:
    from fimserver.complete import completer
    from fimserver.models.hardware import on_battery

    return completer.Completer(engine, settings, other_files, roots, on_battery=on_battery)
