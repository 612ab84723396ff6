"""A language server whose completer does what the cursor's line says: run as `python tests/lsp/stand_in.py [PORT]`.

…                a suggestion `<line>`: what stands before the cursor on its line, in angle brackets
wait             nothing, ever: only cancelling ends it
block 5          the event loop itself is blocked for so many seconds, as by native code
print            writes to standard output by every way there is, then suggests
fail             an exception whose text is the user's
refuse           a rejection
two lines        a suggestion of two lines that replaces the rest of the line
far              a suggestion that replaces more than the line
"""

import asyncio
import ctypes
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

from fimserver.engine.interface import (
    Chunk,
    EngineState,
    EngineStatus,
    GenerateRequest,
    ModelFacts,
    Priority,
    Prompt,
    Usage,
)
from fimserver.lsp.serve import serve
from fimserver.settings import Settings
from fimserver.text import line_end, position_at
from fimserver.values import Completion, Document, Outcome, Reason, Rejection, Shape, Span


class StandInEngine:
    """An engine that is ready and never asked."""

    def generate(self, request: GenerateRequest) -> AsyncIterator[Chunk]:
        raise NotImplementedError

    async def warm(self, prompt: Prompt, priority: Priority = Priority.WARM) -> Usage:
        return Usage()

    async def describe(self) -> ModelFacts:
        return ModelFacts(name="stand-in", path="", architecture="none", context_tokens=0)

    def status(self) -> EngineStatus:
        return EngineStatus(state=EngineState.READY)

    async def close(self) -> None:
        pass


class StandInJournal:
    """Nothing is remembered."""

    def entries(self) -> list[object]:
        return []


class StandInCompleter:
    """A completer that obeys the cursor's line."""

    def __init__(self, engine: object, settings: Settings, roots: tuple[Path, ...]) -> None:
        self.journal = StandInJournal()
        self._settings = settings
        self._number = 0
        self._roots = roots

    async def complete(
        self, document: Document, offset: int, *, invoked: bool = False, selected: tuple[Span, str] | None = None
    ) -> Outcome:
        line, column = position_at(document.starts, offset)
        start, end = document.starts[line], line_end(document.text, document.starts, line)
        typed = document.text[start : start + column]
        word, _, rest = typed.strip().partition(" ")
        if word == "wait":
            await asyncio.Event().wait()
        elif word == "block":
            time.sleep(float(rest))  # noqa: ASYNC251 - that is the point
        elif word == "print":
            _write_everywhere()
        elif word == "fail":
            raise RuntimeError(document.text)
        elif word == "refuse":
            return Rejection(reason=Reason.LOW_CONFIDENCE, detail="It was told to.")
        self._number += 1
        text, span = f"<{typed}>", Span(offset, offset)
        if typed == "two lines":
            text, span = "(\n)", Span(offset, end)
        elif typed == "far":
            span = Span(start, len(document.text))
        elif typed == "settings":
            text = f"{self._settings.completion.max_lines} {self._settings.model.completion} {invoked} {selected}"
        elif typed == "whole":
            text = repr(document.text)
        return Completion(text=text, replaces=span, shape=Shape.LINE, source="model", id=f"c{self._number}")

    def use_settings(self, settings: Settings) -> None:
        self._settings = settings

    def accepted(self, completion_id: str) -> None:
        pass

    def forget(self, uri: str) -> None:
        pass


def _write_everywhere() -> None:
    print("print")
    sys.stdout.flush()
    os.write(1, b"os.write")
    ctypes.CDLL(None).puts(b"puts")
    ctypes.CDLL(None).fflush(None)
    subprocess.run(["echo", "child"], check=True)


if __name__ == "__main__":
    serve(
        lambda _: StandInEngine(),
        Settings(),
        tcp_port=int(sys.argv[1]) if sys.argv[1:] else None,
        new_completer=StandInCompleter,
    )
