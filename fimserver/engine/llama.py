"""Turn tokens into logits: a loaded model with one context, and the sequences its KV cache holds.

Everything runs in the one thread that loaded the model, except `Llama.interrupt`, which any thread may call.
"""

import ctypes
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fimserver.engine.failures import context_failure
from fimserver.engine.model import LoadOptions, Model
from fimserver.engine.native import abort_callback, forget_words, last_words, native
from fimserver.errors import EngineUnavailable

Logits = NDArray[np.float32]

# 128 tokens are evaluated as fast per token as 512, and an interrupted batch loses less. A GPU needs more to be busy.
BATCH_TOKENS = 128
GPU_BATCH_TOKENS = 512

# Rows of logits in one batch: as many as a draft can have, and the token before it.
MOST_ROWS = 33

_KV_TYPES = {"f16": native.GGML_TYPE_F16, "q8_0": native.GGML_TYPE_Q8_0, "q4_0": native.GGML_TYPE_Q4_0}
_FLASH_ATTENTION = {"auto": -1, "off": 0, "on": 1}


class KvFull(Exception):
    """The KV cache has no room for the batch; nothing was changed."""


class Llama:
    """A model that can be asked. `close` frees it."""

    def __init__(self, options: LoadOptions, on_percent: Callable[[int], None] = lambda _: None) -> None:
        """Load the model. Raises ModelBroken or EngineUnavailable (not enough memory)."""
        self.options = options
        self.batch_tokens = GPU_BATCH_TOKENS if options.gpu_layers else BATCH_TOKENS
        self.model = Model(options, on_percent)
        self.tokeniser = self.model.tokeniser
        self.rewindable = self.model.rewindable
        self._interrupted = ctypes.create_string_buffer(2)
        try:
            self._context = self._make_context()
        except EngineUnavailable:
            self.model.close()
            raise
        self._memory = native.llama_get_memory(self._context)
        self._batch = native.llama_batch_init(self.batch_tokens, 0, 1)
        for index in range(self.batch_tokens):
            self._batch.n_seq_id[index] = 1
        self._rows: Sequence[int] = ()
        self._views: dict[int, Logits] = {}  # by address: making one takes longer than finding the likeliest token
        self._threads = options.threads

    def _make_context(self) -> Any:
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
        params.abort_callback = abort_callback()
        params.abort_callback_data = ctypes.cast(self._interrupted, ctypes.c_void_p)
        forget_words()
        context = native.llama_init_from_model(self.model.handle, params)
        if not context:
            raise context_failure(options.path, options.cells, last_words())
        return context

    # Evaluation.

    def decode(self, tokens: Sequence[int], start: int, sequence: int, *, rows: Sequence[int] = ()) -> bool:
        """Evaluate tokens at positions `start`… of a sequence, with logits of `rows` (indices into `tokens`).

        Returns False where it was interrupted: whole micro-batches before that are done (see `length`), and there are
        no logits. Raises KvFull, and EngineUnavailable where llama.cpp fails.
        """
        assert 0 < len(tokens) <= self.batch_tokens
        assert len(rows) <= MOST_ROWS
        batch = self._batch
        ids, positions, sequences, wanted = batch.token, batch.pos, batch.seq_id, batch.logits
        batch.n_tokens = len(tokens)
        for index, token in enumerate(tokens):
            ids[index] = token
            positions[index] = start + index
            sequences[index][0] = sequence
            wanted[index] = index in rows
        self._rows = ()
        forget_words()
        result = native.llama_decode(self._context, batch)
        if self.options.gpu_layers:
            native.llama_synchronize(self._context)  # a GPU would go on by itself, and could not be timed
        if result == 1:
            raise KvFull
        if result < 0:
            raise EngineUnavailable(f"The model could not be evaluated: {last_words()} (code {result}).")
        if result == 0:
            self._rows = rows
        return bool(result == 0)

    def logits(self, row: int) -> Logits:
        """Return a view of one row of the last batch's logits. It is overwritten by the next batch."""
        assert row in self._rows, "these logits were not asked for"
        pointer = native.llama_get_logits_ith(self._context, row)
        if not pointer:
            raise EngineUnavailable("llama.cpp has no logits for what it evaluated.")
        address = ctypes.addressof(pointer.contents)
        if (view := self._views.get(address)) is None:
            floats = (ctypes.c_float * self.tokeniser.size).from_address(address)
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

    def close(self) -> None:
        """Free the context and the model."""
        native.llama_free(self._context)
        native.llama_batch_free(self._batch)
        self.model.close()
