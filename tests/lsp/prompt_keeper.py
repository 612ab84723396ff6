"""A language server whose model suggests `it` and keeps every prompt it reads: run as `python prompt_keeper.py FILE`.

FILE gets one JSON object for each prompt, in order: `warm` says that nobody waited for it, `text` is the whole prompt
with its control texts, `held` all of it but what was typed.
"""

import json
import sys
from collections.abc import AsyncGenerator
from pathlib import Path

from fimserver.engine.fake import Reply, ScriptedEngine
from fimserver.engine.interface import Chunk, GenerateRequest, Priority, Prompt, Usage
from fimserver.lsp.serve import serve
from fimserver.settings import Settings, read_settings


class KeepingEngine(ScriptedEngine):
    """A scripted engine that writes down what it is asked."""

    def __init__(self, settings: Settings, **_: object) -> None:
        super().__init__([Reply(pieces=("it", "\n"))])
        self._file = Path(sys.argv[1])

    async def generate(self, request: GenerateRequest) -> AsyncGenerator[Chunk, None]:
        self._keep(request.prompt, warm=request.priority is not Priority.TYPING)
        async for chunk in super().generate(request):
            yield chunk

    async def warm(self, prompt: Prompt, priority: Priority = Priority.WARM) -> Usage:
        self._keep(prompt, warm=True)
        return await super().warm(prompt, priority)

    def _keep(self, prompt: Prompt, *, warm: bool) -> None:
        texts = [segment.text for segment in prompt.segments]
        middle = next(index for index, text in enumerate(texts) if text == "<|fim_middle|>")
        row = {"warm": warm, "text": "".join(texts), "held": "".join(texts[: middle + 1])}
        with self._file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    settings, _ = read_settings(
        {
            "completion": {"ahead": False, "confidence": "off"},
            "model": {"profile": "qwen2.5-coder"},  # which has learnt how other files are written
            "privacy": {"log_level": "info"},
        }
    )
    serve(KeepingEngine, settings)
