"""Turn a channel to an editor into a running language server, and end the process when the editor is done with it.

The order is what makes it quick to start: take the streams, answer `initialize`, and only then load the event loop, the
protocol's types, the completer and the grammars, while the editor reads the answer.
"""

import signal
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NoReturn

from fimserver.lsp.following import SettingsFile
from fimserver.lsp.frames import FrameReader
from fimserver.lsp.greeting import greet
from fimserver.lsp.transport import leave, standard_channel, tcp_channel
from fimserver.lsp.writer import Writer
from fimserver.settings import Problem, Settings

if TYPE_CHECKING:
    from fimserver.lsp.seams import CompleterFactory, EngineFactory

# How long the refusals to a client that never said `initialize` may take to be written.
_LAST_WORDS_S = 0.5


def serve(
    new_engine: "EngineFactory",
    settings: Settings,
    *,
    problems: Sequence[Problem] = (),
    followed: SettingsFile | None = None,
    tcp_port: int | None = None,
    new_completer: "CompleterFactory | None" = None,
) -> NoReturn:
    """Serve one editor and end the process: with code 0 if it shut the server down before it left, else with 1.

    `new_engine` and `new_completer` are called after `initialize` has been answered: what they import costs the editor
    no time. `problems` are sentences about the settings, for the user; `followed` is the file they come from, which is
    read again when it was written. Raises OSError where the TCP port is taken.
    """
    channel = standard_channel() if tcp_port is None else tcp_channel(tcp_port)
    if tcp_port is None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C in a terminal's editor is meant for the editor
    writer, frames = Writer(channel), FrameReader()
    greeted = greet(channel, frames, writer, settings)
    if greeted is None:
        writer.flush(_LAST_WORDS_S)
        leave(1)
    from fimserver.lsp.running import run

    greeted = replace(greeted, problems=(*problems, *greeted.problems))
    run(greeted, channel, frames, writer, new_engine, new_completer, followed)
