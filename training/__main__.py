"""Make the embedded model from what is installed: every step, one after the other. What is done already is kept.

python -m training --out build/training --site .venv/lib/python3.11/site-packages --minutes 120
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from training import evaluate, export, prepare, tokenizer, train
from training.command import run
from training.presets import PRESETS

EMBEDDED = Path(__file__).parents[1] / "fimserver" / "models" / "embedded" / "tiny-fim.gguf"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m training", description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, required=True, help="folder of everything that is made")
    parser.add_argument("--site", action="append", default=[], help="a site-packages folder; repeatable")
    parser.add_argument("--library", action="append", default=[], help="another Python's library folder; repeatable")
    parser.add_argument("--preset", choices=list(PRESETS), default="cpu")
    parser.add_argument("--minutes", default="120", help="of training")
    parser.add_argument("--count", default="600", help="holes to score with, on each side of the split")
    parser.add_argument(
        "--from-scratch", action="store_true", help="with a tokenizer of its own, not from the last model"
    )
    chosen = parser.parse_args(arguments)
    out, model = chosen.out, chosen.out / "tiny-fim.gguf"
    corpus, words = ["--corpus", str(out)], ["--tokenizer", str(out / "tokenizer.json")]
    if not (out / "manifest.json").exists():
        sites = [argument for folder in chosen.site for argument in ("--site", folder)]
        libraries = [argument for folder in chosen.library for argument in ("--library", folder)]
        prepare.main(["--out", str(out), *sites, *libraries])
    if not (out / "tokenizer.json").exists():
        source = corpus if chosen.from_scratch else ["--model", str(EMBEDDED)]
        tokenizer.main([*source, "--out", str(out / "tokenizer.json")])
    beginning = [] if chosen.from_scratch else ["--init", str(EMBEDDED)]
    training = ["--preset", chosen.preset, "--minutes", chosen.minutes, "--out", str(out / "run"), *beginning]
    train.main([*corpus, *words, *training])
    export.main([*corpus, *words, "--run", str(out / "run"), "--out", str(model)])
    evaluate.main([*corpus, "--model", str(model), "--out", str(out / "scores"), "--count", chosen.count])


if __name__ == "__main__":
    run(main)
