"""A language server whose completer does what the cursor's line says: run as `python tests/lsp/stand_in.py [PORT]`.

…                a suggestion `<line>`: what stands before the cursor on its line, in angle brackets
wait             nothing, ever: only cancelling ends it
block 5          the event loop itself is blocked for so many seconds, as by native code
print            writes to standard output by every way there is, then suggests
fail             an exception whose text is the user's
refuse           a rejection
two lines        a suggestion of two lines that replaces the rest of the line
far              a suggestion that replaces more than the line
documents        a suggestion: how many documents are in memory
"""

import asyncio
import ctypes
import gc
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import replace
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
from fimserver.errors import EngineLoading, ModelMissing
from fimserver.lsp.serve import serve
from fimserver.settings import Settings
from fimserver.text import line_end, position_at
from fimserver.values import Completion, Document, Outcome, Reason, Rejection, Shape, Span

MISSING = "There is no model /missing.gguf."


class StandInEngine:
    """An engine that is never asked to generate. The model's name says what becomes of it.

    /missing.gguf cannot be loaded, /slow.gguf is loading until somebody has seen it, all others are ready.
    """

    def __init__(self, settings: Settings, *, chat: bool = False) -> None:
        self._model = settings.model.completion
        self._state = EngineState.ABSENT if self._model else EngineState.READY
        self._was_looked_at = False

    def generate(self, request: GenerateRequest) -> AsyncIterator[Chunk]:
        raise NotImplementedError

    async def warm(self, prompt: Prompt, priority: Priority = Priority.WARM) -> Usage:
        return Usage()

    async def describe(self) -> ModelFacts:
        if self._model == "/missing.gguf":
            self._state = EngineState.FAILED
            raise ModelMissing(MISSING)
        if self._model == "/slow.gguf":
            self._state = EngineState.LOADING
            if not self._was_looked_at:
                raise EngineLoading("The model is being loaded.")
        self._state = EngineState.READY
        return ModelFacts(name="qwen2.5-coder", path="", architecture="none", context_tokens=0)

    def status(self) -> EngineStatus:
        if self._state is EngineState.LOADING:
            self._was_looked_at = True
        message = MISSING if self._state is EngineState.FAILED else ""
        return EngineStatus(state=self._state, percent=50, message=message)

    async def close(self) -> None:
        pass


REFUSALS = {
    "refuse": Rejection(reason=Reason.LOW_CONFIDENCE, detail="It was told to."),
    "missing": Rejection(reason=Reason.ENGINE_REFUSED, detail=MISSING),
}


class StandInJournal:
    """Nothing is remembered."""

    def entries(self) -> list[object]:
        return []


class StandInCompleter:
    """A completer that obeys the cursor's line."""

    def __init__(self, engine: object, settings: Settings, other_files: object, roots: tuple[Path, ...]) -> None:
        self.journal = StandInJournal()
        self._settings = settings
        self._roots = roots
        self._rested_at = -1

    async def complete(
        self, document: Document, offset: int, *, invoked: bool = False, selected: tuple[Span, str] | None = None
    ) -> Outcome:
        line, column = position_at(document.starts, offset)
        start, end = document.starts[line], line_end(document.text, document.starts, line)
        typed = document.text[start : start + column]
        word, _, rest = typed.strip().partition(" ")
        if word in REFUSALS:
            return REFUSALS[word]
        await _obey(word, rest, document)
        kept = sum(isinstance(one, Document) for one in gc.get_objects()) if typed == "documents" else 0
        settings = f"{self._settings.completion.max_lines} {self._settings.model.completion} {invoked} {selected}"
        here = Span(offset, offset)
        text, span = {
            "settings": (settings, here),
            "whole": (repr(document.text), here),
            "two lines": ("(\n)", Span(offset, end)),
            "rested": (str(self._rested_at), here),
            "documents": (str(kept), here),
            "far": ("far", Span(start, len(document.text))),
        }.get(typed, (f"<{typed}>", here))
        return Completion(text=text, replaces=span, shape=Shape.LINE, source="model")

    async def alternatives(self, document: Document, offset: int, to: Completion) -> tuple[Completion, ...]:
        return (replace(to, text=f"not {to.text}"),) if "also" in to.text else ()

    def prepare_at(self, document: Document, offset: int) -> None:
        self._rested_at = offset

    def use_settings(self, settings: Settings) -> None:
        self._settings = settings

    def use_roots(self, roots: tuple[Path, ...]) -> None:
        self._roots = roots

    def forget(self, uri: str) -> None:
        pass


async def _obey(word: str, rest: str, document: Document) -> None:
    if word == "wait":
        await asyncio.Event().wait()
    elif word == "block":
        time.sleep(float(rest))  # noqa: ASYNC251 - that is the point
    elif word == "print":
        _write_everywhere()
    elif word == "fail":
        raise RuntimeError(document.text)


def _write_everywhere() -> None:
    print("print")
    sys.stdout.flush()
    os.write(1, b"os.write")
    ctypes.CDLL(None).puts(b"puts")
    ctypes.CDLL(None).fflush(None)
    subprocess.run(["echo", "child"], check=True)


if __name__ == "__main__":
    serve(
        StandInEngine,
        Settings(),
        tcp_port=int(sys.argv[1]) if sys.argv[1:] else None,
        new_completer=StandInCompleter,
    )
