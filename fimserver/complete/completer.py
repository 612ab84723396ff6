"""Turn a cursor in a document into one suggestion, or into the reason why there is none.

The order of events is that of docs/architecture.md, "One keystroke": allowed → context → remembered suggestion →
flight in progress → anchor → prompt → engine → stream → filters → gate. Each step is a function of its own module;
this one holds what outlives a request: the remembered suggestions, the flights, the pace of typing.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from fimserver.complete.ahead import after_accepting
from fimserver.complete.allowed import forbidden
from fimserver.complete.asking import Asker
from fimserver.complete.cache import SuggestionCache
from fimserver.complete.confidence import SURER_THAN_A_COPY, Gate, doubt, gate
from fimserver.complete.flight import Flight
from fimserver.complete.journal import Entry, Journal
from fimserver.complete.landing import Landing, landed, landed_copy, landed_with_error
from fimserver.complete.other_files import OtherFiles
from fimserver.complete.selected import with_selected
from fimserver.complete.stream import Written
from fimserver.complete.turns import Rhythm, Turns, quiet_ms
from fimserver.context.cursor import look_around
from fimserver.engine.interface import Engine, Priority
from fimserver.errors import FimError
from fimserver.settings import Settings
from fimserver.text import position_at
from fimserver.values import Completion, CursorContext, Document, Outcome, Reason, Rejection, Shape, Span

# The answer is on its way to the editor by then: what nobody waits for yet does not hold it up.
_AFTER_ANSWER_S = 0.005

# Beside the first suggestion, where the user asked for one by hand.
_ALTERNATIVES = 2


class Completer:
    """Answers one request after the other for all documents of an editor window."""

    def __init__(
        self,
        engine: Engine,
        settings: Settings,
        other_files: OtherFiles | None = None,
        roots: tuple[Path, ...] = (),
        *,
        clock: Callable[[], float] = time.monotonic,
        on_battery: Callable[[], bool] = lambda: False,
    ) -> None:
        self.journal = Journal()
        self._settings = settings
        self._asker = Asker(engine, settings, other_files, roots)
        self._other_files = other_files
        self._clock, self._on_battery = clock, on_battery
        self._turns = Turns()
        self._cache = SuggestionCache()
        self._flights: dict[str, Flight] = {}
        self._ahead: dict[str, Flight] = {}
        self._soon_ahead: dict[str, asyncio.TimerHandle] = {}
        self._rhythm = Rhythm()

    def use_settings(self, settings: Settings) -> None:
        """Follow changed settings from the next request on."""
        self._settings = settings
        self._asker.use_settings(settings)

    def use_roots(self, roots: tuple[Path, ...]) -> None:
        """Follow changed workspace folders."""
        self._asker.use_roots(roots)

    def forget(self, uri: str) -> None:
        """Drop what is kept of a closed document."""
        self._cache.forget(uri)
        self._asker.forget(uri)
        self._keep_from_going_ahead(uri)
        for flights in (self._flights, self._ahead):
            if (flight := flights.pop(uri, None)) is not None:
                flight.abandon()

    def prepare_at(self, document: Document, offset: int) -> None:
        """Have the prompt for a cursor that has come to rest evaluated before the first key."""
        if self._forbidden(document) is None and self._may_prepare():
            self._asker.prepare_at(look_around(document, offset, completion=self._settings.completion, invoked=True))

    async def prepared(self, document: Document, offset: int) -> None:
        """Have the full prompt for a cursor evaluated, pieces of other files included, and wait for that."""
        if self._forbidden(document) is None:
            context = look_around(document, offset, completion=self._settings.completion, invoked=True)
            await self._asker.prepared(context)

    async def complete(
        self, document: Document, offset: int, *, invoked: bool = False, selected: tuple[Span, str] | None = None
    ) -> Outcome:
        """Return the suggestion at a cursor, or why there is none.

        `invoked`: the user asked for it by hand, so it need not be sure. `selected` is the entry chosen in the
        editor's completion list and the span it would replace: the suggestion goes on from there.
        Cancelling the task cancels the work; a newer request of the document ends this one with DISPLACED.
        """
        if selected is not None:
            return await self._complete_selected(document, selected, invoked=invoked)
        began, landing = self._clock(), Landing(Rejection(reason=Reason.CANCELLED))
        self._rhythm.note(began)
        self._keep_from_going_ahead(document.uri)
        try:
            with self._turns.take(document.uri) as turn:
                answered = await turn.while_mine(self._answer(document, offset, invoked=invoked))
            landing = answered or Landing(Rejection(reason=Reason.DISPLACED))
        finally:
            landing = landing.timed((self._clock() - began) * 1_000)
            self.journal.add(self._entry(document, offset, invoked, landing))
        return landing.outcome

    async def alternatives(self, document: Document, offset: int, to: Completion) -> tuple[Completion, ...]:
        """Return other suggestions for a place where one was asked for by hand: those of the next best first tokens.

        Cancelling the task cancels the work; a newer request of the document ends it with none.
        """
        with self._turns.take(document.uri) as turn:
            return await turn.while_mine(self._alternatives(document, offset, to)) or ()

    async def _alternatives(self, document: Document, offset: int, to: Completion) -> tuple[Completion, ...]:
        context = look_around(document, offset, completion=self._settings.completion, invoked=True)
        found = {to.text: to}
        for rank in range(1, _ALTERNATIVES + 1):
            outcome = (await self._write(context, first_choice=rank)).outcome
            if isinstance(outcome, Completion):
                found.setdefault(outcome.text, outcome)
        return tuple(found.values())[1:]

    async def _complete_selected(self, document: Document, selected: tuple[Span, str], *, invoked: bool) -> Outcome:
        (replaced, entry), edited = selected, document.edited(*selected)
        outcome = await self.complete(edited, replaced.start + len(entry), invoked=invoked)
        return outcome if isinstance(outcome, Rejection) else with_selected(outcome, selected, document, edited)

    async def _answer(self, document: Document, offset: int, *, invoked: bool) -> Landing:
        if (refusal := self._forbidden(document)) is not None:
            return Landing(refusal)
        context = look_around(document, offset, completion=self._settings.completion, invoked=invoked)
        if (known := self._cache.look_up(context)) is not None:
            return self._gated(context, Landing(known), invoked=invoked)
        if context.shape is Shape.NOTHING:
            return Landing(Rejection(reason=context.reason or Reason.EMPTY), context=context)
        if not invoked and self._cache.wrote_out(context):
            return Landing(Rejection(reason=Reason.JUST_ACCEPTED), context=context)
        flight = await self._flight_for(context, invoked)
        landing = await self._land(context, flight)
        if flight.went_elsewhere:
            landing = await self._land(context, await self._flight_for(context, invoked))
        return self._gated(context, landing, invoked=invoked)

    def _forbidden(self, document: Document) -> Rejection | None:
        return forbidden(document, self._settings.completion, self._other_files)

    async def _flight_for(self, context: CursorContext, invoked: bool) -> Flight:
        """Return the generation in progress that goes where the user goes, or begin one."""
        uri = context.document.uri
        if (prepared := self._ahead.pop(uri, None)) is not None:
            if prepared.join(context):
                self._flights[uri] = prepared
                return prepared
            prepared.abandon()
        current = self._flights.get(uri)
        if current is not None and current.join(context):
            return current
        if current is not None:
            await current.cancel()
        fixed_ms = self._settings.completion.quiet_ms
        if wait_ms := quiet_ms(fixed_ms, self._rhythm.gap_ms, self._asker.pace.answer_ms):
            await asyncio.sleep(wait_ms / 1_000)
        flight = self._flights[uri] = Flight(context, partial(self._fly, priority=Priority.TYPING, invoked=invoked))
        return flight

    async def _land(self, context: CursorContext, flight: Flight) -> Landing:
        """Wait for the generation; at the deadline take its first whole lines and let the rest come for the next."""
        landing = await flight.land(self._settings.completion.deadline_ms / 1_000)
        if landing is None and not flight.over:
            flight.keep()
            landing = landed(flight.context, flight.whole_lines(), complete=False)
        if landing is None:
            return Landing(Rejection(reason=Reason.CANCELLED), context=context)
        if flight.context is context or isinstance(landing.outcome, Rejection):
            return landing
        joined = self._cache.look_up(context) or Rejection(reason=Reason.EMPTY, detail="Typed to its end meanwhile.")
        return replace(landing, outcome=replace(joined, source="joined") if isinstance(joined, Completion) else joined)

    async def _fly(self, flight: Flight, *, priority: Priority, invoked: bool = False) -> Landing:
        """Write one answer from start to end, and remember it."""
        context = flight.context
        copied = self._asker.copied(context)
        try:
            await self._asker.model()  # of whose thresholds the gate is made
        except FimError as error:
            return landed_with_error(error)
        least = self._gate(context.shape, invoked)
        least = replace(least, mean=max(least.mean, SURER_THAN_A_COPY)) if copied else least
        landing = await self._write(context, flight.grow, priority=priority, gate=least)
        if copied and landing.written.stopped_by and _less_sure_than_a_copy(landing):  # not where the engine failed
            landing = landed_copy(context, copied, landing)
        if isinstance(landing.outcome, Completion):
            self._cache.remember(context, landing.outcome)
        return landing

    async def _write(
        self, context: CursorContext, on_growth: Callable[[Written], None] = lambda _: None, **how: Any
    ) -> Landing:
        """Return what becomes of what the model writes at a cursor; `how` is what `Asker.ask` takes."""
        try:
            written = await self._asker.answer(context, on_growth, **how)
        except FimError as error:
            return landed_with_error(error)
        return landed(context, written)

    def _gated(self, context: CursorContext, landing: Landing, *, invoked: bool) -> Landing:
        """Return the landing if it is sure enough to interrupt, and prepare what follows it."""
        outcome = landing.outcome
        if isinstance(outcome, Rejection):
            return replace(landing, context=context)
        doubtful = doubt(outcome, self._gate(outcome.shape, invoked))
        if doubtful is not None:
            timings = replace(outcome.timings, shown_tokens=0)
            return replace(landing, context=context, outcome=replace(doubtful, timings=timings))
        if outcome.complete and self._settings.completion.ahead and self._may_prepare():
            later = asyncio.get_running_loop().call_later
            self._soon_ahead[context.document.uri] = later(_AFTER_ANSWER_S, self._prepare_ahead, context, outcome)
        return replace(landing, context=context)

    def _gate(self, shape: Shape, invoked: bool) -> Gate:
        """Return how sure a suggestion must be; one that was asked for by hand need not be."""
        level = "off" if invoked else self._settings.completion.confidence
        return gate(shape, level, self._asker.thresholds)

    def _may_prepare(self) -> bool:
        """Say whether there is power for what may turn out not to be wanted."""
        return self._settings.completion.on_battery == "same" or not self._on_battery()

    def _prepare_ahead(self, context: CursorContext, shown: Completion) -> None:
        """Begin to write what follows once the suggestion is accepted; the next request finds it."""
        uri = context.document.uri
        if uri in self._ahead and not self._ahead[uri].over:
            return
        document, offset = after_accepting(context, shown)
        follows = look_around(document, offset, completion=self._settings.completion, invoked=False)
        if follows.shape is not Shape.NOTHING and self._cache.look_up(follows) is None:
            self._ahead[uri] = Flight(follows, partial(self._fly, priority=Priority.AHEAD))

    def _keep_from_going_ahead(self, uri: str) -> None:
        """Begin nothing for a suggestion that was shown before: the user has gone on."""
        if (soon := self._soon_ahead.pop(uri, None)) is not None:
            soon.cancel()

    def _entry(self, document: Document, offset: int, invoked: bool, landing: Landing) -> Entry:
        line, column = position_at(document.starts, offset)
        return Entry(
            number=self.journal.next_number(),
            uri=document.uri,
            line=line + 1,
            column=column + 1,
            invoked=invoked,
            shape=landing.context.shape if landing.context else "",
            outcome=landing.outcome,
            written=landing.written.text,
            stopped_by=landing.written.stopped_by,
            steps=landing.steps,
            snippets=self._asker.snippets_in_use(document.uri),
        )


def _less_sure_than_a_copy(landing: Landing) -> bool:
    written = landing.outcome
    return isinstance(written, Rejection) or (written.mean_logprob or 0.0) < SURER_THAN_A_COPY
