"""Hold a loaded model together with all that its answers share: its KV cache, its vocabulary, its speed."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from fimserver.engine.drafting import Drafter, Record
from fimserver.engine.encoding import Encoder, Vocabulary
from fimserver.engine.healing import PrefixIndex
from fimserver.engine.interface import ModelFacts
from fimserver.engine.llama import Llama
from fimserver.engine.measured import measure, remember
from fimserver.engine.memory import Memory
from fimserver.engine.saved import SavedStates
from fimserver.engine.speed import Measured, Speed
from fimserver.engine.threads import ThreadChoice
from fimserver.engine.trial import Trial, command_for, is_quicker, worth_trying


@dataclass
class Loaded:
    """A model that is ready to answer."""

    llama: Llama
    base_facts: ModelFacts
    threads: ThreadChoice
    speeds_key: str = ""
    known: Measured = field(default_factory=Measured)
    saved: SavedStates | None = None
    drafts: bool = True
    warning: str = ""

    def __post_init__(self) -> None:
        """Set up what answers share."""
        self.tokeniser = self.llama.tokeniser
        self.memory = Memory(self.llama, self.saved)
        self.speed = Speed(self.llama.batch_tokens)
        self.record = Record()
        self.prefix_index = PrefixIndex(self.tokeniser.piece, self.tokeniser.size)
        path, tried = self.llama.options.path, self.known.repack is not None
        may_repack = not tried and worth_trying(path, self.llama.options.gpu_layers)
        self.trial = Trial(command_for(path, self.llama.options.threads) if may_repack else (), self.note_trial)
        self.chance = np.random.default_rng()
        self.scratch = np.empty(self.tokeniser.size, np.float32)
        fim = self.tokeniser.fim_tokens()
        self.middle = fim.get("middle")
        self.ends = frozenset(self.tokeniser.end_tokens()) | frozenset(fim.values())
        is_control = self.tokeniser.control_tokens.__contains__
        vocabulary = Vocabulary(self._tokenise, is_control, self.ends, self.base_facts.name)
        self.encoder = Encoder(vocabulary, self.base_facts.context_tokens)

    @property
    def facts(self) -> ModelFacts:
        """The model's facts, with the speeds as measured by now."""
        return replace(
            self.base_facts,
            prefill_tokens_per_s=round(self.speed.prefill_tokens_per_s, 1),
            decode_tokens_per_s=round(self.speed.decode_tokens_per_s, 1),
        )

    def learn_speeds(self) -> None:
        """Recall this machine's speeds with this model, or measure them."""
        if self.known.drafts_s and not self.llama.options.repack:
            self.speed.recall(self.known)
        else:  # repacked weights are proven to work by measuring
            measure(self.llama, self.speed, self.threads)
        self._remember()

    def note_trial(self, repacked: Measured | None) -> None:
        """Take note of how fast the model is with repacked weights. The next engine loads it in the better way."""
        quicker = is_quicker(repacked, self.speed.measured())
        self.known = replace(repacked or self.known, repack=quicker)
        self._remember()

    def keep(self) -> None:
        """Write down what the next engine can make use of."""
        self.memory.save()
        self._remember()

    def _remember(self) -> None:
        as_loaded = bool(self.known.repack) == self.llama.options.repack
        measured = replace(self.speed.measured(), repack=self.known.repack) if as_loaded else self.known
        remember(self.speeds_key, measured, self.llama.options.path)

    def drafter(self, tokens: Sequence[int]) -> Drafter | None:
        """Return who drafts an answer to these tokens; nobody for a model that cannot take a wrong draft back."""
        if not self.drafts or not self.llama.rewindable:
            return None
        return Drafter(tokens, self.record, self.speed.cost_of)

    def _tokenise(self, text: str, control: bool) -> list[int]:
        return self.tokeniser.tokenise(text, control=control)
