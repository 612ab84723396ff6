"""Turn a cursor in a document into one suggestion, or into the reason why there is none.

The order of events is that of docs/architecture.md, "One keystroke": allowed → context → remembered suggestion →
flight in progress → anchor → prompt → engine → stream → filters → gate. Each step is a function of its own module;
this one holds what outlives a request: the remembered suggestions, the flights, the pace of typing.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace

from fimserver.complete.ahead import accepted_document
from fimserver.complete.asking import Asker
from fimserver.complete.cache import SuggestionCache
from fimserver.complete.confidence import doubt
from fimserver.complete.filters import Step, refine
from fimserver.complete.flight import Flight
from fimserver.complete.journal import Entry, Journal
from fimserver.complete.stream import Written
from fimserver.complete.turns import Turns, quiet_ms
from fimserver.context.cursor import look_around
from fimserver.engine.interface import Engine, Priority
from fimserver.errors import EngineError, EngineLoading, EngineRefused, FimError, ModelError, PromptTooLong
from fimserver.retrieval.gather import Gatherer
from fimserver.settings import Settings
from fimserver.text import line_end, position_at
from fimserver.values import (
    Completion,
    CursorContext,
    Document,
    Outcome,
    Reason,
    Rejection,
    Shape,
    Span,
    Timings,
)

# A generated file or a data set: nobody types in it, and its length makes every step slow.
_LARGEST_FILE_CHARACTERS = 2_000_000

# How an engine's error reads as a reason.
_REASON_OF: tuple[tuple[type[FimError], Reason], ...] = (
    (EngineLoading, Reason.ENGINE_LOADING),
    (PromptTooLong, Reason.PROMPT_TOO_LONG),
    (EngineRefused, Reason.ENGINE_REFUSED),
    (ModelError, Reason.ENGINE_REFUSED),
    (EngineError, Reason.ENGINE_UNAVAILABLE),
)


class Completer:
    """Answers one request after the other for all documents of an editor window."""

    def __init__(
        self,
        engine: Engine,
        settings: Settings,
        gatherer: Gatherer | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.journal = Journal()
        self._settings = settings
        self._asker = Asker(engine, settings, gatherer)
        self._gatherer = gatherer
        self._clock = clock
        self._turns = Turns()
        self._cache = SuggestionCache()
        self._flights: dict[str, Flight] = {}
        self._last_request_s = 0.0

    def use_settings(self, settings: Settings) -> None:
        """Follow changed settings from the next request on."""
        self._settings = settings
        self._asker.use_settings(settings)

    def forget(self, uri: str) -> None:
        """Drop what is kept of a closed document."""
        self._cache.forget(uri)
        self._asker.forget(uri)
        if (flight := self._flights.pop(uri, None)) is not None:
            flight.abandon()
