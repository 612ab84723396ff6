"""Ask the model at a cursor: anchor, prompt, request, stream."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from fimserver.complete.confidence import OPEN, Gate
from fimserver.complete.copying import copied_rest
from fimserver.complete.healing import backed_up, without
from fimserver.complete.other_files import OtherFiles
from fimserver.complete.pace import Pace, answer_tokens
from fimserver.complete.prompts import Model, Prompts
from fimserver.complete.stops import Stopping
from fimserver.complete.stream import Written, write
from fimserver.complete.warming import Warming
from fimserver.engine.interface import Engine, GenerateRequest, Priority
from fimserver.settings import Settings
from fimserver.syntax.languages import language_named
from fimserver.syntax.layout import begins_block
from fimserver.values import CursorContext, Shape, Snippet


class Asker:
    """Asks with the prompts of one window's documents, and has the next ones warmed."""

    def __init__(
        self, engine: Engine, settings: Settings, other_files: OtherFiles | None, roots: tuple[Path, ...]
    ) -> None:
        self._engine = engine
        self._prompts = Prompts(engine, settings, roots)
        self._warming = Warming(engine, self._prompts, other_files)

    def use_settings(self, settings: Settings) -> None:
        """Follow changed settings; another model makes the anchors worthless."""
        self._prompts.use_settings(settings)

    def use_roots(self, roots: tuple[Path, ...]) -> None:
        """Name documents by their paths below these folders from now on."""
        self._prompts.roots = roots

    def forget(self, uri: str) -> None:
        """Drop a closed document's anchors."""
        self._prompts.anchors.forget(uri)
        self._warming.forget(uri)

    async def model(self) -> Model:
        """Return the model in use. Raises EngineError or ModelError."""
        return await self._prompts.model()

    @property
    def pace(self) -> Pace:
        """How fast the engine has answered of late."""
        return self._prompts.pace

    @property
    def thresholds(self) -> Mapping[str, Mapping[str, float]]:
        """The model's own confidence thresholds by shape, as far as they are known."""
        return self._prompts.known_model.profile.confidence if self._prompts.known_model else {}

    def snippets_in_use(self, uri: str) -> tuple[Snippet, ...]:
        """Return the snippets of other files that the document's newest anchor stands behind."""
        return next((anchor.snippets for anchor in self._prompts.anchors.of(uri)), ())

    def copied(self, context: CursorContext) -> str | None:
        """Return the rest of the one line elsewhere that begins as the cursor's does."""
        wanted = self._prompts.settings.completion.copies
        if not wanted or context.shape is not Shape.LINE or context.blank_prefix:
            return None
        return copied_rest(context, self.snippets_in_use(context.document.uri))

    async def answer(self, context: CursorContext, on_growth: Callable[[Written], None], **how: Any) -> Written:
        """Return what the model writes at a cursor: of a line that opens a block, the block too.

        `how` is what `ask` takes. Raises EngineError or ModelError.
        """
        written = await self.ask(context, context.shape, on_growth, **how)
        if not self._goes_on_as_block(context, written.text):
            return written
        return await self.ask(context, Shape.BLOCK, on_growth, **{**how, "so_far": written, "first_choice": 0})

    def _goes_on_as_block(self, context: CursorContext, line: str) -> bool:
        """Say whether a line that was asked for turned out to open a block."""
        wanted = self._prompts.settings.completion.shape == "auto" and context.shape is Shape.LINE
        if not wanted or not line.strip():
            return False
        language = language_named(context.document.language)
        return begins_block(context.document, context.line, context.line_prefix + line, language)

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
        place = self._prompts.place(context, model)
        if priority is Priority.TYPING:
            self._warming.note(context)
        completion = self._prompts.settings.completion
        typed, begun = backed_up(place.typed) if completion.healing else (place.typed, "")
        begun += so_far.text if so_far else ""
        request = GenerateRequest(
            prompt=self._prompts.prompt(context, place.anchor, typed, model),
            max_tokens=answer_tokens(shape),
            forced=begun,
            priority=priority,
            first_choice=first_choice,
            stop_texts=("\n",) if shape is Shape.LINE else model.profile.stop_texts,
        )
        stopping = Stopping(context, shape, completion.max_lines, gate)
        written = await write(without(begun, self._engine.generate(request)), stopping, on_growth, so_far)
        if priority is Priority.TYPING:
            self._prompts.pace = self.pace.after(written.usage)
            if self._prompts.anchored:
                self._warming.after_answer(context, model, fresh=place.fresh)
        return written

    def prepare_at(self, context: CursorContext) -> None:
        """Have the small prompt for a cursor that has come to rest evaluated before the first key."""
        if self._prompts.anchored:
            self._warming.at_rest(context)

    async def prepared(self, context: CursorContext) -> None:
        """Evaluate the full prompt for a cursor, and return when that is done."""
        if self._prompts.anchored:
            await self._warming.whole(context)
