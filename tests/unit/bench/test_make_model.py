"""Random models have the tensors llama.cpp's own quantiser would make, load, and run."""

import ctypes
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fimserver.bench import make_model as make_model_module
from fimserver.bench.make_model import make_model
from fimserver.bench.shapes import QUANTISATIONS, SHAPES, Shape, planned_tensors
from fimserver.engine.llama import Llama
from fimserver.engine.model import LoadOptions
from fimserver.engine.native import native
from fimserver.models.catalogue import catalogue
from fimserver.models.gguf import read_gguf

# Eight layers, so that every branch of the rules is taken; rows of 320 cannot be cut into blocks of 256.
TINY = replace(SHAPES["tiny"], layers=8, feed_forward=256, vocabulary=512)
RULES = {
    "tied": TINY,
    "own output matrix, no biases": replace(TINY, architecture="llama", biases=False, tied=False),
    "odd rows": replace(TINY, width=320, feed_forward=256, heads=5, kv_heads=1),
    "odd rows, own output matrix": replace(TINY, width=320, feed_forward=352, heads=5, kv_heads=1, tied=False),
}


# The mixtures with the shapes that differ most, the plain ones with the others.
PAIRS = [("tied", "Q4_K_M"), ("own output matrix, no biases", "Q4_K_S"), ("tied", "Q5_K_M")]
PAIRS += [("odd rows, own output matrix", name) for name in ("Q4_K_M", "Q5_K_M", "Q4_K_S")]
PAIRS += [("odd rows", name) for name in ("Q4_0", "Q6_K", "Q8_0")] + [("own output matrix, no biases", "Q4_0")]


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A model of each shape that is not quantised yet."""
    folder = tmp_path_factory.mktemp("f16")
    return {name: make_model(folder / f"{name}.gguf", shape, "F16") for name, shape in RULES.items()}


@pytest.mark.parametrize(("shape_name", "quantisation"), PAIRS)
def test_tensors_are_those_of_llama_cpps_quantiser(
    tmp_path: Path, sources: dict[str, Path], shape_name: str, quantisation: str
) -> None:
    shape, source = RULES[shape_name], sources[shape_name]
    quantised = tmp_path / "quantised.gguf"
    options = native.llama_model_quantize_default_params()
    options.ftype, options.nthread = QUANTISATIONS[quantisation][1], 1
    assert native.llama_model_quantize(os.fsencode(source), os.fsencode(quantised), ctypes.byref(options)) == 0
    theirs = {tensor.name: (tensor.type, tensor.shape) for tensor in read_gguf(quantised).tensors}
    assert {tensor.name: (tensor.type, tensor.shape) for tensor in planned_tensors(shape, quantisation)} == theirs


@pytest.mark.parametrize("quantisation", QUANTISATIONS)
@pytest.mark.parametrize("shape", [RULES["tied"], RULES["odd rows, own output matrix"]], ids=["even rows", "odd rows"])
def test_a_random_model_loads_and_runs(tmp_path: Path, shape: Shape, quantisation: str) -> None:
    path = make_model(tmp_path / "random.gguf", shape, quantisation)
    llama = Llama(LoadOptions(path=path, cells=256, sequences=1, threads=1))
    try:
        tokens = llama.tokeniser.tokenise("<|fim_prefix|>def ", control=True)
        assert llama.decode(tokens, 0, 0, rows=[len(tokens) - 1])
        logits = llama.logits(len(tokens) - 1)
        assert np.isfinite(logits).all()
        assert logits.std() > 0
        assert set(llama.tokeniser.fim_tokens()) == {"prefix", "middle", "suffix", "pad"} | (
            {"repo", "file"} & set(llama.tokeniser.fim_tokens())
        )
    finally:
        llama.close()


@pytest.mark.parametrize("quantisation", ["F16", "Q8_0", "Q4_K_M"])
@pytest.mark.parametrize("shape", [RULES["tied"], RULES["odd rows, own output matrix"]], ids=["tied", "own output"])
def test_the_newline_is_likelier_than_other_tokens_and_so_ends_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shape: Shape, quantisation: str
) -> None:
    newline, with_lines = logits_of(make_model(tmp_path / "lines.gguf", shape, quantisation))
    monkeypatch.setattr(make_model_module, "_NEWLINE_TIMES", 1.0)
    _, without = logits_of(make_model(tmp_path / "none.gguf", shape, quantisation))
    others = np.arange(len(without)) != newline
    assert with_lines[newline] == pytest.approx(4 * without[newline], rel=0.02)
    assert with_lines[others] == pytest.approx(without[others], rel=0.02, abs=0.001)


def logits_of(path: Path) -> tuple[int, np.ndarray]:
    """Return the newline's number, and what a model makes of a short text in which there is none."""
    llama = Llama(LoadOptions(path=path, cells=256, sequences=1, threads=1))
    try:
        tokens = llama.tokeniser.tokenise("def add")
        assert llama.decode(tokens, 0, 0, rows=[len(tokens) - 1])
        return llama.tokeniser.tokenise("\n")[-1], llama.logits(len(tokens) - 1).copy()
    finally:
        llama.close()


# A header holds the vocabulary: 39 bytes a token in Qwen's, 36 in DeepSeek's.
HEADER_BYTES = {"qwen2.5-coder": 5_930_000, "deepseek-coder": 1_160_000}


@pytest.mark.parametrize("model_id", [name for name in SHAPES if name != "tiny"])
def test_the_catalogues_sizes_follow_from_the_shapes(model_id: str) -> None:
    model = catalogue()[model_id]
    for file in model.files:
        if file.quant in QUANTISATIONS:
            tensors = sum(tensor.size_bytes for tensor in planned_tensors(SHAPES[model_id], file.quant))
            assert tensors + HEADER_BYTES[model.profile] == pytest.approx(file.bytes, rel=0.001), file.quant
