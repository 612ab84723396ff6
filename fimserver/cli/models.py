"""Turn the models on this machine and in the catalogue into a list, a download, and the user's choice among them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from fimserver.cli import output
from fimserver.cli.choice import Choice
from fimserver.cli.settings_file import write_setting
from fimserver.errors import ModelError
from fimserver.models.catalogue import CatalogueModel, catalogue, usual_file
from fimserver.models.catalogue import Choice as Named
from fimserver.models.found import InstalledModel, installed_models
from fimserver.models.store import EMBEDDED_ID, embedded_model, file_of, resolve


@click.command("models")
@click.option("--chat", is_flag=True, help="List models for review, edit and chat instead.")
@click.option("--json", "as_json", is_flag=True, help="Print the same as a JSON list.")
@click.pass_obj
def models_command(choice: Choice, chat: bool, as_json: bool) -> None:
    """List the models that are installed and those that can be had.

    Installed are also those of other programs, which are used where they lie. The chosen one is marked.
    """
    rows = list(_rows(choice, "chat" if chat else "completion"))
    if as_json:
        output.as_json([row.as_values() for row in rows])
    else:
        output.columns([[(heading, output.FAINT) for heading in _HEADINGS], *(row.cells() for row in rows)])


@click.command("pull")
@click.argument("name", metavar="ID|hf:OWNER/REPOSITORY/FILE")
@click.option("--to", type=click.Path(path_type=Path, file_okay=False), metavar="FOLDER", help="Folder to put it into.")
@click.option("--login", is_flag=True, help="Use the login of `hf auth login`, for repositories that ask for one.")
def pull_command(name: str, to: Path | None, login: bool) -> None:
    """Download a model, verified; a download that was cut off goes on where it was.

    Takes an id that `fimserver models` lists, or a file of the Hugging Face hub.
    """
    from fimserver.models.download import Progress, pull

    with output.progress() as show:

        def on_progress(progress: Progress) -> None:
            show(progress.name, progress.done_bytes, progress.total_bytes)

        path = pull(name, to=to, token=login, on_progress=on_progress)
    output.line(f"{path} is here and sound. Use it: fimserver use {name if to is None else path}")


@click.command("use")
@click.argument("name", metavar="ID|FILE")
@click.option("--chat", is_flag=True, help="For review, edit and chat instead of completion.")
@click.pass_obj
def use_command(choice: Choice, name: str, chat: bool) -> None:
    """Choose the model that answers from now on.

    Takes a name that `fimserver models` lists as installed, the path of a GGUF file, or `embedded`.
    """
    path = resolve(name)
    value = "" if name == EMBEDDED_ID else str(path) if Path(name).expanduser().is_file() else name
    write_setting(choice.settings_file, "model", "chat" if chat else "completion", value)
    output.line(f"{path} answers from now on; open editors follow when their server is started again.")


_HEADINGS = ("", "model", "size", "context", "licence", "where")
_COMMERCIAL = {"yes": "", "no": " (not for commercial use)", "conditional": " (commercial use: see its text)"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """A model as the list shows it; one with a path is installed."""

    name: str
    path: Path | None
    chosen: bool
    bytes: int
    where: str
    known: CatalogueModel | None

    def as_values(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "path": self.path and str(self.path),
            "chosen": self.chosen,
            "bytes": self.bytes,
            "context_tokens": self.known and self.known.context_tokens,
            "licence": self.known and self.known.licence,
            "commercial": self.known and self.known.commercial,
        }

    def cells(self) -> list[output.Part]:
        context = f"{self.known.context_tokens // 1024} k" if self.known else ""
        licence = self.known.licence.partition(" (")[0] + _COMMERCIAL[self.known.commercial] if self.known else ""
        mark = ("*", output.GOOD) if self.chosen else ""
        return [mark, self.name, f"{self.bytes / 1e9:.2f} GB", context, licence, (self.where, output.FAINT)]


def _rows(choice: Choice, use: str) -> Iterator[_Row]:
    """Yield the embedded model, what is installed, and what the catalogue has besides."""
    chosen = _chosen(choice, use)
    installed = installed_models()
    known = {path: model for model in _models_for(use) if (path := _path_of(model, installed)) is not None}
    if use == "completion":
        path = embedded_model()
        size = path.stat().st_size
        yield _Row(name=EMBEDDED_ID, path=path, chosen=path == chosen, bytes=size, where="a demonstrator", known=None)
    for found in installed:
        yield _Row(
            name=found.name,
            path=found.path,
            chosen=found.path == chosen,
            bytes=found.bytes,
            where=f"installed, {found.program}",
            known=known.get(found.path),
        )
    for model in _models_for(use):
        file = usual_file(model)
        if file is not None and model not in known.values():
            where = f"fimserver pull {model.id}"
            yield _Row(name=model.id, path=None, chosen=False, bytes=file.bytes, where=where, known=model)


def _models_for(use: str) -> list[CatalogueModel]:
    return [model for model in catalogue().values() if use in model.uses]


def _path_of(model: CatalogueModel, installed: Sequence[InstalledModel]) -> Path | None:
    """Return where one of a catalogue model's files is installed."""
    return next(filter(None, (file_of(Named(model, file), installed) for file in model.files)), None)


def _chosen(choice: Choice, use: str) -> Path | None:
    setting = choice.settings.model.completion if use == "completion" else choice.settings.model.chat
    try:
        return resolve(setting) if setting or use == "completion" else None
    except ModelError:
        return None  # the list shows what else there is
