"""Turn what is known of a model into what it costs: memory at a context, and bytes read for each token.

Both follow from the file: weights are read once for every token, keys and values are kept for every token of the
context. What is left (Python, the vocabulary, intermediate results) was fitted to the engine's memory with random
models of real shapes; `tests/unit/models/test_cost.py` holds the measurements.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from fimserver.models.catalogue import Choice
from fimserver.models.gguf import Gguf, Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a model costs, whatever the machine.

    `active_bytes` are the weights that one token passes through; those in formats that are slow to unpack count more.
    """

    weights_bytes: int
    active_bytes: int
    active_weights: int
    kv_bytes_per_token: int  # at 16 bits
    vocabulary: int
    feed_forward: int


# Bits of one number of the KV cache, against the 16 that `kv_bytes_per_token` counts.
KV_BITS = {"f16": 16.0, "q8_0": 8.5, "q4_0": 4.5}

_PROCESS_BYTES = 52_000_000  # Python, numpy, llama.cpp's libraries
_BYTES_PER_VOCABULARY_TOKEN = 300  # its text, its bytes, its rank in merging; its row of logits
_BATCH_TOKENS = 128
_FEED_FORWARD_BUFFERS = 4


def memory_bytes(cost: Cost, context_tokens: int, kv_type: str = "f16") -> int:
    """Return the memory the engine takes on a CPU with this model loaded, its mapped weights included."""
    kept = kv_bytes(cost, context_tokens, kv_type)
    buffers = _BATCH_TOKENS * cost.feed_forward * 4 * _FEED_FORWARD_BUFFERS
    vocabulary = cost.vocabulary * _BYTES_PER_VOCABULARY_TOKEN
    return cost.weights_bytes + kept + buffers + vocabulary + _PROCESS_BYTES


def kv_bytes(cost: Cost, tokens: int, kv_type: str = "f16") -> int:
    """Return the bytes of so many tokens' keys and values."""
    return int(cost.kv_bytes_per_token * tokens * KV_BITS[kv_type] / 16)


def bytes_per_token(cost: Cost, context_tokens: int, kv_type: str = "f16") -> int:
    """Return the bytes that are read to generate one token behind so many others."""
    return cost.active_bytes + kv_bytes(cost, context_tokens, kv_type)


def fitting_context(cost: Cost, room_bytes: int, kv_type: str = "f16") -> int:
    """Return the longest context, in whole kilotokens, with which the model fits into so much memory, or 0."""
    left = room_bytes - memory_bytes(cost, 0, kv_type)
    each = max(1, kv_bytes(cost, 1024, kv_type))
    return max(0, left // each) * 1024


def cost_of(gguf: Gguf) -> Cost:
    """Return the cost of a file, from its header."""
    return Cost(
        weights_bytes=gguf.file_bytes,
        active_bytes=int(sum(tensor.size_bytes * _slowness(tensor) * share for tensor, share in _active(gguf))),
        active_weights=int(sum(math.prod(tensor.shape) * share for tensor, share in _active(gguf))),
        kv_bytes_per_token=_kv_bytes_per_token(gguf),
        vocabulary=gguf.count("tokenizer.ggml.tokens"),
        feed_forward=gguf.number("feed_forward_length"),
    )


# A catalogue's row says nothing of the feed-forward width; that of a 3B model is about the middle.
_USUAL_FEED_FORWARD = 11_008
_USUAL_VOCABULARY = 100_000


def cost_of_choice(choice: Choice) -> Cost:
    """Return the cost of a file that is not here, from the catalogue."""
    return Cost(
        weights_bytes=choice.file.bytes,
        active_bytes=int(choice.file.bytes * choice.model.active_share),
        active_weights=int(choice.model.billions * 1e9 * choice.model.active_share),
        kv_bytes_per_token=choice.model.kv_bytes_per_token,
        vocabulary=choice.model.vocabulary or _USUAL_VOCABULARY,
        feed_forward=_USUAL_FEED_FORWARD,
    )


# How much longer than its bytes a format takes. 0.5B at Q4_K_M, most of whose rows fall back to Q5_0, wrote 41 to 46
# tokens a second where Q8_0, a third larger, wrote 42.
_SLOWNESS = {"Q5_0": 1.4, "Q5_1": 1.4}


def _slowness(tensor: Tensor) -> float:
    return _SLOWNESS.get(tensor.type, 1.0)


def _active(gguf: Gguf) -> Iterator[tuple[Tensor, float]]:
    """Yield the tensors that one token passes through, and which share of each."""
    names = {tensor.name for tensor in gguf.tensors}
    experts = gguf.number("expert_count")
    share = gguf.number("expert_used_count") / experts if experts else 1.0
    for tensor in gguf.tensors:
        if tensor.name == "token_embd.weight" and "output.weight" in names:
            continue  # one row of it is looked up
        yield tensor, share if _is_of_experts(tensor) else 1.0


def _is_of_experts(tensor: Tensor) -> bool:
    return "_exps." in tensor.name


def _kv_bytes_per_token(gguf: Gguf) -> int:
    """Return the bytes of keys and values of one token, over all layers, at 16 bits."""
    layers = gguf.number("block_count")
    rank = gguf.number("attention.kv_lora_rank")
    if rank and any("attn_k_b" in tensor.name for tensor in gguf.tensors):  # compressed (DeepSeek-V2)
        return 2 * layers * (rank + gguf.number("rope.dimension_count"))
    heads = gguf.number("attention.head_count")
    usual = gguf.number("embedding_length") // heads if heads else 0
    widths = gguf.number("attention.key_length", usual) + gguf.number("attention.value_length", usual)
    return 2 * _kv_heads(gguf, layers, heads) * widths


def _kv_heads(gguf: Gguf, layers: int, heads: int) -> int:
    """Return the heads of keys and values, over all layers."""
    each = gguf.metadata.get(f"{gguf.architecture}.attention.head_count_kv", heads)
    if isinstance(each, tuple):
        return sum(count for count in each if isinstance(count, int))
    return layers * (each if isinstance(each, int) else heads)


def bits_per_weight(gguf: Gguf) -> float:
    """Return the bits one weight takes, all of the file included."""
    return 8 * gguf.file_bytes / max(1, gguf.parameters)
