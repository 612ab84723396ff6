"""Turn a shape and a quantisation into a GGUF file of random weights that llama.cpp loads and runs.

    python -m fimserver.bench.make_model qwen2.5-coder-1.5b Q4_K_M /tmp/random.gguf --vocab ggml-vocab-qwen2.gguf

It is as large, as fast and as hungry for memory as the real model, and writes nonsense. Without `--vocab` the
vocabulary is made up: bytes, pairs and triples of characters, and the control tokens of Qwen2.5-Coder.
"""

import argparse
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from fimserver.bench.gguf_file import Entry, TensorToWrite, write_gguf
from fimserver.bench.shapes import QUANTISATIONS, SHAPES, PlannedTensor, Shape, planned_tensors
from fimserver.models.gguf import read_gguf
from fimserver.models.tensor_types import tensor_type

# Random weights of this size keep activations finite through sixty layers.
_WEIGHT = 0.02

# Blocks are made this many at a time, so that memory stays small however large the model.
_BLOCKS_AT_ONCE = 65_536


def make_model(path: Path, shape: Shape, quantisation: str, vocabulary: Path | None = None, seed: int = 0) -> Path:
    """Write a model of random weights and return its path."""
    random = np.random.default_rng(seed)
    tokens = _tokens_of(vocabulary, shape.vocabulary) if vocabulary else _made_up_tokens(shape.vocabulary)
    metadata = _metadata(path.stem, shape, quantisation) | tokens
    try:
        write_gguf(path, metadata, [_to_write(tensor, random) for tensor in planned_tensors(shape, quantisation)])
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


def _to_write(tensor: PlannedTensor, random: np.random.Generator) -> TensorToWrite:
    return TensorToWrite(tensor.name, tensor.shape, tensor.type, _pieces(tensor, random))


def _pieces(tensor: PlannedTensor, random: np.random.Generator) -> Callable[[], Iterable[bytes]]:
    length = int(np.prod(tensor.shape))
    if tensor.type == "F32":
        value = 0.0 if tensor.name.endswith(".bias") else 1.0
        return lambda: [np.full(length, value, "<f4").tobytes()]
    if tensor.type == "F16":
        return lambda: (
            (random.standard_normal(count, "f4") * _WEIGHT).astype("<f2").tobytes() for count in _steps(length)
        )
    blocks = length // tensor_type(tensor.type).block
    return lambda: (_random_blocks(tensor.type, count, random) for count in _steps(blocks))


def _steps(total: int) -> Iterator[int]:
    yield from [_BLOCKS_AT_ONCE] * (total // _BLOCKS_AT_ONCE)
    if total % _BLOCKS_AT_ONCE:
        yield total % _BLOCKS_AT_ONCE


def _random_blocks(kind: str, count: int, random: np.random.Generator) -> bytes:
    fields, constants = _BLOCKS[kind]
    layout = np.dtype(fields)
    blocks = np.frombuffer(random.bytes(count * layout.itemsize), layout).copy()
    for name, value in constants.items():
        blocks[name] = value
    return blocks.tobytes()


_NORMAL, _CONTROL, _UNUSED = 1, 3, 5

# Control tokens of Qwen2.5-Coder, and how far after <|endoftext|> each stands.
_CONTROLS = {
    "<|endoftext|>": 0,
    "<|im_start|>": 1,
    "<|im_end|>": 2,
    "<|fim_prefix|>": 16,
    "<|fim_middle|>": 17,
    "<|fim_suffix|>": 18,
    "<|fim_pad|>": 19,
    "<|repo_name|>": 20,
    "<|file_sep|>": 21,
}
_ROLES = {"pre": "prefix", "mid": "middle", "suf": "suffix", "pad": "pad"}


def _tokens_of(path: Path, size: int) -> dict[str, Entry]:
    """Return the vocabulary of a file, with the control tokens where Qwen2.5-Coder has them, at the wanted size."""
    keys = ("tokens", "token_type", "merges", "scores")
    read = read_gguf(path, keep=[f"tokenizer.ggml.{key}" for key in keys]).metadata
    tokens, kinds = (list(read[f"tokenizer.ggml.{key}"]) for key in ("tokens", "token_type"))  # type: ignore[arg-type]
    tokens += [f"[PAD{index}]" for index in range(len(tokens), size)]
    kinds += [_UNUSED] * (size - len(kinds))
    if "<|endoftext|>" in tokens[:-64]:
        _place_controls(tokens, kinds, tokens.index("<|endoftext|>"))
    entries: dict[str, Any] = {key: value for key, value in read.items() if key.startswith("tokenizer.ggml.")}
    return entries | {"tokenizer.ggml.tokens": tokens[:size], "tokenizer.ggml.token_type": kinds[:size]}


def _made_up_tokens(size: int) -> dict[str, Entry]:
    """Return a byte-level vocabulary in which pairs and triples of usual characters are tokens too."""
    alphabet = [_written(byte) for byte in range(256)]
    usual = [_written(byte) for byte in range(32, 127)]
    room = size - len(alphabet) - max(_CONTROLS.values()) - 1
    pairs = [first + second for first, second in product(usual, usual)][:room]
    triples = [pair + third for pair, third in product(pairs, usual)][: room - len(pairs)]
    merged = pairs + triples
    tokens = alphabet + merged + [f"[PAD{index}]" for index in range(len(alphabet) + len(merged), size)]
    kinds = [_NORMAL] * (len(alphabet) + len(merged)) + [_UNUSED] * (size - len(alphabet) - len(merged))
    end_of_text = len(alphabet) + len(merged)
    _place_controls(tokens, kinds, end_of_text)
    return {
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "qwen2",
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.token_type": kinds,
        "tokenizer.ggml.merges": [f"{token[:-1]} {token[-1]}" for token in merged],
        "tokenizer.ggml.eos_token_id": end_of_text,
        "tokenizer.ggml.bos_token_id": end_of_text,
        "tokenizer.ggml.add_bos_token": False,
        **{f"tokenizer.ggml.fim_{key}_token_id": tokens.index(f"<|fim_{role}|>") for key, role in _ROLES.items()},
    }


def _place_controls(tokens: list[Any], kinds: list[Any], end_of_text: int) -> None:
    for text, distance in _CONTROLS.items():
        tokens[end_of_text + distance], kinds[end_of_text + distance] = text, _CONTROL


def _written(byte: int) -> str:
    """Return the character that byte-level vocabularies write for a byte: itself if visible, else from U+0100 on."""
    seen = [*range(33, 127), *range(161, 173), *range(174, 256)]
    return chr(byte) if byte in seen else chr(256 + sum(other not in seen for other in range(byte)))


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
