"""Predicted memory and bytes per token, against what the engine really took."""

from dataclasses import replace
from pathlib import Path

import pytest

from fimserver.bench.shapes import SHAPES, Shape, planned_tensors
from fimserver.models.calibration import rates_shown
from fimserver.models.catalogue import choice_named
from fimserver.models.cost import Cost, bytes_per_token, cost_of, cost_of_choice, fitting_context, memory_bytes
from fimserver.models.gguf import Gguf, LongArray, Tensor, read_gguf
from fimserver.models.hardware import Machine, tokens_per_s

EMBEDDED = Path(__file__).parents[3] / "fimserver" / "models" / "embedded" / "tiny-fim.gguf"


def header_of(shape: Shape, quantisation: str, file_bytes: int) -> Gguf:
    """Return the header of a random model of this shape, as make_model writes it."""
    prefix = shape.architecture
    metadata = {
        "general.architecture": prefix,
        f"{prefix}.block_count": shape.layers,
        f"{prefix}.embedding_length": shape.width,
        f"{prefix}.feed_forward_length": shape.feed_forward,
        f"{prefix}.attention.head_count": shape.heads,
        f"{prefix}.attention.head_count_kv": shape.kv_heads,
        "tokenizer.ggml.tokens": LongArray(shape.vocabulary),
    }
    tensors = tuple(Tensor(t.name, t.shape, t.type, 0) for t in planned_tensors(shape, quantisation))
    return Gguf(Path("random.gguf"), 3, file_bytes, metadata, tensors)


# Resident memory in megabytes of a process that loaded the random model by engine/llama.py (llama-cpp-python 0.3.36,
# Linux, x86-64) with a context of 4,096 tokens, and evaluated 512 tokens and 24 single ones; and the file's megabytes.
MEASURED = {
    "0.5B Q4_K_M": ("qwen2.5-coder-0.5b", "Q4_K_M", 553.9, 397.805),
    "0.5B Q8_0": ("qwen2.5-coder-0.5b", "Q8_0", 686.5, 531.065),
    "0.5B Q4_0": ("qwen2.5-coder-0.5b", "Q4_0", 507.6, 352.152),
    "1.5B Q4_K_M": ("qwen2.5-coder-1.5b", "Q4_K_M", 1216.4, 986.045),
    "1.5B Q8_0": ("qwen2.5-coder-1.5b", "Q8_0", 1876.3, 1646.570),
    "3B Q4_K_M": ("qwen2.5-coder-3b", "Q4_K_M", 2199.6, 1929.900),
    "DeepSeek 1.3B Q4_K_M": ("deepseek-coder-1.3b-base", "Q4_K_M", 1752.9, 873.453),
}


@pytest.mark.parametrize(("shape", "quantisation", "resident", "file"), MEASURED.values(), ids=MEASURED)
def test_memory_is_predicted_within_a_few_percent(shape: str, quantisation: str, resident: float, file: float) -> None:
    cost = cost_of(header_of(SHAPES[shape], quantisation, int(file * 1e6)))
    assert memory_bytes(cost, 4096) == pytest.approx(resident * 1e6, rel=0.03)


@pytest.mark.parametrize(("shape", "quantisation", "resident", "file"), MEASURED.values(), ids=MEASURED)
def test_the_catalogue_predicts_memory_within_ten_percent(
    shape: str, quantisation: str, resident: float, file: float
) -> None:
    named = f"{shape}:{quantisation}"
    if quantisation == "Q4_0":
        pytest.skip("the catalogue names no file of this quantisation")
    assert memory_bytes(cost_of_choice(choice_named(named)), 4096) == pytest.approx(resident * 1e6, rel=0.1)


@pytest.mark.parametrize(
    ("shape", "kib"),
    [
        ("qwen2.5-coder-0.5b", 12),
        ("qwen2.5-coder-1.5b", 28),
        ("qwen2.5-coder-7b", 56),
        ("deepseek-coder-6.7b-base", 512),
    ],
)
def test_keys_and_values_of_one_token(shape: str, kib: int) -> None:
    assert cost_of(header_of(SHAPES[shape], "Q8_0", 1)).kv_bytes_per_token == kib * 1024


def test_keys_and_values_where_layers_differ() -> None:
    gguf = header_of(SHAPES["tiny"], "Q8_0", 1)
    metadata = {**gguf.metadata, "qwen2.attention.head_count_kv": (2, 0, 0, 2, 0, 0)}
    assert cost_of(replace(gguf, metadata=metadata)).kv_bytes_per_token == 2 * (2 + 2) * (64 + 64)


def test_compressed_keys_and_values() -> None:
    metadata = {
        "general.architecture": "deepseek2",
        "deepseek2.block_count": 27,
        "deepseek2.attention.kv_lora_rank": 512,
        "deepseek2.rope.dimension_count": 64,
        "deepseek2.attention.head_count": 16,
        "deepseek2.attention.head_count_kv": 16,
        "deepseek2.attention.key_length": 192,
        "deepseek2.attention.value_length": 128,
    }
    split = Gguf(Path("m"), 3, 1, metadata, (Tensor("blk.0.attn_k_b.weight", (32, 1), "Q8_0", 0),))
    assert cost_of(split).kv_bytes_per_token == 31_104
    assert cost_of(replace(split, tensors=())).kv_bytes_per_token == 276_480


def test_an_embedding_is_looked_up_where_the_output_has_a_matrix_of_its_own() -> None:
    tied, own = (header_of(replace(SHAPES["tiny"], tied=tied), "Q8_0", 1) for tied in (True, False))
    assert cost_of(tied).active_bytes == cost_of(own).active_bytes


def test_of_experts_only_those_in_use_are_read() -> None:
    metadata = {"general.architecture": "moe", "moe.expert_count": 64, "moe.expert_used_count": 8}
    tensors = (
        Tensor("blk.0.ffn_up_exps.weight", (32, 64), "Q8_0", 0),
        Tensor("blk.0.attn_q.weight", (32, 1), "Q8_0", 0),
    )
    assert cost_of(Gguf(Path("m"), 3, 1, metadata, tensors)).active_bytes == 34 * 8 + 34


# Tokens a second on two threads of an AMD EPYC (AVX-512), random models, llama-cpp-python 0.3.36, 512 tokens behind.
WRITTEN = {
    "1.5B Q8_0": ("qwen2.5-coder-1.5b", "Q8_0", 13.7),
    "0.5B Q8_0": ("qwen2.5-coder-0.5b", "Q8_0", 42.0),
    "0.5B Q4_K_M": ("qwen2.5-coder-0.5b", "Q4_K_M", 43.5),
    "0.5B Q4_0": ("qwen2.5-coder-0.5b", "Q4_0", 56.0),
}


@pytest.mark.parametrize(("shape", "quantisation", "expected"), WRITTEN.values(), ids=WRITTEN)
def test_speed_is_predicted_within_thirty_percent_once_a_model_has_run(
    shape: str, quantisation: str, expected: float
) -> None:
    run = cost_of(header_of(SHAPES["qwen2.5-coder-1.5b"], "Q4_K_M", 986_000_000))
    rates = rates_shown(run, 24.5, context_tokens=512)
    known = Machine(memory_bytes=1, available_bytes=1, cores=2, bandwidth_bytes_per_s=1.0, rates=rates)
    cost = cost_of(header_of(SHAPES[shape], quantisation, 1))
    assert tokens_per_s(cost, known, context_tokens=512) == pytest.approx(expected, rel=0.3)


COST = Cost(
    weights_bytes=10**9,
    active_bytes=10**9,
    active_weights=10**9,
    kv_bytes_per_token=1000,
    vocabulary=0,
    feed_forward=0,
)


def test_a_smaller_kind_of_cache_halves_what_is_kept() -> None:
    assert memory_bytes(COST, 10_000) - memory_bytes(COST, 10_000, "q8_0") == 10_000 * 1000 * 7.5 / 16
    assert bytes_per_token(COST, 10_000, "q8_0") == 10**9 + 5_312_500


def test_the_context_that_fits() -> None:
    room = memory_bytes(COST, 5000)
    assert fitting_context(COST, room) == 4096
    assert fitting_context(COST, 10**9) == 0


def test_the_embedded_model() -> None:
    cost = cost_of(read_gguf(EMBEDDED))
    assert cost.weights_bytes == EMBEDDED.stat().st_size
    assert cost.kv_bytes_per_token == 6 * 2 * 64 * 2 * 2
