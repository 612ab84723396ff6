"""Score a model through the product on files it has never read: `fimserver bench quality` on each side of the split.

python -m training.evaluate --corpus build/corpus --model build/tiny-fim.gguf --out build/scores --count 600
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fimserver.errors import FimError
from fimserver.files import write_atomically
from training.command import run
from training.corpus import Split, read_corpus


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m training.evaluate", description=__doc__.split("\n")[0])
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True, action="append", help="a GGUF file; repeatable")
    parser.add_argument("--out", type=Path, required=True, help="folder of the files asked about and of every answer")
    parser.add_argument("--count", type=int, default=300, help="holes on each side")
    parser.add_argument("--seed", type=int, default=11)
    chosen = parser.parse_args(arguments)
    for split in (Split.HELDOUT, Split.UNSEEN):
        folder = write_files(chosen.corpus, split, chosen.out / split)
        for number, model in enumerate(chosen.model, 1):
            figures = _bench(model, folder, chosen.out / f"{split}-{number}.json", chosen.count, chosen.seed)
            print(_line(model, split, figures), flush=True)


def write_files(corpus: Path, split: Split, folder: Path) -> Path:
    """Write a split's files below a folder, as `package/path`. Raises FimError where there are none."""
    sources = read_corpus(corpus, split)
    if not sources:
        raise FimError(f"The corpus {corpus} has no {split} file. Prepare it from more packages: --site, --library")
    for source in sources:
        write_atomically(folder / source.package / source.path, source.text)
    return folder


def _bench(model: Path, folder: Path, answers: Path, count: int, seed: int) -> Mapping[str, Any]:
    command = [sys.executable, "-m", "fimserver", "--model", str(model), "bench", "quality", "--json"]
    command += ["--repo", str(folder), "--count", str(count), "--seed", str(seed), "--answers", str(answers)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise FimError(f"`fimserver bench quality` failed on {model}: {done.stderr.strip()}")
    figures: Mapping[str, Any] = json.loads(done.stdout)
    return figures


def _line(model: Path, split: Split, figures: Mapping[str, Any]) -> str:
    raw = figures["raw"]
    return (
        f"{model} {split}: exact {raw['exact_match']:.1%} ±{raw['exact_match_plus_minus']:.1%} of {raw['cases']}, "
        f"shown {figures['shown_rate']:.1%}, right when shown {figures['precision_when_shown']:.1%}, "
        f"median {figures['median_ms']:.0f} ms"
    )


if __name__ == "__main__":
    run(main)
