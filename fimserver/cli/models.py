"""Turn the models on this machine and those of the catalogue into a list: what each costs here, and who may use it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from fimserver.cli import output
from fimserver.cli.choice import Choice
from fimserver.cli.explain import show_explained
from fimserver.errors import ModelError
from fimserver.models.catalogue import CatalogueModel, catalogue, usual_file
from fimserver.models.catalogue import Choice as Known
from fimserver.models.cost import Cost, cost_of, cost_of_choice, memory_bytes
from fimserver.models.found import InstalledModel, installed_models
from fimserver.models.hardware import Machine, this_machine, tokens_per_s
from fimserver.models.store import EMBEDDED_ID, check_model, embedded_model, file_of, resolve
from fimserver.settings import EngineSettings

# Long enough to tell a quick memory from a slow one; `fimserver recommend` measures longer.
_PROBE_S = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A model as it is listed: installed if it has a path. What is unknown is None; memory and speed are predicted."""

    name: str
    path: str | None
    chosen: bool
    bytes: int
    memory_bytes: int | None
    tokens_per_s: float | None
    context_tokens: int | None
    licence: str | None
    commercial: str | None
    scores: Mapping[str, float]
    where: str


@click.command("models")
@click.option("--chat", is_flag=True, help="List models for review, edit and chat instead.")
@click.option("--explain", metavar="ID|FILE", help="Show what each file of one model costs here, and what fits.")
@click.option("--json", "as_json", is_flag=True, help="Print the same as JSON.")
@click.pass_obj
def models_command(choice: Choice, chat: bool, explain: str | None, as_json: bool) -> None:
    """List the models that are installed and those that can be had.

    Installed are also those of other programs, which are used where they lie. The chosen one is marked. Memory and
    tokens a second are predicted for this machine; "exact" is the published share of exact answers on CrossCodeEval.
    """
    if explain is not None:
        show_explained(explain, choice.settings.engine, this_machine(_PROBE_S), as_json=as_json)
        return
    listed = list(_listed(choice, "chat" if chat else "completion"))
    if as_json:
        output.as_json([asdict(model) for model in listed])
    else:
        output.columns([[(heading, output.FAINT) for heading in _HEADINGS], *map(_cells, listed)])


def _listed(choice: Choice, use: str) -> Iterator[Listed]:
    """Yield the embedded model, what is installed, and what the catalogue has besides."""
    machine, engine = this_machine(_PROBE_S), choice.settings.engine
    chosen, installed = _chosen(choice, use), installed_models()
    models = [model for model in catalogue().values() if use in model.uses]
    known = {path: model for model in models if (path := _path_of(model, installed)) is not None}
    if use == "completion":
        found = InstalledModel(EMBEDDED_ID, embedded_model(), "a demonstrator", embedded_model().stat().st_size)
        installed.insert(0, found)
    for found in installed:
        yield _installed(found, chosen, known.get(found.path), machine, engine)
    for model in models:
        file = usual_file(model)
        if file is not None and model not in known.values():
            yield _available(Known(model, file), machine, engine)


def _installed(
    found: InstalledModel, chosen: Path | None, known: CatalogueModel | None, machine: Machine, engine: EngineSettings
) -> Listed:
    try:
        cost = cost_of(check_model(found.path))
    except ModelError:
        cost = None  # it is damaged; `fimserver use` says how
    return Listed(
        name=found.name,
        path=str(found.path),
        chosen=found.path == chosen,
        bytes=cost.weights_bytes if cost else found.bytes,
        memory_bytes=_memory(cost, engine) if cost else None,
        tokens_per_s=_speed(cost, machine) if cost else None,
        context_tokens=known.context_tokens if known else None,
        licence=known.licence if known else None,
        commercial=known.commercial if known else None,
        scores=known.scores if known else {},
        where=found.program,
    )


def _available(known: Known, machine: Machine, engine: EngineSettings) -> Listed:
    cost = cost_of_choice(known)
    return Listed(
        name=known.model.id,
        path=None,
        chosen=False,
        bytes=known.file.bytes,
        memory_bytes=_memory(cost, engine),
        tokens_per_s=_speed(cost, machine),
        context_tokens=known.model.context_tokens,
        licence=known.model.licence,
        commercial=known.model.commercial,
        scores=known.model.scores,
        where=f"fimserver pull {known.model.id}",
    )


def _memory(cost: Cost, engine: EngineSettings) -> int:
    return memory_bytes(cost, engine.context_tokens, engine.kv_type)


def _speed(cost: Cost, machine: Machine) -> float:
    return round(tokens_per_s(cost, machine), 1)


def _path_of(model: CatalogueModel, installed: Sequence[InstalledModel]) -> Path | None:
    """Return where one of a catalogue model's files is installed."""
    return next(filter(None, (file_of(Known(model, file), installed) for file in model.files)), None)


def _chosen(choice: Choice, use: str) -> Path | None:
    setting = choice.settings.model.completion if use == "completion" else choice.settings.model.chat
    try:
        return resolve(setting) if setting or use == "completion" else None
    except ModelError:
        return None  # the list shows what else there is


# The one that most models have; --json prints all of them.
_SCORE = "crosscodeeval"

_HEADINGS = ("", "model", "size", "memory", "tokens/s", "exact", "context", "licence", "where")
_COMMERCIAL = {"yes": "", "no": " (not for commercial use)", "conditional": " (commercial use: see its text)"}


def _cells(model: Listed) -> list[output.Part]:
    return [
        ("*", output.GOOD) if model.chosen else "",
        model.name,
        f"{model.bytes / 1e9:.2f} GB",
        f"{model.memory_bytes / 1e9:.1f} GB" if model.memory_bytes else "",
        f"{model.tokens_per_s:.0f}" if model.tokens_per_s else "",
        f"{model.scores[_SCORE]:.1f} %" if _SCORE in model.scores else "",
        f"{model.context_tokens // 1024} k" if model.context_tokens else "",
        model.licence.partition(" (")[0] + _COMMERCIAL[model.commercial or "yes"] if model.licence else "",
        (model.where, output.FAINT),
    ]
