"""The names of a model's weights here and in a GGUF file of llama.cpp's `qwen2`, and the way back from such a file."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from fimserver.errors import FimError
from training.model import Model

_WHOLE = {"embedding.weight": "token_embd.weight", "norm": "output_norm.weight"}
_OF_A_BLOCK = {
    "attention_norm": "attn_norm.weight",
    "feed_forward_norm": "ffn_norm.weight",
    "query.weight": "attn_q.weight",
    "query.bias": "attn_q.bias",
    "key.weight": "attn_k.weight",
    "key.bias": "attn_k.bias",
    "value.weight": "attn_v.weight",
    "value.bias": "attn_v.bias",
    "attention_out.weight": "attn_output.weight",
    "gate.weight": "ffn_gate.weight",
    "up.weight": "ffn_up.weight",
    "down.weight": "ffn_down.weight",
}


def names(layers: int) -> Iterator[tuple[str, str]]:
    """Return each weight's name here and in the file."""
    yield from _WHOLE.items()
    for number in range(layers):
        for ours, theirs in _OF_A_BLOCK.items():
            yield f"blocks.{number}.{ours}", f"blk.{number}.{theirs}"


def load_gguf(model: Model, path: Path) -> None:
    """Give a model the weights of an exported file, quantised ones too. Raises FimError where they do not fit."""
    import gguf

    try:
        tensors = {tensor.name: tensor for tensor in gguf.GGUFReader(path).tensors}
        weights = {
            ours: torch.from_numpy(
                gguf.quants.dequantize(tensors[theirs].data, tensors[theirs].tensor_type).astype(np.float32)
            )
            for ours, theirs in names(model.shape.layers)
        }
        model.load_state_dict(weights)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise FimError(f"{path} does not hold the weights of this model: {error}. Start without --init.") from error
