"""Train a model on a corpus, for a given time, in as many calls as one likes.

    python -m training.train --preset cpu --corpus build/corpus --tokenizer build/tokenizer.json --out build/run \\
        --minutes 80 --init fimserver/models/embedded/tiny-fim.gguf

The learning rates follow the time trained, so a run ends well on a busy machine too. It saves itself every five
minutes, at Ctrl-C and when ended; the same command goes on from there.
"""

import argparse
import io
import json
import os
import time
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from fimserver.errors import FimError
from fimserver.files import write_atomically
from training.batches import Batch, batches, fixed_batches
from training.command import run
from training.corpus import Split
from training.loss import weighted_loss
from training.model import Model, Shape
from training.muon import Muon
from training.presets import PRESETS, Preset, rate_share, row_tokens
from training.scores import scores
from training.stopping import told_to_stop
from training.tokenizer import LearntVocabulary
from training.weights import load_gguf

_SAVED_EVERY_S = 300.0
_SAID_EVERY_STEPS = 20
# Compilation is no training: of a step that compiles, only so much counts.
_LONGEST_COUNTED_STEP_S = 6.0


@dataclass(slots=True)
class Progress:
    """How far a run is."""

    seconds: float = 0.0
    steps: int = 0
    tokens: int = 0
    curve: list[dict[str, float]] = field(default_factory=list)


class Run:
    """A model, its optimisers and its progress: what a checkpoint holds."""

    def __init__(self, preset: Preset, vocabulary: LearntVocabulary, device: str) -> None:
        shape = Shape(
            vocabulary=vocabulary.size,
            width=preset.width,
            layers=preset.layers,
            heads=preset.heads,
            key_value_heads=preset.key_value_heads,
            feed_forward=preset.feed_forward,
        )
        self.model = Model(shape).to(device)
        self.optimisers: list[torch.optim.Optimizer] = [
            Muon(self.model.matrices(), lr=preset.matrix_rate),
            torch.optim.AdamW(self.model.others(), lr=preset.other_rate, betas=(0.9, 0.95), weight_decay=0, eps=1e-10),
        ]
        self.rates = (preset.matrix_rate, preset.other_rate)
        self.progress = Progress()
        self._tokenizer = vocabulary.sha256

    def save(self, folder: Path) -> None:
        """Write `checkpoint.pt` and `curve.json`, each whole or not at all."""
        buffer = io.BytesIO()
        torch.save(
            {
                "tokenizer": self._tokenizer,
                "shape": asdict(self.model.shape),
                "model": self.model.state_dict(),
                "optimisers": [optimiser.state_dict() for optimiser in self.optimisers],
                "progress": asdict(self.progress),
            },
            buffer,
        )
        write_atomically(folder / "checkpoint.pt", buffer.getvalue())
        write_atomically(folder / "curve.json", json.dumps(self.progress.curve, indent=1) + "\n")

    def load(self, path: Path) -> None:
        """Go on from a checkpoint. Raises FimError where it is of another tokenizer or size."""
        saved = read_checkpoint(path)
        if saved["tokenizer"] != self._tokenizer:
            raise FimError(f"{path} was trained with another tokenizer. Name that one, or another folder with --out.")
        if saved["shape"] != asdict(self.model.shape):
            raise FimError(f"{path} is of another size of model. Name its preset, or another folder with --out.")
        self.model.load_state_dict(saved["model"])
        for optimiser, state in zip(self.optimisers, saved["optimisers"], strict=True):
            optimiser.load_state_dict(state)
        self.progress = Progress(**saved["progress"])


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Return what a run has saved. Raises FimError where there is none."""
    if not zipfile.is_zipfile(path):
        raise FimError(f"{path} is no checkpoint. Make one with: python -m training.train --out {path.parent}")
    saved: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    return saved


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m training.train", description=__doc__.split("\n")[0])
    parser.add_argument("--preset", choices=list(PRESETS), required=True)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="folder of the checkpoint and the loss curve")
    parser.add_argument("--minutes", type=float, required=True, help="of training in all calls together")
    parser.add_argument("--this-call", type=float, default=float("inf"), help="stop this call after so many minutes")
    parser.add_argument("--init", type=Path, help="an exported model to begin with")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    chosen = parser.parse_args(arguments)
    torch.set_num_threads(chosen.threads)
    torch.manual_seed(chosen.seed)
    train(chosen, PRESETS[chosen.preset], LearntVocabulary(chosen.tokenizer))


def train(chosen: argparse.Namespace, preset: Preset, vocabulary: LearntVocabulary) -> None:
    """Train until the run's time, this call's, or a signal ends it. Raises FimError."""
    training = Run(preset, vocabulary, chosen.device)
    checkpoint = chosen.out / "checkpoint.pt"
    if checkpoint.exists():
        training.load(checkpoint)
    elif chosen.init:
        load_gguf(training.model, chosen.init)
    asked = {
        split.value: fixed_batches(chosen.corpus, split, vocabulary, preset) for split in (Split.HELDOUT, Split.UNSEEN)
    }
    hidden = torch.compile(training.model.hidden, dynamic=False)
    with told_to_stop() as stop:
        saved_at = began = time.monotonic()
        for batch in _all_batches(chosen, training, preset, vocabulary):
            started = time.monotonic()
            loss = step(training, hidden, batch.to(chosen.device), preset, chosen.minutes)
            training.progress.seconds += min(time.monotonic() - started, _LONGEST_COUNTED_STEP_S)
            if training.progress.steps % _SAID_EVERY_STEPS == 0:
                _say(training.progress, loss.item(), batch)
            if time.monotonic() - saved_at > _SAVED_EVERY_S:
                saved_at = time.monotonic()
                _score(training, hidden, asked, chosen.device)
                training.save(chosen.out)
            if stop.is_set() or time.monotonic() - began > chosen.this_call * 60:
                break
    if stop.is_set():
        print("interrupted; the same command goes on from here")
    else:
        _score(training, hidden, asked, chosen.device)
    training.save(chosen.out)


def _all_batches(
    chosen: argparse.Namespace, training: Run, preset: Preset, vocabulary: LearntVocabulary
) -> Iterator[Batch]:
    """Yield batches until the run's time is over, with longer rows from phase to phase."""
    total_s = chosen.minutes * 60
    while (share := training.progress.seconds / total_s) < 1:
        length = row_tokens(preset, share)
        for batch in batches(
            chosen.corpus, vocabulary, preset, length, seed=chosen.seed, start=training.progress.steps
        ):
            yield batch
            share = training.progress.seconds / total_s
            if share >= 1 or row_tokens(preset, share) != length:
                break


def step(training: Run, hidden: Any, batch: Batch, preset: Preset, minutes: float) -> Tensor:
    """Take one step; return the mean loss of the tokens in the batch."""
    progress = training.progress
    share = rate_share(preset, progress.steps, progress.seconds / (minutes * 60))
    for optimiser, rate in zip(training.optimisers, training.rates, strict=True):
        for group in optimiser.param_groups:
            group["lr"] = rate * share
    weights = batch.weights(preset.answer_weight)
    with half_precision(batch.inputs.device.type):
        states = hidden(batch.inputs)
    loss, losses = weighted_loss(
        states.reshape(-1, states.shape[-1]),
        training.model.embedding.weight,
        batch.targets.reshape(-1),
        weights.reshape(-1),
    )
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(training.model.others(), 1.0)
    for optimiser in training.optimisers:
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
    counted = (batch.roles > 0).reshape(-1)
    progress.steps += 1
    progress.tokens += int(batch.counted)
    return losses[counted].mean()


def half_precision(device: str) -> AbstractContextManager[Any]:
    """Return the context in which matrices multiply in bfloat16."""
    return torch.autocast(device, torch.bfloat16)


def _score(training: Run, hidden: Any, asked: dict[str, list[Batch]], device: str) -> None:
    """Add a point to the loss curve and say it."""
    progress = training.progress
    point = {"minutes": progress.seconds / 60, "steps": progress.steps, "tokens": progress.tokens}
    for split, held in asked.items():
        with half_precision(device):
            found = scores(training.model, hidden, [batch.to(device) for batch in held])
        point |= {f"{split}_{name}": round(value, 4) for name, value in found.items()}
    progress.curve.append(point)
    print(json.dumps(point), flush=True)


def _say(progress: Progress, loss: float, batch: Batch) -> None:
    print(
        f"{progress.seconds / 60:6.1f} min  step {progress.steps}  {progress.tokens / 1e6:.2f} M tokens  "
        f"loss {loss:.3f}  {progress.tokens / max(1, progress.seconds):.0f} tokens/s  rows of {batch.inputs.shape[1]}",
        flush=True,
    )


if __name__ == "__main__":
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    run(main)
