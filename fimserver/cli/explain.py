"""Turn a model into what each of its files costs on this machine: bits per weight, memory, the context that fits."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from fimserver.cli import output
from fimserver.models.catalogue import CatalogueModel, Choice, catalogue, choice_named
from fimserver.models.cost import (
    KV_BITS,
    Cost,
    bits_per_weight,
    cost_of,
    cost_of_choice,
    fitting_context,
    kv_bytes,
    memory_bytes,
)
from fimserver.models.found import installed_models
from fimserver.models.hardware import Machine, tokens_per_s
from fimserver.models.partial import gigabytes
from fimserver.models.store import check_model, file_of, resolve
from fimserver.settings import EngineSettings

_KV_SAMPLE_TOKENS = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class FileCost:
    """What one file costs. `context_tokens` is the longest context that fits, by type of the KV cache; 0: none does."""

    file: str
    path: str | None
    bytes: int
    bits_per_weight: float
    memory_bytes: int
    tokens_per_s: float
    context_tokens: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """A model and its files. `kv_bytes` are those of 1,000 tokens, by type of the KV cache."""

    name: str
    billions: float
    trained_tokens: int
    licence: str | None
    kv_bytes: Mapping[str, int]
    usable_bytes: int
    files: Sequence[FileCost]
    note: str = ""


def show_explained(name: str, engine: EngineSettings, machine: Machine, *, as_json: bool) -> None:
    """Print what a model of the catalogue, or a file on this machine, costs here. Raises ModelError."""
    explained = explain(name, engine, machine)
    if as_json:
        output.as_json(asdict(explained))
    else:
        _print(explained, engine)


def explain(name: str, engine: EngineSettings, machine: Machine) -> Explained:
    """Return what a name of the catalogue, with or without a quantisation, or a file costs. Raises ModelError."""
    model = catalogue().get(name.partition(":")[0].lower())
    if model is None or not model.files:
        return _of_file(resolve(name), engine, machine)
    chosen = [choice_named(name)] if ":" in name else [Choice(model, file) for file in model.files]
    return _of_catalogue(model, chosen, engine, machine)


def _of_catalogue(
    model: CatalogueModel, chosen: Sequence[Choice], engine: EngineSettings, machine: Machine
) -> Explained:
    installed = installed_models()
    files = [
        _file_cost(
            cost_of_choice(choice),
            engine,
            machine,
            file=choice.file.quant,
            path=file_of(choice, installed),
            bits=choice.bits_per_weight,
            trained_tokens=model.context_tokens,
        )
        for choice in chosen
    ]
    return Explained(
        name=model.id,
        billions=model.billions,
        trained_tokens=model.context_tokens,
        licence=model.licence,
        kv_bytes=_kv_sample(cost_of_choice(chosen[0])),
        usable_bytes=machine.usable_bytes,
        files=files,
        note=model.note,
    )


def _of_file(path: Path, engine: EngineSettings, machine: Machine) -> Explained:
    gguf = check_model(path)
    cost, trained_tokens = cost_of(gguf), gguf.number("context_length")
    file = _file_cost(
        cost,
        engine,
        machine,
        file=path.name,
        path=path,
        bits=bits_per_weight(gguf),
        trained_tokens=trained_tokens,
    )
    return Explained(
        name=gguf.text("general.name") or path.stem,
        billions=gguf.parameters / 1e9,
        trained_tokens=trained_tokens,
        licence=gguf.text("general.license") or None,
        kv_bytes=_kv_sample(cost),
        usable_bytes=machine.usable_bytes,
        files=[file],
    )


def _file_cost(
    cost: Cost,
    engine: EngineSettings,
    machine: Machine,
    *,
    file: str,
    path: Path | None,
    bits: float,
    trained_tokens: int,
) -> FileCost:
    fitting = {kv_type: fitting_context(cost, machine.usable_bytes, kv_type) for kv_type in KV_BITS}
    return FileCost(
        file=file,
        path=str(path) if path else None,
        bytes=cost.weights_bytes,
        bits_per_weight=round(bits, 2),
        memory_bytes=memory_bytes(cost, engine.context_tokens, engine.kv_type),
        tokens_per_s=round(tokens_per_s(cost, machine), 1),
        context_tokens={kv_type: min(tokens, trained_tokens) for kv_type, tokens in fitting.items()},
    )


def _kv_sample(cost: Cost) -> dict[str, int]:
    return {kv_type: kv_bytes(cost, _KV_SAMPLE_TOKENS, kv_type) for kv_type in KV_BITS}


def _print(explained: Explained, engine: EngineSettings) -> None:
    licence = f", licence {explained.licence}" if explained.licence else ""
    output.line(
        (explained.name, output.GOOD),
        f": {explained.billions:.2f} billion weights, trained for {explained.trained_tokens:,} tokens{licence}",
    )
    kept = ", ".join(f"{count / 1e6:.1f} MB as {kv_type}" for kv_type, count in explained.kv_bytes.items())
    output.line(f"Keys and values of 1,000 tokens take {kept} (engine.kv_type).")
    output.line(f"A model may use {gigabytes(explained.usable_bytes)} here: three quarters of the memory that is free.")
    if explained.note:
        output.line(explained.note)
    output.line()
    headings = (
        "file",
        "size",
        "bits per weight",
        f"memory at {engine.context_tokens:,} tokens",
        *(f"longest context, {kv_type}" for kv_type in KV_BITS),
        "tokens/s",
        "where",
    )
    output.columns([[(heading, output.FAINT) for heading in headings], *map(_cells, explained.files)])


def _cells(file: FileCost) -> list[output.Part]:
    return [
        file.file,
        gigabytes(file.bytes),
        f"{file.bits_per_weight:.2f}",
        gigabytes(file.memory_bytes),
        *(f"{tokens:,}" if tokens else "no" for tokens in file.context_tokens.values()),
        f"{file.tokens_per_s:.0f}",
        (file.path or "", output.FAINT),
    ]
