"""Turn the engine's options into a loaded model with all that answers need of it."""

import platform
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from fimserver.engine.failures import ContextTooLarge, check_model_file
from fimserver.engine.interface import ModelFacts
from fimserver.engine.llama import Llama
from fimserver.engine.loaded import Loaded
from fimserver.engine.measured import recall, remember
from fimserver.engine.model import LoadOptions
from fimserver.engine.native import can_use_gpu, system_features, version
from fimserver.engine.saved import SavedStates, forget_all, key_of
from fimserver.engine.speed import Measured, choose_threads, usable_cores
from fimserver.engine.threads import ThreadChoice, thread_candidates
from fimserver.engine.wire import EngineOptions
from fimserver.files import cache_folder

# Two or three files, each with an old anchor, a new one and what may follow it. Sequences cost nothing but their cells.
SEQUENCES = 8

# The least context that is worth trying when memory is short.
_LEAST_CELLS = 512


def load(options: EngineOptions, on_percent: Callable[[int], None]) -> Loaded:
    """Load the model. Raises ModelMissing, ModelBroken or EngineUnavailable.

    Where memory does not suffice for the wanted context, half of it is tried once.
    """
    check_model_file(Path(options.model_path))
    wanted = load_options(options, gpu=can_use_gpu())
    key = speeds_key(wanted)
    known = recall(key) or Measured()
    if known.repack:  # should that crash here after all, the next engine does without
        remember(key, replace(known, repack=False), wanted.path)
    wanted = replace(wanted, repack=bool(known.repack))
    try:
        llama, warning = Llama(wanted, on_percent), ""
    except ContextTooLarge as error:
        if wanted.cells // 2 < _LEAST_CELLS:
            raise
        llama = Llama(replace(wanted, cells=wanted.cells // 2), on_percent)
        warning = f"{error}; going on with half of that."
    facts = facts_of(llama)
    loaded = Loaded(
        llama,
        facts,
        ThreadChoice(thread_candidates(options.threads, wanted.threads, facts.file_bytes)),
        speeds_key=key,
        known=known,
        saved=saved_states(options, llama),
        drafts=options.drafting != "off",
        warning=warning,
    )
    loaded.learn_speeds()
    return loaded


def load_options(options: EngineOptions, *, gpu: bool) -> LoadOptions:
    """Return how to load the model on this machine, with everything chosen that the options leave open.

    Flash attention passes over the cells of other texts, of which a warm cache is full: three times as fast then, even
    on a CPU. With quantised keys and values, though, a CPU reads a prompt half as fast as without.
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
        flash_attention="off" if attention == "auto" and options.kv_type != "f16" and not gpu_layers else attention,
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


def speeds_key(options: LoadOptions) -> str:
    """Return what identifies a model on this machine."""
    return key_of(model_parts(options), system_features(), platform.release(), usable_cores(), options.gpu_layers)


def facts_of(llama: Llama) -> ModelFacts:
    """Return what is known of a model."""
    model, tokeniser, path = llama.model, llama.tokeniser, llama.options.path
    metadata = model.metadata()
    return ModelFacts(
        name=metadata.get("general.name", path.stem),
        path=str(path),
        architecture=metadata.get("general.architecture", ""),
        context_tokens=min(llama.options.cells, model.trained_tokens),
        file_bytes=path.stat().st_size,
        parameters=model.parameters(),
        metadata=metadata,
        fim={role: tokeniser.name(token) for role, token in tokeniser.fim_tokens().items()},
        control_texts=frozenset(tokeniser.name(token) for token in tokeniser.control_tokens),
        chat_template=model.chat_template(),
    )
