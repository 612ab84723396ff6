"""Turn `catalogue.toml` into the models that can be named: what each is good for, may be used for, and weighs."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache
from importlib import resources
from typing import Any

from fimserver.errors import ModelMissing


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFile:
    """One file of a model. `name` may hold a `*` where only its pattern is known; `seen` says that it is exact."""

    quant: str
    bytes: int
    repository: str
    name: str
    seen: bool = True
    published: bool = False  # the size; else it follows from the model's shape


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueModel:
    """One model. Scores are percent; see the head of catalogue.toml for what they count."""

    id: str
    uses: tuple[str, ...]  # "completion", "chat"
    licence: str
    commercial: str  # "yes", "conditional" or "no"
    billions: float
    context_tokens: int
    repository: str = ""
    active_billions: float = 0.0  # of a mixture of experts, what one token passes through; 0: all of it
    profile: str = ""
    kv_bytes_per_token: int = 0  # at 16 bits; 0 where unknown
    vocabulary: int = 0
    scores: Mapping[str, float] = field(default_factory=dict)
    scores_from: str = ""
    note: str = ""
    files: tuple[ModelFile, ...] = ()

    @property
    def active_share(self) -> float:
        """Return the share of the weights that one token passes through."""
        return (self.active_billions or self.billions) / self.billions

    def file_of(self, quant: str) -> ModelFile | None:
        """Return the file of a quantisation, if the catalogue names one."""
        return next((file for file in self.files if file.quant.lower() == quant.lower()), None)


@dataclass(frozen=True, slots=True)
class Choice:
    """A model and one of its files."""

    model: CatalogueModel
    file: ModelFile

    @property
    def id(self) -> str:
        """Return the name by which `pull` and `use` know this choice: the model's id, `:`, the quantisation."""
        return f"{self.model.id}:{self.file.quant}"

    @property
    def bits_per_weight(self) -> float:
        """Return the bits a weight takes in this file, all included."""
        return self.file.bytes * 8 / (self.model.billions * 1e9)


@cache
def catalogue() -> Mapping[str, CatalogueModel]:
    """Return all models, by id, in the catalogue's order."""
    text = (resources.files("fimserver.models") / "catalogue.toml").read_text("utf-8")
    return {row["id"]: _model(row) for row in tomllib.loads(text)["model"]}


def choice_named(name: str) -> Choice:
    """Return the model and file that `qwen2.5-coder-1.5b` or `qwen2.5-coder-1.5b:Q4_K_M` names.

    Without a quantisation it is the usual one. Raises ModelMissing where the catalogue has no such model or file.
    """
    model_id, _, quant = name.partition(":")
    model = catalogue().get(model_id.lower())
    if model is None:
        raise ModelMissing(_unknown(model_id))
    file = model.file_of(quant) if quant else usual_file(model)
    if file is None:
        raise ModelMissing(_without_file(model, quant))
    return Choice(model, file)


# Below two billion weights a higher quantisation is worth more than its bytes, above that a bigger model is.
_USUAL_SMALL = ("Q8_0", "Q6_K", "Q4_K_M")
_USUAL_LARGE = ("Q4_K_M", "Q4_K_S", "Q8_0")
_SMALL_BILLIONS = 2.0


def usual_file(model: CatalogueModel) -> ModelFile | None:
    """Return the file to take where nobody says which."""
    wanted = _USUAL_SMALL if model.billions < _SMALL_BILLIONS else _USUAL_LARGE
    return next(filter(None, map(model.file_of, wanted)), next(iter(model.files), None))


def choices(use: str = "completion") -> Iterator[Choice]:
    """Yield every file of every model for one use, in the catalogue's order."""
    for model in catalogue().values():
        if use in model.uses:
            yield from (Choice(model, file) for file in model.files)


def _model(row: Mapping[str, Any]) -> CatalogueModel:
    files = tuple(ModelFile(**file) for file in row.get("files", ()))
    return CatalogueModel(**{**row, "uses": tuple(row["uses"]), "files": files})


def _unknown(model_id: str) -> str:
    near = get_close_matches(model_id.lower(), catalogue(), n=3, cutoff=0.6)
    hint = f"Did you mean {' or '.join(near)}? " if near else ""
    return (
        f"There is no model {model_id!r} in the catalogue, and no file of that name. {hint}List them: fimserver models"
    )


def _without_file(model: CatalogueModel, quant: str) -> str:
    known = ", ".join(file.quant for file in model.files)
    if known:
        return f"{model.id} has no file {quant!r}; it has {known}. Get one with: fimserver pull {model.id}"
    where = f"Choose one of its repository: fimserver pull hf:{model.repository or 'OWNER/REPOSITORY'}/FILE"
    return f"The catalogue names no file of {model.id}. {where}"
