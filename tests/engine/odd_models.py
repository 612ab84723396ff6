"""Small models of random weights that cannot forget a part of what they have read."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from fimserver.bench.gguf_file import Entry, TensorToWrite, write_gguf
from fimserver.bench.make_vocabulary import tokens_of
from tests.engine.worker_rig import MODEL

VOCABULARY = 6_144
WIDTH = 64


def write_mamba(path: Path) -> None:
    """Write a recurrent model: its state holds all it has read, and cannot be rewound."""
    inner, state, kernel, rank, layers = 2 * WIDTH, 16, 4, 4, 2
    facts: dict[str, Entry] = {
        "context_length": 1024,
        "embedding_length": WIDTH,
        "block_count": layers,
        "attention.layer_norm_rms_epsilon": 1e-5,
        "ssm.conv_kernel": kernel,
        "ssm.inner_size": inner,
        "ssm.state_size": state,
        "ssm.time_step_rank": rank,
    }
    tensors = {"token_embd.weight": (WIDTH, VOCABULARY), "output_norm.weight": (WIDTH,)}
    for layer in range(layers):
        tensors |= {
            f"blk.{layer}.attn_norm.weight": (WIDTH,),
            f"blk.{layer}.ssm_in.weight": (WIDTH, 2 * inner),
            f"blk.{layer}.ssm_conv1d.weight": (kernel, inner),
            f"blk.{layer}.ssm_conv1d.bias": (inner,),
            f"blk.{layer}.ssm_x.weight": (inner, rank + 2 * state),
            f"blk.{layer}.ssm_dt.weight": (rank, inner),
            f"blk.{layer}.ssm_dt.bias": (inner,),
            f"blk.{layer}.ssm_a": (state, inner),
            f"blk.{layer}.ssm_d": (inner,),
            f"blk.{layer}.ssm_out.weight": (inner, WIDTH),
        }
    _write(path, "mamba", facts, tensors)


def write_sliding_window(path: Path) -> None:
    """Write a model whose every other layer sees 64 tokens back only: what is out of sight is overwritten."""
    layers, heads, head, feed_forward = 2, 2, 32, 128
    facts: dict[str, Entry] = {
        "context_length": 1024,
        "embedding_length": WIDTH,
        "block_count": layers,
        "feed_forward_length": feed_forward,
        "attention.head_count": heads,
        "attention.head_count_kv": heads,
        "attention.key_length": head,
        "attention.value_length": head,
        "attention.layer_norm_rms_epsilon": 1e-6,
        "attention.sliding_window": 64,
    }
    tensors = {"token_embd.weight": (WIDTH, VOCABULARY), "output_norm.weight": (WIDTH,)}
    for layer in range(layers):
        norms = ("attn_norm", "post_attention_norm", "ffn_norm", "post_ffw_norm")
        tensors |= {f"blk.{layer}.{norm}.weight": (WIDTH,) for norm in norms}
        tensors |= {f"blk.{layer}.attn_{part}.weight": (WIDTH, heads * head) for part in "qkv"}
        tensors |= {
            f"blk.{layer}.attn_output.weight": (heads * head, WIDTH),
            f"blk.{layer}.ffn_gate.weight": (WIDTH, feed_forward),
            f"blk.{layer}.ffn_up.weight": (WIDTH, feed_forward),
            f"blk.{layer}.ffn_down.weight": (feed_forward, WIDTH),
        }
    _write(path, "gemma2", facts, tensors)


def _write(path: Path, architecture: str, facts: dict[str, Entry], shapes: dict[str, tuple[int, ...]]) -> None:
    random = np.random.default_rng(1)
    metadata: dict[str, Entry] = {"general.architecture": architecture, "general.name": architecture}
    metadata |= {f"{architecture}.{key}": value for key, value in facts.items()}
    tensors = [
        TensorToWrite(name, shape, "F32", lambda name=name, shape=shape: _numbers(name, shape, random))
        for name, shape in shapes.items()
    ]
    write_gguf(path, metadata | tokens_of(MODEL, VOCABULARY), tensors)


def _numbers(name: str, shape: tuple[int, ...], random: np.random.Generator) -> Iterator[bytes]:
    """Yield numbers that keep activations finite: norms near 1, decays below 0."""
    numbers = random.normal(0, 0.2, shape[::-1])
    numbers = 1 + numbers / 10 if "norm" in name else -1 - np.abs(numbers) if name.endswith("ssm_a") else numbers
    yield numbers.astype(np.float32).tobytes()
