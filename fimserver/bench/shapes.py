"""Turn a model's shape and a quantisation into its tensors, by the rules of llama.cpp's quantiser.

Speed and memory depend on shapes and number formats alone, so a file of random weights of the right shape stands in for
a model that was not downloaded. The rules are those of `src/llama-quant.cpp` for dense models of at most 34 billion
weights, without an importance matrix.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from fimserver.models.tensor_types import tensor_bytes, tensor_type


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """The numbers that fix a transformer's tensors. `head` is the width of one attention head."""

    architecture: str
    layers: int
    width: int
    feed_forward: int
    heads: int
    kv_heads: int
    head: int
    vocabulary: int
    tied: bool  # the output matrix is the embedding matrix
    context: int
    rope_base: float = 1_000_000.0
    biases: bool = True  # of query, key and value


def _qwen(layers: int, width: int, feed_forward: int, heads: int, kv_heads: int, **more: int) -> Shape:
    """Return a shape of Qwen2.5-Coder: small ones have heads of 64 and share the output matrix."""
    vocabulary = more.get("vocabulary", 152_064)
    return Shape(
        architecture="qwen2",
        layers=layers,
        width=width,
        feed_forward=feed_forward,
        heads=heads,
        kv_heads=kv_heads,
        head=width // heads,
        vocabulary=vocabulary,
        tied=vocabulary == 151_936,
        context=32_768,
    )


def _deepseek(layers: int, width: int, feed_forward: int, heads: int) -> Shape:
    return Shape(
        architecture="llama",
        layers=layers,
        width=width,
        feed_forward=feed_forward,
        heads=heads,
        kv_heads=heads,
        head=width // heads,
        vocabulary=32_256,
        tied=False,
        context=16_384,
        rope_base=100_000.0,
        biases=False,
    )


SHAPES: Mapping[str, Shape] = {
    # The embedded model's, for tests.
    "tiny": Shape(
        architecture="qwen2",
        layers=6,
        width=256,
        feed_forward=768,
        heads=4,
        kv_heads=2,
        head=64,
        vocabulary=6_144,
        tied=True,
        context=1_024,
        rope_base=10_000.0,
    ),
    "qwen2.5-coder-0.5b": _qwen(24, 896, 4_864, 14, 2, vocabulary=151_936),
    "qwen2.5-coder-1.5b": _qwen(28, 1_536, 8_960, 12, 2, vocabulary=151_936),
    "qwen2.5-coder-3b": _qwen(36, 2_048, 11_008, 16, 2, vocabulary=151_936),
    "qwen2.5-coder-7b": _qwen(28, 3_584, 18_944, 28, 4),
    "qwen2.5-coder-14b": _qwen(48, 5_120, 13_824, 40, 8),
    "qwen2.5-coder-32b": _qwen(64, 5_120, 27_648, 40, 8),
    "deepseek-coder-1.3b-base": _deepseek(24, 2_048, 5_504, 16),
    "deepseek-coder-6.7b-base": _deepseek(32, 4_096, 11_008, 32),
}


@dataclass(frozen=True, slots=True)
class PlannedTensor:
    """A tensor that a file of this shape and quantisation holds; `shape` begins with the length of a row."""

    name: str
    shape: tuple[int, ...]
    type: str

    @property
    def size_bytes(self) -> int:
        """Return the bytes it takes, without padding."""
        return tensor_bytes(self.type, self.shape)


# The number format of most matrices; llama.h's file type, which stands in the metadata.
QUANTISATIONS: Mapping[str, tuple[str, int]] = {
    "F16": ("F16", 1),
    "Q4_0": ("Q4_0", 2),
    "Q8_0": ("Q8_0", 7),
    "Q4_K_S": ("Q4_K", 14),
    "Q4_K_M": ("Q4_K", 15),
    "Q5_K_M": ("Q5_K", 17),
    "Q6_K": ("Q6_K", 18),
}


def planned_tensors(shape: Shape, quantisation: str) -> Iterator[PlannedTensor]:
    """Yield every tensor, in the order of the file."""

    def matrix(name: str, row: int, rows: int, layer: int = 0) -> PlannedTensor:
        return PlannedTensor(f"{name}.weight", (row, rows), _type_of(name, row, layer, shape, quantisation))

    def vector(name: str, length: int) -> PlannedTensor:
        return PlannedTensor(name, (length,), "F32")

    queries, keys = shape.heads * shape.head, shape.kv_heads * shape.head
    yield matrix("token_embd", shape.width, shape.vocabulary)
    for layer in range(shape.layers):
        block = f"blk.{layer}."
        yield vector(f"{block}attn_norm.weight", shape.width)
        for part, rows in (("attn_q", queries), ("attn_k", keys), ("attn_v", keys)):
            yield matrix(block + part, shape.width, rows, layer)
            if shape.biases:
                yield vector(f"{block}{part}.bias", rows)
        yield matrix(f"{block}attn_output", queries, shape.width, layer)
        yield vector(f"{block}ffn_norm.weight", shape.width)
        yield matrix(f"{block}ffn_gate", shape.width, shape.feed_forward, layer)
        yield matrix(f"{block}ffn_up", shape.width, shape.feed_forward, layer)
        yield matrix(f"{block}ffn_down", shape.feed_forward, shape.width, layer)
    yield vector("output_norm.weight", shape.width)
    if not shape.tied:
        yield matrix("output", shape.width, shape.vocabulary)


def _more_bits(layer: int, layers: int) -> bool:
    """Tell whether a layer suffers most from few bits: the first and last eighth do, and each third between."""
    return layer < layers // 8 or layer >= 7 * layers // 8 or (layer - layers // 8) % 3 == 2


# By quantisation and matrix: the format that differs from the usual one, and in which layers.
_RAISED: Mapping[tuple[str, str], tuple[str, Callable[[int, int], bool]]] = {
    ("Q4_K_M", "attn_v"): ("Q6_K", _more_bits),
    ("Q4_K_M", "ffn_down"): ("Q6_K", _more_bits),
    ("Q5_K_M", "attn_v"): ("Q6_K", _more_bits),
    ("Q5_K_M", "ffn_down"): ("Q6_K", _more_bits),
    ("Q4_K_S", "attn_v"): ("Q5_K", lambda layer, _: layer < 4),
    ("Q4_K_S", "ffn_down"): ("Q5_K", lambda layer, layers: layer < layers // 8),
}

# What takes the place of a format whose blocks of 256 do not divide the rows.
_FALLBACK = {"Q4_K": "Q5_0", "Q5_K": "Q5_1", "Q6_K": "Q8_0"}


def _type_of(name: str, row: int, layer: int, shape: Shape, quantisation: str) -> str:
    usual, _ = QUANTISATIONS[quantisation]
    if usual == "F16":
        return usual
    part = name.rpartition(".")[2]
    raised, applies = _RAISED.get((quantisation, part), (usual, _more_bits))
    chosen = raised if applies(layer, shape.layers) else usual
    if (part == "output" or (part == "token_embd" and shape.tied)) and usual != "Q8_0":
        # A row that the usual format does not divide makes this one 8-bit, which Q6_K's fallback is too.
        chosen = "Q6_K"
    return chosen if row % tensor_type(chosen).block == 0 else _FALLBACK[chosen]
