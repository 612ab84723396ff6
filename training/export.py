"""Turn a checkpoint into a GGUF file that llama.cpp runs as Qwen2, and check that it answers as the checkpoint does.

    python -m training.export --corpus build/corpus --tokenizer build/tokenizer.json --run build/run --out new.gguf

The file takes its place only after the checks: the same tokens for the same texts, and the same logits for the same
prompts. It needs llama-cpp-python, whose library also quantises.
"""

import argparse
import ctypes
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gguf
import numpy as np

from fimserver.errors import FimError
from fimserver.files import write_atomically
from training.agreement import check_logits, check_tokens
from training.command import run
from training.model import Model, Shape
from training.tokenizer import CONTROLS, LearntVocabulary
from training.train import read_checkpoint
from training.weights import names

_ROLES = {"pre": "<|fim_prefix|>", "suf": "<|fim_suffix|>", "mid": "<|fim_middle|>", "pad": "<|fim_pad|>"}
_ROLES |= {"rep": "<|repo_name|>", "sep": "<|file_sep|>"}
_END = "<|endoftext|>"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m training.export", description=__doc__.split("\n")[0])
    parser.add_argument("--run", type=Path, required=True, help="folder of the checkpoint")
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("--corpus", type=Path, required=True, help="whose held-out files the checks read")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--name", default="tiny-fim", help="by which fimserver finds the prompt profile")
    parser.add_argument("--quantisation", default="Q8_0", help="of llama.cpp")
    chosen = parser.parse_args(arguments)
    saved = read_checkpoint(chosen.run / "checkpoint.pt")
    vocabulary = LearntVocabulary(chosen.tokenizer)
    if saved["tokenizer"] != vocabulary.sha256:
        raise FimError(f"{chosen.run} was trained with another tokenizer than {chosen.tokenizer}. Name that one.")
    with tempfile.TemporaryDirectory() as folder:
        whole, quantised = Path(folder) / "whole.gguf", Path(folder) / "quantised.gguf"
        write_gguf(whole, saved, chosen.tokenizer, chosen.name)
        print(check_tokens(whole, vocabulary, chosen.corpus))
        print(check_logits(whole, _model(saved), vocabulary, chosen.corpus))
        _quantise(whole, quantised, chosen.quantisation)
        write_atomically(chosen.out, quantised.read_bytes())
    print(f"{chosen.out}: {chosen.out.stat().st_size:,} bytes")


def write_gguf(path: Path, saved: dict[str, Any], tokenizer: Path, name: str) -> None:
    """Write the weights of a checkpoint in 16 bits, with the tokenizer and the roles of its control tokens."""
    shape = Shape(**saved["shape"])
    writer = gguf.GGUFWriter(str(path), "qwen2")
    writer.add_name(name)
    writer.add_description("Fill-in-the-middle Python model trained from scratch on permissively licensed code")
    writer.add_license("Apache-2.0")
    _add_shape(writer, shape)
    _add_tokenizer(writer, json.loads(tokenizer.read_text("utf-8")))
    for ours, theirs in names(shape.layers):
        weight = saved["model"][ours].float().numpy()
        writer.add_tensor(theirs, weight.astype(np.float16) if weight.ndim == 2 else weight)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _add_shape(writer: gguf.GGUFWriter, shape: Shape) -> None:
    writer.add_context_length(shape.context)
    writer.add_embedding_length(shape.width)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.feed_forward)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.key_value_heads)
    writer.add_rope_freq_base(shape.rope_base)
    writer.add_layer_norm_rms_eps(shape.norm_epsilon)
    writer.add_vocab_size(shape.vocabulary)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)


def _add_tokenizer(writer: gguf.GGUFWriter, tokenizer: dict[str, Any]) -> None:
    """Write the vocabulary in the order of its numbers; llama.cpp knows our words by the name of Qwen2's."""
    numbers = {**tokenizer["model"]["vocab"], **{token["content"]: token["id"] for token in tokenizer["added_tokens"]}}
    texts = sorted(numbers, key=numbers.__getitem__)
    control, normal = gguf.TokenType.CONTROL, gguf.TokenType.NORMAL
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list(texts)
    writer.add_token_types([control if text in CONTROLS else normal for text in texts])
    merges = tokenizer["model"]["merges"]
    writer.add_token_merges([merge if isinstance(merge, str) else " ".join(merge) for merge in merges])
    writer.add_bos_token_id(numbers[_END])
    writer.add_eos_token_id(numbers[_END])
    writer.add_pad_token_id(numbers[_ROLES["pad"]])
    writer.add_add_bos_token(False)
    for role, text in _ROLES.items():
        writer.add_uint32(f"tokenizer.ggml.fim_{role}_token_id", numbers[text])


def _quantise(source: Path, target: Path, kind: str) -> None:
    """Quantise with llama.cpp's own library. Raises FimError where it refuses."""
    import llama_cpp

    wanted = getattr(llama_cpp, f"LLAMA_FTYPE_MOSTLY_{kind}", None)
    if wanted is None:
        raise FimError(f"llama.cpp has no quantisation {kind}; usual ones are Q8_0, Q6_K and Q4_K_M.")
    llama_cpp.llama_backend_init()
    parameters = llama_cpp.llama_model_quantize_default_params()
    parameters.ftype = wanted
    if llama_cpp.llama_model_quantize(str(source).encode(), str(target).encode(), ctypes.byref(parameters)):
        raise FimError(f"llama.cpp could not quantise {source} to {kind}.")


def _model(saved: dict[str, Any]) -> Model:
    model = Model(Shape(**saved["shape"]))
    model.load_state_dict(saved["model"])
    return model


if __name__ == "__main__":
    run(main)
