"""Turn the pieces of a server's answer into chunks, and notice when it is over."""

import asyncio
from dataclasses import replace
from typing import Any

from fimserver.engine.dialects.speech import Piece
from fimserver.engine.endings import StopTexts
from fimserver.engine.interface import Chunk, Finish, GenerateRequest, Usage


class RemoteAnswer:
    """What has come of one answer. `deadline` is a time of the event loop."""

    def __init__(self, request: GenerateRequest) -> None:
        self._began = asyncio.get_running_loop().time()
        self._stops = StopTexts(request.stop_texts, len(request.forced))
        self._usage = Usage()
        self.deadline = None if request.deadline_ms is None else self._began + request.deadline_ms / 1000
        self.stop_ids: frozenset[int] = frozenset()
        self.finish: Finish | None = None

    def read(self, piece: Piece) -> Chunk:
        """Return a piece as a chunk, and note why the answer ends with it, if it does."""
        if not self.stop_ids.isdisjoint(piece.token_ids):
            self.finish = Finish.END_OF_TEXT
            return Chunk(usage=self._counted(replace(piece, text="")))
        self.finish = Finish.STOP_TEXT if self._stops.appear_in(piece.text) else piece.finish
        return Chunk(text=piece.text, tokens=piece.tokens, logprob=piece.logprob, usage=self._counted(piece))

    def last(self) -> Chunk:
        """Return the chunk that ends the answer."""
        return Chunk(usage=replace(self._usage, total_ms=self._passed_ms()), finish=self.finish)

    def _counted(self, piece: Piece) -> Usage:
        first = self._usage.first_token_ms
        if first is None and piece.text:
            first = self._passed_ms()
        counts: dict[str, Any] = dict(piece.counts or {})
        counts.setdefault("generated_tokens", self._usage.generated_tokens + bool(piece.text))
        self._usage = replace(self._usage, first_token_ms=first, total_ms=self._passed_ms(), **counts)
        return self._usage

    def _passed_ms(self) -> float:
        return (asyncio.get_running_loop().time() - self._began) * 1000
