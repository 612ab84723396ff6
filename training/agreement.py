"""Check an exported file against what was trained: llama.cpp must read the same tokens and give the same logits."""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from fimserver.errors import FimError
from training.corpus import Split, read_corpus
from training.model import Model
from training.rows import Files, Mixture, row
from training.vocabulary import Vocabulary

_SNIPPETS, _PROMPTS, _PROMPT_TOKENS = 200, 6, 512
# Half precision against single: measured 0.015 at most on the first model.
_LARGEST_DIFFERENCE = 0.1
_LEAST_SAME_BEST = 0.99

# What tokenizers tend to disagree about.
_ODD = (
    "",
    " ",
    "\n\n\n    ",
    "\t\tx\t=\t1\r\n\r\n",
    "naïve = 'çé“”' # 日本語 🙂🙃",
    "x=123456789\n",
    "it's I'LL don't WE'RE",
    "a" * 300,
    "   \n   \n",
    "<|fim_prefix|>",
    "_" * 40 + "\n" * 9,
    "\u00a0\u2003x\u200b",
)


def check_tokens(path: Path, vocabulary: Vocabulary, corpus: Path) -> str:
    """Return how many texts were compared. Raises FimError naming the first that llama.cpp reads otherwise."""
    model = _opened(path)
    texts = [*_ODD, *_snippets(corpus)]
    for text in texts:
        ours, theirs = vocabulary.encode(text), model.tokenize(text.encode(), add_bos=False, special=False)
        if ours != theirs:
            raise FimError(
                f"llama.cpp reads {text[:60]!r} as {theirs[:12]}, the tokenizer as {ours[:12]}: not exported."
            )
    return f"tokens: the same for {len(texts)} of {len(texts)} texts"


def check_logits(path: Path, model: Model, vocabulary: Vocabulary, corpus: Path) -> str:
    """Return how near the logits are. Raises FimError where they differ by more than rounding."""
    opened = _opened(path)
    files = Files(read_corpus(corpus, Split.HELDOUT))
    worst, same, seen = 0.0, 0, 0
    for number in range(_PROMPTS):
        tokens = row(f"logits:{number}", files, vocabulary, Mixture(), _PROMPT_TOKENS - 1).tokens
        opened.reset()
        opened.eval(tokens)
        theirs = np.array(opened.scores[: len(tokens)])
        with torch.no_grad():
            ours = model.logits(torch.tensor([tokens]))[0].numpy()
        worst = max(worst, float(np.abs(ours - theirs).max()))
        same += int((ours.argmax(1) == theirs.argmax(1)).sum())
        seen += len(tokens)
    if worst > _LARGEST_DIFFERENCE or same / seen < _LEAST_SAME_BEST:
        raise FimError(
            f"llama.cpp's logits differ by up to {worst:.3f}; {same} of {seen} best tokens agree: not exported."
        )
    return f"logits: at most {worst:.4f} apart; {same} of {seen} best tokens agree"


def _opened(path: Path) -> Any:
    import llama_cpp

    return llama_cpp.Llama(str(path), n_ctx=1024, n_batch=1024, n_threads=2, logits_all=True, verbose=False)


def _snippets(corpus: Path) -> Iterator[str]:
    chance = random.Random(7)
    sources = read_corpus(corpus, Split.HELDOUT)
    for _ in range(_SNIPPETS):
        text, length = chance.choice(sources).text, chance.choice((5, 30, 200, 1000, 3000))
        start = chance.randint(0, max(0, len(text) - length))
        yield text[start : start + length]
