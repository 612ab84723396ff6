"""Turn the command that an editor starts into the first suggestion that the editor would get from it.

The server is the real one, over standard input and output, with the user's own settings. Only what would hide an answer
is put aside: how sure the model must be, and how soon it must answer.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fimserver.bench.editor import Buffer, Editor
from fimserver.cli.progress import told
from fimserver.engine.interface import EngineState
from fimserver.errors import EngineUnavailable

# Python; named so that no tool takes it for a module of this package.
_FIXTURE = Path(__file__).parent / "fixtures" / "cart.txt"
TYPED = "self.prices[item] = price"

_BEGUN = "self.p"
_OPTIONS = {"completion": {"confidence": "off", "deadline_ms": 60_000}}

_LOOK_AGAIN_S = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstSuggestion:
    """What came of a request: the suggestion behind `typed`, or the reason why there is none."""

    typed: str
    suggestion: str
    reason: str | None
    model: str
    ms: float


async def first_suggestion(command: Sequence[str]) -> FirstSuggestion:
    """Start a language server, type the beginning of a line, and return what it suggests.

    Raises EngineUnavailable where nothing can answer.
    """
    try:
        async with Editor(command) as editor:
            await editor.initialize(_OPTIONS)
            before, after = fixture()
            buffer = Buffer(editor, "untitled:cart.py", "python", before, after)
            await engine_ready(editor, buffer)
            return await _asked(editor, buffer)
    except OSError as error:
        raise EngineUnavailable(f"{command[0]} cannot be started: {error.strerror or error}.") from error


def fixture() -> tuple[str, str]:
    """Return the fixture's text before and after the line that is typed."""
    before, _, after = _FIXTURE.read_text("utf-8").partition(TYPED)
    return before, after


async def engine_ready(editor: Editor, buffer: Buffer) -> None:
    """Ask for the first suggestion, which starts the engine, until the model is loaded and answers."""
    status = {"message": ""}
    with told(lambda: status["message"]):
        while True:
            await buffer.suggest()
            status = await editor.run_command("fimserver.status")
            if status["engine"] == EngineState.FAILED:
                raise EngineUnavailable(status["message"])
            if status["engine"] == EngineState.READY:
                return
            await asyncio.sleep(_LOOK_AGAIN_S)


async def _asked(editor: Editor, buffer: Buffer) -> FirstSuggestion:
    buffer.type(_BEGUN)
    began_s = time.monotonic()
    suggestion = await buffer.suggest()
    ms = round(1_000 * (time.monotonic() - began_s), 1)
    entry = (await editor.run_command("fimserver.journal"))[-1]
    model = (await editor.run_command("fimserver.status"))["model"]
    return FirstSuggestion(typed=_BEGUN, suggestion=suggestion, reason=entry["reason"], model=model or "", ms=ms)
