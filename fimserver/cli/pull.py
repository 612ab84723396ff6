"""Turn a model's name into a verified file on this machine, and show how far that is."""

from pathlib import Path

import click

from fimserver.cli import output
from fimserver.cli.completion import complete_model
from fimserver.cli.progress import downloads, told
from fimserver.models.download import Progress, pull


@click.command("pull")
@click.argument("name", metavar="ID|hf:OWNER/REPOSITORY/FILE", shell_complete=complete_model)
@click.option("--to", type=click.Path(path_type=Path, file_okay=False), metavar="FOLDER", help="Folder to put it into.")
@click.option("--login", is_flag=True, help="Use the login of `hf auth login`, for repositories that ask for one.")
@click.option("--json", "as_json", is_flag=True, help="Print where the file is, and its name for use, as JSON.")
def pull_command(name: str, to: Path | None, login: bool, as_json: bool) -> None:
    """Download a model, verified; a download that was cut off goes on where it was.

    Takes an id that `fimserver models` lists, or a file of the Hugging Face hub.
    """
    path = pulled(name, to=to, login=login)
    usable_name = str(path) if to or name.startswith("hf:") else name
    if as_json:
        output.as_json({"path": str(path), "name": usable_name})
    else:
        output.line(f"{path} is here and sound. Use it: fimserver use {usable_name}")


def pulled(name: str, *, to: Path | None = None, login: bool = False) -> Path:
    """Download a model, with its progress on standard error, and return its file. Raises ModelError."""
    waiting = "The hub is asked, and asked again if it does not answer."
    with told(lambda: waiting), downloads() as show:

        def on_progress(progress: Progress) -> None:
            nonlocal waiting
            waiting = ""
            show(progress.name, progress.done_bytes, progress.total_bytes)

        path = pull(name, to=to, token=login, on_progress=on_progress)
    assert path is not None  # nobody cancels it
    return path
