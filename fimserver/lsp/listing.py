"""Turn the models on this machine, and those that can be had, into a list from which an editor lets its user choose."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from fimserver.lsp.session import Session
from fimserver.models.catalogue import Choice, catalogue, usual_file
from fimserver.models.found import InstalledModel, installed_models
from fimserver.models.store import EMBEDDED_ID, embedded_model, file_of

Use = Literal["completion", "chat"]


@dataclass(frozen=True, slots=True)
class ListArguments:
    """What the models are wanted for."""

    use: Use = "completion"


@dataclass(frozen=True, slots=True)
class Listed:
    """A model. `name` is what the settings take, and `fimserver.pullModel` where the model is not here yet."""

    name: str
    bytes: int
    here: bool
    about: str  # the program that keeps it; of one that is not here, its licence


async def list_models(_: Session, arguments: ListArguments) -> list[dict[str, Any]]:
    """Return the models for a use, those on this machine first."""
    installed = await asyncio.to_thread(installed_models)
    return [asdict(model) for model in _listed(arguments.use, installed)]


def _listed(use: Use, installed: Sequence[InstalledModel]) -> Iterator[Listed]:
    if use == "completion":
        yield Listed(EMBEDDED_ID, embedded_model().stat().st_size, here=True, about="comes with fimserver, to try it")
    for found in installed:
        yield Listed(str(found.path), found.bytes, here=True, about=found.program)
    for model in catalogue().values():
        file = usual_file(model)
        if use in model.uses and file is not None and file_of(Choice(model, file), installed) is None:
            yield Listed(model.id, file.bytes, here=False, about=model.licence)
