"""`fimserver bench make-model`: a random model that is as large and as slow as a real one, without a download."""

from pathlib import Path

import click

from fimserver.bench.make_model import make_model
from fimserver.bench.shapes import QUANTISATIONS, SHAPES
from fimserver.cli import output
from fimserver.models.partial import gigabytes


@click.command("make-model")
@click.option("--shape", type=click.Choice(list(SHAPES)), required=True, help="The model it is as large as.")
@click.option("--quant", type=click.Choice(list(QUANTISATIONS)), default="Q4_K_M", show_default=True)
@click.option("--vocab", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="GGUF to take tokens from.")
@click.option("--seed", default=0, show_default=True, help="Another seed makes other weights.")
@click.argument("out", type=click.Path(dir_okay=False, path_type=Path))
def bench_make_model_command(shape: str, quant: str, vocab: Path | None, seed: int, out: Path) -> None:
    """Write a model of random weights to OUT: it takes what the real one takes, and writes nonsense.

    Without --vocab its vocabulary is made up, and of the same size.
    """
    path = make_model(out, SHAPES[shape], quant, vocab, seed)
    output.line(f"{path}: {gigabytes(path.stat().st_size)}. Use it: fimserver --model {path} …")
