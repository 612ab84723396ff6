"""Turn a shape and a quantisation into a GGUF file of random weights that llama.cpp loads and runs.

    python -m fimserver.bench.make_model qwen2.5-coder-1.5b Q4_K_M /tmp/random.gguf --vocab ggml-vocab-qwen2.gguf

It is as large, as fast and as hungry for memory as the real model, and writes nonsense, in lines of some ten tokens.
Without `--vocab` the vocabulary is made up: bytes, pairs and triples of characters, and the control tokens of
Qwen2.5-Coder.
"""

import argparse
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from fimserver.bench.gguf_file import Entry, TensorToWrite, write_gguf
from fimserver.bench.make_vocabulary import made_up_tokens, tokens_of
from fimserver.bench.shapes import QUANTISATIONS, SHAPES, PlannedTensor, Shape, planned_tensors
from fimserver.models.tensor_types import tensor_type

# Random weights of this size keep activations finite through sixty layers.
_WEIGHT = 0.02

# A line of code ends some tokens behind the cursor. The last matrix has larger weights in the newline's row, by so much
# that it is the likeliest token about one time in ten: its logit varies so many times as much as the others'.
_NEWLINE_TIMES = 4.0
_NEWLINES = ("\u010a", "<0x0A>")  # as byte-level vocabularies write it, and as SentencePiece does

# Blocks are made this many at a time, so that memory stays small however large the model.
_BLOCKS_AT_ONCE = 65_536


def make_model(path: Path, shape: Shape, quantisation: str, vocabulary: Path | None = None, seed: int = 0) -> Path:
    """Write a model of random weights and return its path."""
    random = np.random.default_rng(seed)
    tokens = tokens_of(vocabulary, shape.vocabulary) if vocabulary else made_up_tokens(shape.vocabulary)
    metadata = _metadata(path.stem, shape, quantisation) | tokens
    try:
        last_matrix = "token_embd.weight" if shape.tied else "output.weight"
        newline = _newline(tokens["tokenizer.ggml.tokens"], shape.width)
        tensors = [
            _to_write(tensor, random, newline if tensor.name == last_matrix else range(0))
            for tensor in planned_tensors(shape, quantisation)
        ]
        write_gguf(path, metadata, tensors)
    except BaseException:
        path.unlink(missing_ok=True)  # a part of a model is of no use, and may be large
        raise
    return path


def _metadata(name: str, shape: Shape, quantisation: str) -> dict[str, Entry]:
    facts: dict[str, Entry] = {
        "block_count": shape.layers,
        "context_length": shape.context,
        "embedding_length": shape.width,
        "feed_forward_length": shape.feed_forward,
        "attention.head_count": shape.heads,
        "attention.head_count_kv": shape.kv_heads,
        "attention.layer_norm_rms_epsilon": 1e-6,
        "rope.freq_base": shape.rope_base,
    }
    general: dict[str, Entry] = {
        "general.architecture": shape.architecture,
        "general.name": name,
        "general.file_type": QUANTISATIONS[quantisation][1],
        "general.quantization_version": 2,
    }
    return general | {f"{shape.architecture}.{key}": value for key, value in facts.items()}


# Fields of a block that are random bytes; the others hold one value throughout. `d` scales them so that the weights
# have the size above; where a format knows a minimum, it is chosen so that their mean is zero.
_Constants = Mapping[str, Any]
_BLOCKS: Mapping[str, tuple[list[tuple[Any, ...]], _Constants]] = {
    "Q8_0": ([("d", "<f2"), ("qs", "u1", 32)], {"d": _WEIGHT / 74}),
    "Q4_0": ([("d", "<f2"), ("qs", "u1", 16)], {"d": _WEIGHT / 4.6}),
    "Q5_0": ([("d", "<f2"), ("qh", "u1", 4), ("qs", "u1", 16)], {"d": _WEIGHT / 9.2}),
    "Q5_1": (
        [("d", "<f2"), ("m", "<f2"), ("qh", "u1", 4), ("qs", "u1", 16)],
        {"d": _WEIGHT / 9.2, "m": -15.5 * _WEIGHT / 9.2},
    ),
    "Q6_K": (
        [("ql", "u1", 128), ("qh", "u1", 64), ("scales", "i1", 16), ("d", "<f2")],
        {"scales": 16, "d": _WEIGHT / 16 / 18.5},
    ),
    # Twelve bytes of these hold eight scales and eight minimums of six bits: here all of them 32.
    "Q4_K": (
        [("d", "<f2"), ("dmin", "<f2"), ("scales", "u1", 12), ("qs", "u1", 128)],
        {"d": _WEIGHT / 32 / 4.6, "dmin": 7.5 * _WEIGHT / 32 / 4.6, "scales": [160] * 8 + [0] * 4},
    ),
    "Q5_K": (
        [("d", "<f2"), ("dmin", "<f2"), ("scales", "u1", 12), ("qh", "u1", 32), ("qs", "u1", 128)],
        {"d": _WEIGHT / 32 / 9.2, "dmin": 15.5 * _WEIGHT / 32 / 9.2, "scales": [160] * 8 + [0] * 4},
    ),
}

# Of these, what the weights of a block are multiples of.
_SCALES = frozenset({"d", "dmin", "m"})


def _to_write(tensor: PlannedTensor, random: np.random.Generator, larger: range) -> TensorToWrite:
    return TensorToWrite(tensor.name, tensor.shape, tensor.type, _pieces(tensor, random, larger))


def _newline(tokens: Any, width: int) -> range:
    """Return which weights of a matrix with a row for each token are those of the newline."""
    row = next((number for number, token in enumerate(tokens) if token in _NEWLINES), None)
    return range(0) if row is None else range(row * width, (row + 1) * width)


def _pieces(tensor: PlannedTensor, random: np.random.Generator, larger: range) -> Callable[[], Iterable[bytes]]:
    """Return what makes a tensor's bytes piece by piece; the weights of the numbers in `larger` are larger."""
    length = int(np.prod(tensor.shape))
    if tensor.type == "F32":
        value = 0.0 if tensor.name.endswith(".bias") else 1.0
        return lambda: [np.full(length, value, "<f4").tobytes()]
    if tensor.type == "F16":
        return lambda: (_random_halves(numbers, random, larger) for numbers in _steps(length))
    block = tensor_type(tensor.type).block
    blocks = range(larger.start // block, larger.stop // block)
    return lambda: (_random_blocks(tensor.type, numbers, random, blocks) for numbers in _steps(length // block))


def _steps(total: int) -> Iterator[range]:
    for start in range(0, total, _BLOCKS_AT_ONCE):
        yield range(start, min(total, start + _BLOCKS_AT_ONCE))


def _within(larger: range, numbers: range) -> slice:
    """Return where those that are larger stand among some of the numbers."""
    return slice(max(0, larger.start - numbers.start), max(0, larger.stop - numbers.start))


def _random_halves(numbers: range, random: np.random.Generator, larger: range) -> bytes:
    weights = random.standard_normal(len(numbers), "f4") * _WEIGHT
    weights[_within(larger, numbers)] *= _NEWLINE_TIMES
    return weights.astype("<f2").tobytes()


def _random_blocks(kind: str, numbers: range, random: np.random.Generator, larger: range) -> bytes:
    fields, constants = _BLOCKS[kind]
    layout = np.dtype(fields)
    blocks = np.frombuffer(random.bytes(len(numbers) * layout.itemsize), layout).copy()
    for name, value in constants.items():
        blocks[name] = value
    for scale in _SCALES & constants.keys():
        blocks[scale][_within(larger, numbers)] *= _NEWLINE_TIMES
    return blocks.tobytes()


def main() -> None:
    """Read the command line and write the file."""
    parser = argparse.ArgumentParser(description="Write a GGUF file of random weights.")
    parser.add_argument("shape", choices=SHAPES)
    parser.add_argument("quantisation", choices=QUANTISATIONS)
    parser.add_argument("path", type=Path)
    parser.add_argument("--vocab", type=Path, help="a GGUF file to take the vocabulary from")
    chosen = parser.parse_args()
    make_model(chosen.path, SHAPES[chosen.shape], chosen.quantisation, chosen.vocab)


if __name__ == "__main__":
    main()
