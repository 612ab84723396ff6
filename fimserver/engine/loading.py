"""Turn the engine's options into a loaded model with all that answers need of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from fimserver.engine.drafting import Drafter, Record
from fimserver.engine.encoding import Encoder, Vocabulary
from fimserver.engine.failures import ContextTooLarge
from fimserver.engine.healing import PrefixIndex
from fimserver.engine.interface import ModelFacts
from fimserver.engine.llama import Llama, LoadOptions, can_use_gpu, system_features, version
from fimserver.engine.measured import measure, recall, remember
from fimserver.engine.memory import Memory
from fimserver.engine.saved import SavedStates, forget_all, key_of
from fimserver.engine.speed import Speed, choose_threads, usable_cores
from fimserver.engine.threads import ThreadChoice, thread_candidates
from fimserver.engine.wire import EngineOptions
from fimserver.files import cache_folder

# Two or three files, each with an old anchor, a new one and what may follow it. Sequences cost nothing but their cells.
SEQUENCES = 8

# The least context that is worth trying when memory is short.
_LEAST_CELLS = 512


@dataclass
class Loaded:
    """A model that is ready to answer."""

    llama: Llama
    base_facts: ModelFacts
    threads: ThreadChoice
    saved: SavedStates | None = None
    drafts: bool = True
    warning: str = ""

    def __post_init__(self) -> None:
        """Set up what answers share."""
        self.memory = Memory(self.llama, self.saved)
        self.speed = Speed(self.llama.batch_tokens)
        self.record = Record()
        self.prefix_index = PrefixIndex(self.llama.piece, self.llama.vocabulary_size)
        self.chance = np.random.default_rng()
        self.scratch = np.empty(self.llama.vocabulary_size, np.float32)
        fim = self.llama.fim_tokens()
        self.middle = fim.get("middle")
        self.ends = frozenset(self.llama.end_tokens()) | frozenset(fim.values())
        vocabulary = Vocabulary(self._tokenise, self.llama.is_control, self.ends, self.base_facts.name)
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
        measured = recall(self._speeds_key)
        if measured:
            self.speed.recall(measured)
        else:
            measure(self.llama, self.speed, self.threads)
            remember(self._speeds_key, self.speed.measured())

    def keep(self) -> None:
        """Write down what the next engine can make use of."""
        self.memory.save()
        remember(self._speeds_key, self.speed.measured())

    @cached_property
    def _speeds_key(self) -> str:
        return key_of(model_parts(self.llama.options), system_features(), usable_cores(), self.llama.options.gpu_layers)

    def drafter(self, tokens: Sequence[int]) -> Drafter | None:
        """Return who drafts an answer to these tokens; nobody for a model that cannot take a wrong draft back."""
        if not self.drafts or not self.llama.rewindable:
            return None
        return Drafter(tokens, self.record, self.speed.cost_of)

    def _tokenise(self, text: str, control: bool) -> list[int]:
        return self.llama.tokenise(text, control=control)


def load(options: EngineOptions, on_percent: Callable[[int], None]) -> Loaded:
    """Load the model. Raises ModelMissing, ModelBroken or EngineUnavailable.

    Where memory does not suffice for the wanted context, half of it is tried once.
    """
    wanted = load_options(options, gpu=can_use_gpu())
    try:
        llama, warning = Llama(wanted, on_percent), ""
    except ContextTooLarge as error:
        if wanted.cells // 2 < _LEAST_CELLS:
            raise
        llama = Llama(replace(wanted, cells=wanted.cells // 2), on_percent)
        warning = f"{error}; going on with half of that."
    facts = facts_of(llama)
    threads = ThreadChoice(thread_candidates(options.threads, wanted.threads, facts.file_bytes))
    loaded = Loaded(llama, facts, threads, saved_states(options, llama), options.drafting != "off", warning)
    loaded.learn_speeds()
    return loaded


def load_options(options: EngineOptions, *, gpu: bool) -> LoadOptions:
    """Return how to load the model on this machine, with everything chosen that the options leave open.

    On a CPU flash attention is slower than none, and with quantised keys and values half as fast at reading a prompt.
    """
    gpu_layers = options.gpu_layers if gpu else 0
    attention = options.flash_attention
    return LoadOptions(
        path=Path(options.model_path),
        cells=options.context_tokens,
        sequences=SEQUENCES,
        threads=choose_threads(options.threads),
        gpu_layers=gpu_layers,
        kv_type=options.kv_type,
        flash_attention="off" if attention == "auto" and not gpu_layers else attention,
    )


def saved_states(options: EngineOptions, llama: Llama) -> SavedStates | None:
    """Return the KV states saved for this model; none, and none left on disk, where the user wants it so."""
    folder = cache_folder() / "kv"
    if not options.save_state:
        forget_all(folder)
        return None
    return SavedStates(folder, key_of(model_parts(llama.options)))


def model_parts(options: LoadOptions) -> tuple[object, ...]:
    """Return what identifies a model as it is loaded: another file, cache or llama.cpp is another model."""
    found = options.path.stat()
    return (
        options.path.name,
        found.st_size,
        found.st_mtime_ns,
        options.kv_type,
        options.flash_attention,
        version(),
    )


def facts_of(llama: Llama) -> ModelFacts:
    """Return what is known of a model."""
    metadata, path = llama.metadata(), llama.options.path
    return ModelFacts(
        name=metadata.get("general.name", path.stem),
        path=str(path),
        architecture=metadata.get("general.architecture", ""),
        context_tokens=min(llama.options.cells, llama.trained_tokens),
        file_bytes=path.stat().st_size,
        parameters=llama.parameters(),
        metadata=metadata,
        fim={role: llama.name(token) for role, token in llama.fim_tokens().items()},
        control_texts=frozenset(llama.name(token) for token in llama.control_tokens),
        chat_template=llama.chat_template(),
    )
