"""Turn llama.cpp's C interface into one object: a model, its vocabulary, one context and its KV cache.

This is the only module that imports llama_cpp. Everything below runs in the one thread that loaded the model, except
`Llama.interrupt`, which any thread may call. llama.cpp aborts the process where its caller errs, so what it would
assert is checked here first: a batch never exceeds its limit, logits are only read of rows that were asked for.
"""

import ctypes
import logging
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fimserver.engine.failures import context_failure, load_failure
from fimserver.engine.grammar import Candidates, Grammar
from fimserver.errors import EngineMissing, EngineRefused, EngineUnavailable

# A failed assertion in llama.cpp would start a debugger and print kilobytes to standard output.
os.environ.setdefault("GGML_NO_BACKTRACE", "1")

# Threads meet after every operation, and spin for so long that where another program holds a core they keep the one
# they wait for from running: a token then took GNU's OpenMP 3 to 10 seconds, and 0.3 with this.
os.environ.setdefault("GOMP_SPINCOUNT", "2000")

try:
    from llama_cpp import llama_cpp as native
except ImportError as error:  # the optional dependency, or a library it needs, is not installed
    raise EngineMissing(
        f"llama-cpp-python is not installed in {sys.prefix} ({error}). Install it: pip install 'fimserver[llama]'"
    ) from error

_log = logging.getLogger(__name__)

Logits = NDArray[np.float32]

# 128 tokens are evaluated as fast per token as 512, and an interrupted batch loses less. A GPU needs more to be busy.
BATCH_TOKENS = 128
GPU_BATCH_TOKENS = 512

# Rows of logits in one batch: as many as a draft can have, and the token before it.
MOST_ROWS = 33

_KV_TYPES = {"f16": native.GGML_TYPE_F16, "q8_0": native.GGML_TYPE_Q8_0, "q4_0": native.GGML_TYPE_Q4_0}
_FLASH_ATTENTION = {"auto": -1, "off": 0, "on": 1}
_FIM_ROLES = {
    "prefix": native.llama_vocab_fim_pre,
    "suffix": native.llama_vocab_fim_suf,
    "middle": native.llama_vocab_fim_mid,
    "pad": native.llama_vocab_fim_pad,
    "repo": native.llama_vocab_fim_rep,
    "file": native.llama_vocab_fim_sep,
}
_LOG_LEVEL_ERROR = 4  # GGML_LOG_LEVEL_ERROR
_CONTROL = 1 << 3  # LLAMA_TOKEN_ATTR_CONTROL
_USER_DEFINED = 1 << 4  # LLAMA_TOKEN_ATTR_USER_DEFINED

# Values of the GGUF longer than this are tables and templates, not facts.
_LONGEST_FACT_BYTES = 256


class KvFull(Exception):
    """The KV cache has no room for the batch; nothing was changed."""


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


class Llama:
    """A loaded model. `close` frees it."""

    def __init__(self, options: LoadOptions, on_percent: Callable[[int], None] = lambda _: None) -> None:
        """Load the model. Raises ModelBroken or EngineUnavailable (not enough memory)."""
        self.options = options
        self._interrupted = ctypes.create_string_buffer(2)
        self._model = _load_model(options, on_percent)
        self._vocab = native.llama_model_get_vocab(self._model)
        self.vocabulary_size = int(native.llama_vocab_n_tokens(self._vocab))
        self.trained_tokens = int(native.llama_model_n_ctx_train(self._model))
        # Recurrent states cannot be rewound; a sliding window overwrites what a rewind would need.
        self.rewindable = not (
            native.llama_model_is_recurrent(self._model)
            or native.llama_model_is_hybrid(self._model)
            or native.llama_model_n_swa(self._model)
        )
        self.batch_tokens = GPU_BATCH_TOKENS if options.gpu_layers else BATCH_TOKENS
        self._context: Any = None
        try:
            self._context = self._make_context()
        except EngineUnavailable:
            self.close()
            raise
        self._memory = native.llama_get_memory(self._context)
        self._batch = native.llama_batch_init(self.batch_tokens, 0, 1)
        self._rows: set[int] = set()
        self._views: dict[int, Logits] = {}  # by address: making one takes longer than finding the likeliest token
        self._threads = options.threads
        self._piece_buffer = ctypes.create_string_buffer(256)

    def _make_context(self) -> Any:
        _words.clear()
        options, params = self.options, native.llama_context_default_params()
        params.n_ctx = options.cells
        params.n_batch = params.n_ubatch = self.batch_tokens
        params.n_seq_max = options.sequences
        params.n_outputs_max = max(MOST_ROWS, options.sequences)
        params.n_threads = params.n_threads_batch = options.threads
        params.kv_unified = True
        params.swa_full = True
        params.flash_attn_type = _FLASH_ATTENTION[options.flash_attention]
        # Without flash attention llama.cpp takes no quantised values, and needs none: most of the gain is in the keys.
        params.type_k = _KV_TYPES[options.kv_type]
        params.type_v = _KV_TYPES["f16" if options.flash_attention == "off" else options.kv_type]
        params.abort_callback = _strlen_callback()
        params.abort_callback_data = ctypes.cast(self._interrupted, ctypes.c_void_p)
        context = native.llama_init_from_model(self._model, params)
        if not context:
            raise context_failure(options.path, options.cells, last_words())
        return context

    # What the model is.

    def metadata(self) -> dict[str, str]:
        """Return the short values of the GGUF's header."""
        keys, values = native.llama_model_meta_key_by_index, native.llama_model_meta_val_str_by_index
        indices = range(native.llama_model_meta_count(self._model))
        pairs = ((_text_of(keys, self._model, index), _text_of(values, self._model, index)) for index in indices)
        return {key: value for key, value in pairs if key and value is not None}

    def chat_template(self) -> str | None:
        """Return the model's own template for chats."""
        template = native.llama_model_chat_template(self._model, None)
        return template.decode("utf-8", "replace") if template else None

    def parameters(self) -> int:
        """Return the number of weights."""
        return int(native.llama_model_n_params(self._model))

    # Its vocabulary.

    def tokenise(self, text: str, *, control: bool = False) -> list[int]:
        """Return the tokens of a text; with `control`, names of control tokens become those tokens."""
        encoded = text.encode("utf-8", "replace")
        room = len(encoded) + 8
        while True:
            tokens = (native.llama_token * room)()
            count = native.llama_tokenize(self._vocab, encoded, len(encoded), tokens, room, False, control)
            if count >= 0:
                return list(tokens[:count])
            room = -count

    def piece(self, token: int) -> bytes:
        """Return a token's bytes: perhaps part of a character. Control tokens have none."""
        while True:
            buffer = self._piece_buffer
            count = native.llama_token_to_piece(self._vocab, token, buffer, len(buffer), 0, False)
            if count >= 0:
                return ctypes.string_at(buffer, count)
            self._piece_buffer = ctypes.create_string_buffer(-count)

    def name(self, token: int) -> str:
        """Return a control token's text."""
        return str(native.llama_vocab_get_text(self._vocab, token), "utf-8", "replace")

    def fim_tokens(self) -> dict[str, int]:
        """Return the token of each role in filling in the middle that this model knows."""
        found = {role: int(token_of(self._vocab)) for role, token_of in _FIM_ROLES.items()}
        return {role: token for role, token in found.items() if token >= 0}

    @cached_property
    def control_tokens(self) -> frozenset[int]:
        """Every control and user-defined token."""
        attribute, vocab = native.llama_vocab_get_attr, self._vocab
        marks = _CONTROL | _USER_DEFINED
        return frozenset(token for token in range(self.vocabulary_size) if attribute(vocab, token) & marks)

    def end_tokens(self) -> list[int]:
        """Return the tokens by which the model says that it is done. All but the header's own are control tokens."""
        named = (native.llama_vocab_eos(self._vocab), native.llama_vocab_eot(self._vocab))
        candidates = {*self.control_tokens, *(int(token) for token in named if token >= 0)}
        return sorted(token for token in candidates if native.llama_vocab_is_eog(self._vocab, token))

    # Evaluation.

    def decode(self, tokens: Sequence[int], start: int, sequence: int, *, rows: Sequence[int] = ()) -> bool:
        """Evaluate tokens at positions `start`… of a sequence, with logits of `rows` (indices into `tokens`).

        Returns False where it was interrupted: whole micro-batches before that are done (see `length`), and there are
        no logits. Raises KvFull, and EngineUnavailable where llama.cpp fails.
        """
        assert 0 < len(tokens) <= self.batch_tokens
        assert len(rows) <= MOST_ROWS
        batch = self._batch
        batch.n_tokens = len(tokens)
        for index, token in enumerate(tokens):
            batch.token[index] = token
            batch.pos[index] = start + index
            batch.n_seq_id[index] = 1
            batch.seq_id[index][0] = sequence
            batch.logits[index] = 0
        for index in rows:
            batch.logits[index] = 1
        self._rows = set()
        _words.clear()
        result = native.llama_decode(self._context, batch)
        if self.options.gpu_layers:
            native.llama_synchronize(self._context)  # a GPU would go on by itself, and could not be timed
        if result == 1:
            raise KvFull
        if result < 0:
            raise EngineUnavailable(f"The model could not be evaluated: {last_words()} (code {result}).")
        if result == 0:
            self._rows = set(rows)
        return bool(result == 0)

    def logits(self, row: int) -> Logits:
        """Return a view of one row of the last batch's logits. It is overwritten by the next batch."""
        assert row in self._rows, "these logits were not asked for"
        pointer = native.llama_get_logits_ith(self._context, row)
        if not pointer:
            raise EngineUnavailable("llama.cpp has no logits for what it evaluated.")
        address = ctypes.addressof(pointer.contents)
        if (view := self._views.get(address)) is None:
            floats = (ctypes.c_float * self.vocabulary_size).from_address(address)
            view = self._views[address] = np.frombuffer(memoryview(floats).cast("B"), np.float32)
        return view

    def use_threads(self, threads: int) -> None:
        """Evaluate with this many threads from now on."""
        if threads != self._threads:
            self._threads = threads
            native.llama_set_n_threads(self._context, threads, threads)

    def interrupt(self) -> None:
        """Make the running `decode`, or the next one, return False within milliseconds. Any thread may call this.

        A model that cannot rewind would lose all it has read, so it finishes its small batch.
        """
        self._interrupted[0] = b"\x01" if self.rewindable else b"\x00"

    def proceed(self) -> None:
        """Take back `interrupt`."""
        self._interrupted[0] = b"\x00"

    # The KV cache.

    def length(self, sequence: int) -> int:
        """Return how many tokens a sequence really holds: 0 where its beginning is gone."""
        last = native.llama_memory_seq_pos_max(self._memory, sequence)
        first = native.llama_memory_seq_pos_min(self._memory, sequence)
        return int(last) + 1 if first == 0 or not self.rewindable else 0

    def forget(self, sequence: int, start: int = 0) -> bool:
        """Remove a sequence's tokens from `start` on. Returns False where the model cannot forget only a part."""
        return bool(native.llama_memory_seq_rm(self._memory, sequence, start or -1, -1))

    def share(self, source: int, target: int, length: int) -> None:
        """Let another sequence begin with the first `length` tokens of `source`; nothing is copied."""
        native.llama_memory_seq_cp(self._memory, source, target, 0, length)

    def state(self, sequence: int) -> bytes:
        """Return all the cache holds of a sequence, to be given to `set_state` of the same model and options."""
        size = native.llama_state_seq_get_size(self._context, sequence)
        buffer = (ctypes.c_uint8 * size)()
        written = native.llama_state_seq_get_data(self._context, buffer, size, sequence)
        return bytes(memoryview(buffer)[:written])

    def set_state(self, sequence: int, state: bytes) -> bool:
        """Fill a sequence with what `state` returned; return False where it does not fit."""
        buffer = (ctypes.c_uint8 * len(state)).from_buffer_copy(state)
        return bool(native.llama_state_seq_set_data(self._context, buffer, len(state), sequence))

    def grammar(self, text: str) -> Grammar:
        """Return the grammar that a GBNF text describes. Raises EngineRefused."""
        sampler = native.llama_sampler_init_grammar(self._vocab, text.encode(), b"root")
        if not sampler:
            raise EngineRefused("The grammar of this request is not a GBNF grammar with a rule named root.")

        def restrict(candidates: Candidates) -> None:
            pointer = candidates.ctypes.data_as(native.llama_token_data_p)
            array = native.llama_token_data_array(pointer, len(candidates), -1, False)
            native.llama_sampler_apply(sampler, ctypes.byref(array))

        return Grammar(
            self.vocabulary_size,
            restrict,
            accept=lambda token: native.llama_sampler_accept(sampler, token),
            close=lambda: native.llama_sampler_free(sampler),
        )

    def close(self) -> None:
        """Free the context and the model."""
        if self._context:
            native.llama_free(self._context)
            native.llama_batch_free(self._batch)
        if self._model:
            native.llama_model_free(self._model)
        self._context = self._model = None


def version() -> str:
    """Return llama.cpp's version."""
    return str(native.llama_version().decode())


def system_features() -> str:
    """Return what llama.cpp was built with and uses of this CPU."""
    return str(native.llama_print_system_info().decode())


def can_use_gpu() -> bool:
    """Return whether this build of llama.cpp can put layers on a GPU."""
    return bool(native.llama_supports_gpu_offload())


_words: list[str] = []  # the errors of the last call


def last_words() -> str:
    """Return why the last call failed, in llama.cpp's words: the first error, as each caller adds its own."""
    return _words[0].partition(": ")[2] or _words[0] if _words else "llama.cpp gave no reason"


@native.llama_log_callback  # type: ignore[untyped-decorator, unused-ignore]
def _keep_words(level: int, text: bytes, _data: object) -> None:
    line = text.decode("utf-8", "replace").strip() if text else ""
    if line and level == _LOG_LEVEL_ERROR:
        _words.append(line)
    if line:
        _log.debug("llama.cpp: %s", line)


native.llama_log_set(_keep_words, ctypes.c_void_p(0))
native.llama_backend_init()


def _load_model(options: LoadOptions, on_percent: Callable[[int], None]) -> Any:
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
    _words.clear()
    model = native.llama_model_load_from_file(os.fsencode(options.path), params)
    if not model:
        raise load_failure(options.path, last_words())
    return model


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


def _strlen_callback() -> Any:
    """Return C's own strlen as the abort callback, and thus no Python (and no lock of Python's) between graph nodes.

    Its argument is a text that is empty until `interrupt` makes it one character long: 0 goes on, 1 aborts.
    """
    library = ctypes.CDLL("msvcrt" if sys.platform == "win32" else None)
    return native.ggml_abort_callback(ctypes.cast(library.strlen, ctypes.c_void_p).value)


def _text_of(read: Callable[..., int], model: Any, index: int) -> str | None:
    """Return a text that llama.cpp copies into a buffer; None where it is longer than a fact."""
    buffer = ctypes.create_string_buffer(_LONGEST_FACT_BYTES)
    length = read(model, index, buffer, len(buffer))
    return buffer.value.decode("utf-8", "replace") if 0 <= length < len(buffer) else None
