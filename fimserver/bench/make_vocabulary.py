"""Turn a size into the vocabulary of a random model: that of a file, or one made up of bytes and usual characters."""

from itertools import product
from pathlib import Path
from typing import Any

from fimserver.bench.gguf_file import Entry
from fimserver.models.gguf import read_gguf

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


def tokens_of(path: Path, size: int) -> dict[str, Entry]:
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


def made_up_tokens(size: int) -> dict[str, Entry]:
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
