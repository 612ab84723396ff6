"""`fimserver bench make-model`: a random model that is as large and as slow as a real one, without a download."""

from pathlib import Path

import click

from fimserver.bench.make_model import make_model
from fimserver.bench.shapes import QUANTISATIONS, SHAPES
from fimserver.cli import output
from fimserver.cli.progress import told
from fimserver.models.partial import gigabytes


@click.command("make-model")
@click.option("--shape", type=click.Choice(list(SHAPES)), required=True, help="The model it is as large as.")
@click.option("--quant", type=click.Choice(list(QUANTISATIONS)), default="Q4_K_M", show_default=True)
@click.option("--vocab", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="GGUF to take tokens from.")
@click.option("--seed", default=0, show_default=True, help="Another seed makes other weights.")
@click.option("--json", "as_json", is_flag=True, help="Print where it is, and its size, as JSON.")
@click.argument("out", type=click.Path(dir_okay=False, path_type=Path))
def bench_make_model_command(shape: str, quant: str, vocab: Path | None, seed: int, as_json: bool, out: Path) -> None:
    """Write a model of random weights to OUT: it takes what the real one takes, and writes nonsense.

    Without --vocab its vocabulary is made up, and of the same size.
    """
    with told(lambda: f"{gigabytes(out.stat().st_size if out.exists() else 0)} are written."):
        path = make_model(out, SHAPES[shape], quant, vocab, seed)
    if as_json:
        output.as_json({"path": str(path), "bytes": path.stat().st_size})
        return
    output.line(f"{path}: {gigabytes(path.stat().st_size)}. Use it: fimserver --model {path} …")
