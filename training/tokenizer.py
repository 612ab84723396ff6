"""Turn a corpus into a byte-level BPE with the control tokens of Qwen2.5-Coder, and text into its tokens.

python -m training.tokenizer --corpus build/corpus --out build/tokenizer.json --size 6144
"""

import argparse
import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import tokenizers
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from fimserver.errors import FimError
from fimserver.files import write_atomically
from training.command import run
from training.corpus import Source, Split, read_corpus

CONTROLS = (
    "<|endoftext|>",
    "<|fim_prefix|>",
    "<|fim_middle|>",
    "<|fim_suffix|>",
    "<|fim_pad|>",
    "<|repo_name|>",
    "<|file_sep|>",
)

# Qwen2's, which llama.cpp knows by the name "qwen2".
_WORDS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)

# llama.cpp's bindings give a token's text back through 32 bytes; a longer one would vanish.
_LONGEST_TOKEN_CHARACTERS = 24
# No package may set the vocabulary alone.
_MOST_CHARACTERS_OF_A_PACKAGE = 8_000_000


class LearntVocabulary:
    """The tokens of a text, and the control tokens by their roles."""

    def __init__(self, path: Path) -> None:
        """Read a tokenizer's file. Raises FimError where it is none, or lacks a control token."""
        try:
            content = path.read_text("utf-8")
            found = json.loads(content)
        except (OSError, ValueError) as error:
            raise FimError(
                f"{path} is no tokenizer: {error}. Make one with: python -m training.tokenizer --out {path}"
            ) from error
        added = found.get("added_tokens", []) if isinstance(found, dict) else []
        numbers: dict[str, int] = {token["content"]: token["id"] for token in added}
        if missing := [text for text in CONTROLS if text not in numbers]:
            raise FimError(
                f"The tokenizer {path} lacks {', '.join(missing)}; make it with: python -m training.tokenizer"
            )
        self._tokenizer = Tokenizer.from_str(content)
        # A source file that contains "<|fim_middle|>" is text to learn from, as it is to the product.
        self._tokenizer.encode_special_tokens = True
        self.sha256 = hashlib.sha256(content.encode()).hexdigest()
        self.size = self._tokenizer.get_vocab_size()
        self.end, self.prefix, self.middle, self.suffix, self.padding, self.repository, self.file = (
            numbers[text] for text in CONTROLS
        )

    def encode(self, text: str) -> list[int]:
        """Return the tokens of a text."""
        return list(self._tokenizer.encode(text, add_special_tokens=False).ids)

    def encode_all(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the tokens of several texts."""
        return [list(found.ids) for found in self._tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)]

    def decode(self, tokens: Sequence[int]) -> str:
        """Return the text of tokens, control tokens included."""
        return str(self._tokenizer.decode(list(tokens), skip_special_tokens=False))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m training.tokenizer", description=__doc__.split("\n")[0])
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--corpus", type=Path, help="learn one from this corpus")
    source.add_argument("--model", type=Path, help="take the one of a GGUF file, to go on training that model")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--size", type=int, default=8192, help="tokens to learn, control tokens included")
    chosen = parser.parse_args(arguments)
    made = (
        of_model(chosen.model)
        if chosen.model
        else learnt(_evenly(read_corpus(chosen.corpus, Split.TRAIN)), chosen.size)
    )
    write_atomically(chosen.out, made.to_str())
    print(f"{chosen.out}: {made.get_vocab_size()} tokens, tokenizers {tokenizers.__version__}")


def learnt(texts: Iterable[str], size: int) -> Tokenizer:
    """Return a tokenizer with so many tokens, the control tokens last."""
    tokenizer = _with_words(models.BPE())
    trainer = trainers.BpeTrainer(
        vocab_size=size - len(CONTROLS),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        min_frequency=2,
        max_token_length=_LONGEST_TOKEN_CHARACTERS,
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.add_special_tokens(list(CONTROLS))
    return tokenizer


def of_model(path: Path) -> Tokenizer:
    """Return the tokenizer of an exported model, with the same numbers. Raises FimError where there is none of ours."""
    import gguf

    try:
        fields = gguf.GGUFReader(path).fields
        texts, merges = (fields[f"tokenizer.ggml.{name}"].contents() for name in ("tokens", "merges"))
    except (OSError, ValueError, KeyError) as error:
        raise FimError(f"{path} holds no tokenizer of ours: {error}. Learn one with: --corpus FOLDER") from error
    numbers = {text: number for number, text in enumerate(texts) if text not in CONTROLS}
    tokenizer = _with_words(models.BPE(vocab=numbers, merges=[tuple(merge.split(" ", 1)) for merge in merges]))
    tokenizer.add_special_tokens(list(CONTROLS))
    if any(tokenizer.token_to_id(text) != number for number, text in enumerate(texts)):
        raise FimError(f"The control tokens of {path} do not stand last: it is no model of ours. Use --corpus FOLDER")
    return tokenizer


def _with_words(model: models.BPE) -> Tokenizer:
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_WORDS), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def _evenly(sources: Iterable[Source]) -> Iterator[str]:
    read: Counter[str] = Counter()
    for source in sources:
        if read[source.package] < _MOST_CHARACTERS_OF_A_PACKAGE:
            read[source.package] += len(source.text)
            yield source.text


if __name__ == "__main__":
    run(main)
