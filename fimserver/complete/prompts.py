"""Turn a cursor into the prompt to ask with: which model, from which anchor, how much of the text.

Where no anchor can be held the prompt is small enough for the deadline; the full one is warmed behind it
(`warming.py`).
"""

from dataclasses import dataclass
from pathlib import Path

from fimserver.complete.pace import Pace, full_prompt_tokens, small_prompt_tokens
from fimserver.context.anchor import Anchors, Held, hold_or_take, plain_anchor, typed_since
from fimserver.context.window import Budget
from fimserver.engine.interface import Engine, ModelFacts, Prompt
from fimserver.prompt.fim import fim_prompt
from fimserver.prompt.profile import Order, Profile, profile_for
from fimserver.settings import Settings
from fimserver.uris import shown_path
from fimserver.values import Anchor, CursorContext


@dataclass(frozen=True, slots=True)
class Model:
    """The loaded model and how it wants its prompts."""

    facts: ModelFacts
    profile: Profile


class Prompts:
    """Knows the model, each document's anchors and the engine's pace."""

    def __init__(self, engine: Engine, settings: Settings, roots: tuple[Path, ...]) -> None:
        self.settings = settings
        self.roots = roots
        self.anchors = Anchors()
        self.pace = Pace()
        self.known_model: Model | None = None
        self._engine = engine

    def use_settings(self, settings: Settings) -> None:
        """Follow changed settings; another model makes the anchors worthless."""
        self.settings = settings
        self.known_model = None
        self.anchors.clear()

    async def model(self) -> Model:
        """Return the model in use. Raises EngineError or ModelError."""
        if self.known_model is None:
            facts = await self._engine.describe()
            self.known_model = Model(facts, profile_for(facts, self.settings.model.profile))
        return self.known_model

    @property
    def anchored(self) -> bool:
        """Whether prompts hold their split point; the plain layout is there to compare with."""
        return self.settings.completion.layout == "anchored"

    def place(self, context: CursorContext, model: Model) -> Held:
        """Return the anchor to ask from: one that is held, or a small fresh one."""
        if not self.anchored:
            anchor = plain_anchor(context, self.full_budget(model))
            return Held(anchor, typed_since(anchor, context), fresh=False)
        small = small_prompt_tokens(self.pace, model.facts, self.settings.completion.deadline_ms)
        prefix_first = model.profile.order is Order.PSM
        return hold_or_take(context, self.anchors, Budget.of_tokens(window_tokens=small), prefix_first=prefix_first)

    def prompt(self, context: CursorContext, anchor: Anchor, typed: str, model: Model) -> Prompt:
        """Return the prompt from an anchor, and what was typed behind it."""
        path, repository = shown_path(context.document.uri, self.roots)
        return fim_prompt(anchor, typed, anchor.snippets, model.profile, path=path, repository=repository)

    def full_budget(self, model: Model) -> Budget:
        """Return how much of the text a prompt may hold that nobody waits for."""
        return Budget.of_tokens(window_tokens=full_prompt_tokens(self.pace, model.facts))
