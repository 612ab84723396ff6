"""Have the engine evaluate the next prompt before anybody asks with it: at a new place, and when the user pauses.

No request waits for that. It happens on another sequence of the engine's cache, and only when all of a prompt is
evaluated do requests take its anchor. Other files are looked at only here, so they never cost a keystroke.
"""

import asyncio
from contextlib import suppress
from dataclasses import replace

from fimserver.complete.other_files import OtherFiles
from fimserver.complete.pace import full_prompt_tokens, snippet_tokens
from fimserver.complete.prompts import Model, Prompts
from fimserver.context.anchor import fresh_anchor, held, next_anchor, typed_since
from fimserver.context.window import Budget
from fimserver.engine.interface import Engine, Priority
from fimserver.errors import EngineError, ModelError
from fimserver.values import Anchor, CursorContext, Snippet

# A user who has not typed for this long has paused: time to move the anchor, and to look at other files again.
_PAUSE_S = 0.7


class Warming:
    """Knows where the user was last seen in each document, and what is being evaluated for it."""

    def __init__(self, engine: Engine, prompts: Prompts, other_files: OtherFiles | None) -> None:
        self._engine = engine
        self._prompts = prompts
        self._other_files = other_files
        self._latest: dict[str, CursorContext] = {}
        self._rested: set[str] = set()  # documents of which only the small prompt for a resting cursor is evaluated
        self._pauses: dict[str, asyncio.TimerHandle] = {}
        self._running: dict[str, asyncio.Task[None]] = {}

    def forget(self, uri: str) -> None:
        """Let go of a closed document."""
        self._latest.pop(uri, None)
        self._rested.discard(uri)
        self._end_pause(uri)
        self._stop(uri)

    def note(self, context: CursorContext) -> None:
        """Take note of where the user types."""
        self._latest[context.document.uri] = context

    def after_answer(self, context: CursorContext, model: Model, *, fresh: bool) -> None:
        """Evaluate the full prompt: at once behind a small one that was `fresh`, else when the user pauses."""
        uri = context.document.uri
        self._end_pause(uri)
        if fresh or uri in self._rested:
            self._rested.discard(uri)
            self._stop(uri)
            self._begin(context, model, fresh=True)
        else:
            self._pauses[uri] = asyncio.get_running_loop().call_later(_PAUSE_S, self._begin, context, model)

    def at_rest(self, context: CursorContext) -> None:
        """Have the small prompt for a cursor that has come to rest evaluated before the first key.

        The full one waits for that key: who only reads should hear no fan.
        """
        uri = context.document.uri
        self._stop(uri)
        self.note(context)
        self._running[uri] = asyncio.create_task(self._warm_small(context))

    async def whole(self, context: CursorContext) -> None:
        """Evaluate the full prompt for a cursor, and return when that is done. What goes wrong is told when asked."""
        with suppress(EngineError, ModelError):
            await self._warm_full(context, await self._prompts.model(), fresh=True)

    def _begin(self, context: CursorContext, model: Model, fresh: bool = False) -> None:
        """Begin to evaluate the next prompt, unless that is under way."""
        running = self._running.get(context.document.uri)
        if running is None or running.done():
            task = asyncio.create_task(self._warm_full(context, model, fresh=fresh))
            self._running[context.document.uri] = task

    def _stop(self, uri: str) -> None:
        if (task := self._running.pop(uri, None)) is not None:
            task.cancel()

    def _end_pause(self, uri: str) -> None:
        if (pause := self._pauses.pop(uri, None)) is not None:
            pause.cancel()

    async def _warm_small(self, context: CursorContext) -> None:
        """Evaluate the small prompt for a place, or the one that holds there: the engine may have let go of it."""
        with suppress(EngineError, ModelError):
            model = await self._prompts.model()
            place = self._prompts.place(context, model)
            if place.fresh:
                self._rested.add(context.document.uri)
            prompt = self._prompts.prompt(context, place.anchor, place.typed, model)
            usage = await self._engine.warm(prompt, Priority.RESTING)
            self._prompts.pace = self._prompts.pace.after_reading(usage)

    async def _warm_full(self, context: CursorContext, model: Model, *, fresh: bool) -> None:
        budget, anchors = self._prompts.full_budget(model), self._prompts.anchors
        anchor = fresh_anchor(context, budget) if fresh else next_anchor(context, anchors, budget)
        snippets = await self._snippets(context, model)
        in_use = next(iter(anchors.of(context.document.uri)), None)
        if anchor is None and in_use is not None and snippets != in_use.snippets:
            anchor = in_use
        if anchor is None:
            return
        with suppress(EngineError):
            await self._put_to_use(replace(anchor, snippets=snippets), context, model, budget)

    async def _put_to_use(self, anchor: Anchor, context: CursorContext, model: Model, budget: Budget) -> None:
        """Evaluate an anchor and what has been typed behind it meanwhile; only then do requests take it."""
        await self._evaluate(context, anchor, "", model)
        latest = self._latest.get(context.document.uri, context)
        if (placed := held(anchor, latest, budget)) is not None:
            await self._evaluate(latest, placed, typed_since(placed, latest), model)
        self._prompts.anchors.remember(anchor)

    async def _evaluate(self, context: CursorContext, anchor: Anchor, typed: str, model: Model) -> None:
        await self._engine.warm(self._prompts.prompt(context, anchor, typed, model))

    async def _snippets(self, context: CursorContext, model: Model) -> tuple[Snippet, ...]:
        """Return what of other files should stand in the next prompt."""
        limits = self._prompts.settings.context
        if self._other_files is None or not limits.other_files or not model.profile.file:
            return ()
        full_tokens = full_prompt_tokens(self._prompts.pace, model.facts)
        return await self._other_files.snippets(context, snippet_tokens(full_tokens, limits.max_tokens))
