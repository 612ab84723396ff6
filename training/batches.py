"""Turn a corpus into an endless, repeatable sequence of batches, made by worker processes ahead of their use."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from fimserver.errors import FimError
from training.corpus import Split, read_corpus
from training.layouts import ANSWERED, NOT_LEARNT, Example
from training.presets import Preset
from training.rows import Files, row
from training.vocabulary import Vocabulary

_AHEAD = 4
# Rows to score with while training: the same ones every time.
_FIXED_ROWS, _FIXED_ROW_TOKENS = 32, 512


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of tokens, the token each should predict, and that token's role; all (B, T)."""

    inputs: Tensor
    targets: Tensor
    roles: Tensor
    counted: int  # tokens that are not padding

    def to(self, device: str) -> "Batch":
        """Return the batch on a device."""
        return Batch(self.inputs.to(device), self.targets.to(device), self.roles.to(device), self.counted)

    def weights(self, answer_weight: float) -> Tensor:
        """Return each target's share of the loss; they sum to 1."""
        weights = (self.roles != NOT_LEARNT).float() + (self.roles == ANSWERED).float() * (answer_weight - 1)
        return weights / weights.sum()


class _Batches(Dataset[Batch]):
    """Batch number n is made from the seed and n alone."""

    def __init__(self, files: Files, vocabulary: Vocabulary, preset: Preset, length: int, seed: int) -> None:
        self._row = partial(row, files=files, vocabulary=vocabulary, mixture=preset.mixture, length=length)
        self._rows = max(1, preset.tokens_per_step // length)
        self._seed = seed

    def __getitem__(self, number: int) -> Batch:
        return _batch([self._row(f"{self._seed}:{number}:{index}") for index in range(self._rows)])


def batches(
    corpus: Path, vocabulary: Vocabulary, preset: Preset, length: int, *, seed: int, start: int
) -> Iterator[Batch]:
    """Yield the batches of a run from number `start` on. Raises FimError where there is nothing to train on."""
    files = _files(corpus, Split.TRAIN)
    loader = DataLoader(
        _Batches(files, vocabulary, preset, length, seed),
        batch_size=None,
        sampler=range(start, 1 << 40),
        num_workers=preset.workers,
        prefetch_factor=_AHEAD if preset.workers else None,
        multiprocessing_context="fork" if preset.workers else None,
    )
    return iter(loader)


def fixed_batches(corpus: Path, split: Split, vocabulary: Vocabulary, preset: Preset) -> list[Batch]:
    """Return the rows of a split that a run is scored with."""
    files = _files(corpus, split)
    names = [f"{split}:{number}" for number in range(_FIXED_ROWS)]
    rows = [row(name, files, vocabulary, preset.mixture, _FIXED_ROW_TOKENS) for name in names]
    return [_batch(rows[start : start + 8]) for start in range(0, _FIXED_ROWS, 8)]


def _files(corpus: Path, split: Split) -> Files:
    sources = read_corpus(corpus, split)
    if not sources:
        raise FimError(f"The corpus {corpus} has no {split} file. Prepare it from more packages: --site, --library")
    return Files(sources)


def _batch(rows: list[Example]) -> Batch:
    tokens = torch.tensor([row.tokens for row in rows])
    roles = torch.tensor([row.roles for row in rows])[:, 1:]
    return Batch(tokens[:, :-1].contiguous(), tokens[:, 1:].contiguous(), roles.contiguous(), int((roles > 0).sum()))
