"""The language server with the real completer and engine client, which takes no fault of the engine for its last.

    python tests/faults/server.py [ENGINE-PROGRAM]

Asked for a suggestion at the very beginning of a document, it answers with the document as it has it.
"""

import sys
from dataclasses import replace
from typing import Any

from fimserver.cli.engines import engine_options
from fimserver.complete.completer import Completer
from fimserver.engine.backoff import Patience
from fimserver.engine.client import EngineClient
from fimserver.engine.starting import COMMAND
from fimserver.lsp.serve import serve
from fimserver.settings import Settings
from fimserver.values import Completion, Document, Outcome, Shape, Span

# The real patience lets an engine rest after it has died five times; here it dies a hundred times on purpose.
UNTIRING = Patience(first_rest_s=0.0, most_stops=1_000_000)
# An engine program of a test's own may be told to hang, and nobody wants to wait for it. The real one gets its time:
# on a busy machine it may say nothing for a second.
IMPATIENT = replace(UNTIRING, silence_s=0.5)


class Telling(Completer):
    """A completer that tells what it knows."""

    async def complete(self, document: Document, offset: int, **more: Any) -> Outcome:
        if offset == 0:
            return Completion(text=repr(document.text), replaces=Span(0, 0), shape=Shape.LINE, source="model")
        return await super().complete(document, offset, **more)


def new_engine(settings: Settings, **_: Any) -> EngineClient:
    if sys.argv[1:]:
        return EngineClient(engine_options(settings), command=(sys.executable, sys.argv[1]), patience=IMPATIENT)
    return EngineClient(engine_options(settings), command=COMMAND, patience=UNTIRING)


if __name__ == "__main__":
    serve(new_engine, Settings(), new_completer=Telling)
