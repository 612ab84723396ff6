"""Ask the model at a cursor: anchor, prompt, stream; and prepare the next anchor when the user pauses.

A request never waits for a new anchor. Where none can be held it sends a prompt that is small enough for the deadline,
and the full one, with the snippets of other files, is evaluated behind it on another sequence of the engine's cache;
the requests after that find it there. Other files are looked at only then, so they never cost a keystroke.
"""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from fimserver.complete.confidence import OPEN, Gate
from fimserver.complete.healing import backed_up, without
from fimserver.complete.other_files import OtherFiles
from fimserver.complete.pace import Pace, answer_tokens, full_prompt_tokens, small_prompt_tokens
from fimserver.complete.stops import Stopping
from fimserver.complete.stream import Written, write
from fimserver.context.anchor import (
    Anchors,
    Held,
    fresh_anchor,
    held,
    hold_or_take,
    next_anchor,
    plain_anchor,
    typed_since,
)
from fimserver.context.window import Budget
from fimserver.engine.interface import Engine, GenerateRequest, ModelFacts, Priority, Prompt
from fimserver.errors import EngineError, ModelError
from fimserver.prompt.fim import fim_prompt
from fimserver.prompt.profile import Order, Profile, profile_for
from fimserver.settings import Settings
from fimserver.uris import shown_path
from fimserver.values import Anchor, CursorContext, Shape, Snippet

# A user who has not typed for this long has paused: time to move the anchor, and to look at other files again.
_PAUSE_S = 0.7

# Of a full prompt's tokens, other files may take this share (and never more than the setting).
_SNIPPET_SHARE = 0.4


@dataclass(frozen=True, slots=True)
class Model:
    """The loaded model and how it wants its prompts."""

    facts: ModelFacts
    profile: Profile


class Asker:
    """Knows each document's anchors, the model and the engine's pace."""

    def __init__(
        self, engine: Engine, settings: Settings, other_files: OtherFiles | None, roots: tuple[Path, ...]
    ) -> None:
        self.pace = Pace()
        self._engine = engine
        self._settings = settings
        self._other_files = other_files
        self._roots = roots
        self._model: Model | None = None
        self._anchors = Anchors()
        self._latest: dict[str, CursorContext] = {}  # where the user was last seen, per document
        self._rested: set[str] = set()  # documents of which only the small prompt for a resting cursor is evaluated
        self._pauses: dict[str, asyncio.TimerHandle] = {}
        self._warming: dict[str, asyncio.Task[None]] = {}

    def use_settings(self, settings: Settings) -> None:
        """Follow changed settings; another model makes the anchors worthless."""
        self._settings = settings
        self._model = None
        self._anchors.clear()

    def use_roots(self, roots: tuple[Path, ...]) -> None:
        """Name documents by their paths below these folders from now on."""
        self._roots = roots

    def forget(self, uri: str) -> None:
        """Drop a closed document's anchors."""
        self._anchors.forget(uri)
        self._latest.pop(uri, None)
        self._rested.discard(uri)
        if (pause := self._pauses.pop(uri, None)) is not None:
            pause.cancel()
        self._stop_warming(uri)

    async def model(self) -> Model:
        """Return the model in use. Raises EngineError or ModelError."""
        if self._model is None:
            facts = await self._engine.describe()
            self._model = Model(facts, profile_for(facts, self._settings.model.profile))
        return self._model

    def snippets_in_use(self, uri: str) -> tuple[Snippet, ...]:
        """Return the snippets of other files that the document's newest anchor stands behind."""
        return next((anchor.snippets for anchor in self._anchors.of(uri)), ())

    @property
    def thresholds(self) -> Mapping[str, Mapping[str, float]]:
        """The model's own confidence thresholds by shape, as far as they are known."""
        return self._model.profile.confidence if self._model else {}

    async def ask(
        self,
        context: CursorContext,
        shape: Shape,
        on_growth: Callable[[Written], None],
        *,
        so_far: Written | None = None,
        priority: Priority = Priority.TYPING,
        first_choice: int = 0,
        gate: Gate = OPEN,
    ) -> Written:
        """Return the model's answer at a cursor, continuing `so_far` if given. Raises EngineError or ModelError.

        With `first_choice` it begins with the next best token instead. An answer that can no longer pass
        the gate is given up.
        """
        model = await self.model()
        place = self._held(context, model)
        if priority is Priority.TYPING:
            self._latest[context.document.uri] = context
        typed, word = self._healed(place.typed) if so_far is None else (place.typed + so_far.text, "")
        request = GenerateRequest(
            prompt=self._prompt(context, place.anchor, typed, model),
            max_tokens=answer_tokens(shape),
            forced=word,
            priority=priority,
            first_choice=first_choice,
            stop_texts=("\n",) if shape is Shape.LINE else model.profile.stop_texts,
        )
        stopping = Stopping(context, shape, self._settings.completion.max_lines, gate)
        written = await write(without(word, self._engine.generate(request)), stopping, on_growth, so_far)
        if priority is not Priority.TYPING:
            return written
        self.pace = self.pace.after(written.usage)
        if self._settings.completion.layout == "anchored":
            self._prepare(context, model, fresh=place.fresh or context.document.uri in self._rested)
            self._rested.discard(context.document.uri)
        return written

    def prepare_at(self, context: CursorContext) -> None:
        """Have the small prompt for a cursor that has come to rest evaluated before the first key.

        The full one waits for that key: who only reads should hear no fan.
        """
        uri = context.document.uri
        if self._settings.completion.layout == "anchored":
            self._stop_warming(uri)
            self._latest[uri] = context
            self._warming[uri] = asyncio.create_task(self._warm_at(context))

    async def prepared(self, context: CursorContext) -> None:
        """Evaluate the full prompt for a cursor, and return when that is done. What goes wrong is told when asked."""
        if self._settings.completion.layout == "anchored":
            with suppress(EngineError, ModelError):
                await self._warm_next(context, await self.model(), fresh=True)

    def _held(self, context: CursorContext, model: Model) -> Held:
        """Return the anchor to ask from: one that is held, or a small fresh one."""
        if self._settings.completion.layout == "plain":
            anchor = plain_anchor(context, self._full_budget(model))
            return Held(anchor, typed_since(anchor, context), fresh=False)
        small = small_prompt_tokens(self.pace, model.facts, self._settings.completion.deadline_ms)
        prefix_first = model.profile.order is Order.PSM
        return hold_or_take(context, self._anchors, Budget.of_tokens(window_tokens=small), prefix_first=prefix_first)

    def _healed(self, typed: str) -> tuple[str, str]:
        return backed_up(typed) if self._settings.completion.healing else (typed, "")

    def _prompt(self, context: CursorContext, anchor: Anchor, typed: str, model: Model) -> Prompt:
        path, repository = shown_path(context.document.uri, self._roots)
        return fim_prompt(anchor, typed, anchor.snippets, model.profile, path=path, repository=repository)

    def _full_budget(self, model: Model) -> Budget:
        return Budget.of_tokens(window_tokens=full_prompt_tokens(self.pace, model.facts))

    def _prepare(self, context: CursorContext, model: Model, *, fresh: bool) -> None:
        """Evaluate the full prompt in the background: at once behind a small one, else when the user pauses."""
        uri = context.document.uri
        if (pause := self._pauses.pop(uri, None)) is not None:
            pause.cancel()
        if fresh:
            self._stop_warming(uri)
            self._warm(context, model, fresh=True)
        else:
            self._pauses[uri] = asyncio.get_running_loop().call_later(_PAUSE_S, self._warm, context, model)

    def _warm(self, context: CursorContext, model: Model, fresh: bool = False) -> None:
        """Begin to evaluate the next prompt, unless that is under way."""
        running = self._warming.get(context.document.uri)
        if running is None or running.done():
            task = asyncio.create_task(self._warm_next(context, model, fresh=fresh))
            self._warming[context.document.uri] = task

    def _stop_warming(self, uri: str) -> None:
        if (task := self._warming.pop(uri, None)) is not None:
            task.cancel()

    async def _warm_at(self, context: CursorContext) -> None:
        """Evaluate the small prompt for a place where nothing was typed yet, unless an anchor holds there."""
        with suppress(EngineError, ModelError):
            model = await self.model()
            place = self._held(context, model)
            if place.fresh:
                self._rested.add(context.document.uri)
                await self._evaluate(context, place.anchor, place.typed, model)

    async def _warm_next(self, context: CursorContext, model: Model, *, fresh: bool) -> None:
        budget = self._full_budget(model)
        anchor = fresh_anchor(context, budget) if fresh else next_anchor(context, self._anchors, budget)
        snippets = await self._snippets(context, model)
        in_use = next(iter(self._anchors.of(context.document.uri)), None)
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
        self._anchors.remember(anchor)

    async def _evaluate(self, context: CursorContext, anchor: Anchor, typed: str, model: Model) -> None:
        await self._engine.warm(self._prompt(context, anchor, typed, model))

    async def _snippets(self, context: CursorContext, model: Model) -> tuple[Snippet, ...]:
        """Return what of other files should stand in the next prompt."""
        if self._other_files is None or not self._settings.context.other_files or not model.profile.file:
            return ()
        share = int(full_prompt_tokens(self.pace, model.facts) * _SNIPPET_SHARE)
        return await self._other_files.snippets(context, min(share, self._settings.context.max_tokens))
