"""Turn a GGUF file into a model in memory, and say what its header says of it."""

import ctypes
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fimserver.engine.failures import load_failure
from fimserver.engine.native import forget_words, last_words, native
from fimserver.engine.tokeniser import Tokeniser

# Values of the GGUF longer than this are tables and templates, not facts.
_LONGEST_FACT_BYTES = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadOptions:
    """How a model is loaded. `cells` is the size of the KV cache in tokens, over all `sequences`."""

    path: Path
    cells: int
    sequences: int
    threads: int
    gpu_layers: int = 0  # -1: all
    kv_type: str = "f16"
    flash_attention: str = "off"
    repack: bool = False


class Model:
    """The weights of a model, and its header. `close` frees them."""

    def __init__(self, options: LoadOptions, on_percent: Callable[[int], None]) -> None:
        """Load the file. Raises ModelBroken, and EngineUnavailable where memory is short."""
        self.handle = _loaded_weights(options, on_percent)
        self.tokeniser = Tokeniser(native.llama_model_get_vocab(self.handle))
        self.trained_tokens = int(native.llama_model_n_ctx_train(self.handle))
        # Recurrent states cannot be rewound; a sliding window overwrites what a rewind would need.
        self.rewindable = not (
            native.llama_model_is_recurrent(self.handle)
            or native.llama_model_is_hybrid(self.handle)
            or native.llama_model_n_swa(self.handle)
        )

    def metadata(self) -> dict[str, str]:
        """Return the short values of the GGUF's header."""
        keys, values = native.llama_model_meta_key_by_index, native.llama_model_meta_val_str_by_index
        indices = range(native.llama_model_meta_count(self.handle))
        pairs = ((_text_of(keys, self.handle, index), _text_of(values, self.handle, index)) for index in indices)
        return {key: value for key, value in pairs if key and value is not None}

    def chat_template(self) -> str | None:
        """Return the model's own template for chats."""
        template = native.llama_model_chat_template(self.handle, None)
        return template.decode("utf-8", "replace") if template else None

    def parameters(self) -> int:
        """Return the number of weights."""
        return int(native.llama_model_n_params(self.handle))

    def close(self) -> None:
        """Free the weights. No context may be left."""
        native.llama_model_free(self.handle)


def _loaded_weights(options: LoadOptions, on_percent: Callable[[int], None]) -> Any:
    params = native.llama_model_default_params()
    params.n_gpu_layers = options.gpu_layers
    params.use_extra_bufts = options.repack
    # SentencePiece models put a space before a text; ours get one only where a segment asks for it.
    overrides = (native.llama_model_kv_override * 2)()
    overrides[0].key = b"tokenizer.ggml.add_space_prefix"
    overrides[0].tag = native.LLAMA_KV_OVERRIDE_TYPE_BOOL
    overrides[0].value.val_bool = False
    params.kv_overrides = ctypes.cast(overrides, ctypes.POINTER(native.llama_model_kv_override))
    progress = native.llama_progress_callback(_percent_reporter(on_percent))
    params.progress_callback = progress
    forget_words()
    handle = native.llama_model_load_from_file(os.fsencode(options.path), params)
    if not handle:
        raise load_failure(options.path, last_words())
    return handle


def _percent_reporter(on_percent: Callable[[int], None]) -> Callable[[float, object], bool]:
    last = -1

    def report(progress: float, _data: object) -> bool:
        nonlocal last
        percent = int(progress * 20) * 5  # twenty reports are enough for a status item
        if percent > last:
            last = percent
            on_percent(percent)
        return True

    return report


def _text_of(read: Callable[..., int], handle: Any, index: int) -> str | None:
    """Return a text that llama.cpp copies into a buffer; None where it is longer than a fact."""
    buffer = ctypes.create_string_buffer(_LONGEST_FACT_BYTES)
    length = read(handle, index, buffer, len(buffer))
    return buffer.value.decode("utf-8", "replace") if 0 <= length < len(buffer) else None
