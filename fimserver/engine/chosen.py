"""Say how the engine runs with given options on this machine, and why: for people, `fimserver doctor` prints it.

python -m fimserver.engine.chosen '{"model_path": …}'     prints a JSON list of sentences
"""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fimserver.engine.loading import load_options, speeds_key
from fimserver.engine.measured import recall
from fimserver.engine.native import can_use_gpu
from fimserver.engine.speed import choose_threads, usable_cores
from fimserver.engine.threads import thread_candidates
from fimserver.engine.wire import EngineOptions, decode_options


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What the choices depend on. `repack` is None where nobody has tried yet."""

    cores: int
    threads: int  # as many as can be spared
    gpu: bool
    file_bytes: int
    repack: bool | None


def chosen(options: EngineOptions, machine: Machine) -> list[str]:
    """Return a sentence for each thing that was chosen."""
    return [say(options, machine) for say in SENTENCES]


def threads(options: EngineOptions, machine: Machine) -> str:
    """Say how many threads compute."""
    if options.threads:
        return f"threads: {options.threads}, as set"
    counts = thread_candidates(0, machine.threads, machine.file_bytes)
    cores = "one core" if machine.cores == 1 else f"{machine.cores} cores"
    spared = ", one of which is left to the editor" if machine.threads < machine.cores else ""
    quickest = "" if len(counts) == 1 else ", whichever is quickest at the moment"
    return f"threads: {' or '.join(map(str, counts))}{quickest}; this machine has {cores}{spared}"


def gpu_layers(options: EngineOptions, machine: Machine) -> str:
    """Say what is computed by a GPU."""
    if not machine.gpu:
        return "GPU layers: none, for this llama.cpp was built without one"
    if options.gpu_layers < 0:
        return "GPU layers: all that fit"
    return f"GPU layers: {options.gpu_layers}, as set"


def flash_attention(options: EngineOptions, machine: Machine) -> str:
    """Say whether flash attention is used."""
    used = load_options(options, gpu=machine.gpu).flash_attention
    if options.flash_attention != "auto":
        return f"flash attention: {used}, as set"
    return (
        "flash attention: off, for a CPU is quicker without where the cache is quantised"
        if used == "off"
        else "flash attention: on where it can be"
    )


def kv_type(options: EngineOptions, machine: Machine) -> str:  # noqa: ARG001
    """Say what the KV cache is made of."""
    usual = options.kv_type == EngineOptions(model_path="").kv_type
    return f"KV cache: {options.kv_type}, {'for smaller ones are read more slowly' if usual else 'as set'}"


def weights(options: EngineOptions, machine: Machine) -> str:  # noqa: ARG001
    """Say whether the weights are repacked for this CPU."""
    if machine.repack is None:
        return "weights: as in the file; repacking those of a large model is tried once the engine is idle"
    return "weights: repacked, which is quicker here" if machine.repack else "weights: as in the file"


SENTENCES: tuple[Callable[[EngineOptions, Machine], str], ...] = (
    threads,
    gpu_layers,
    flash_attention,
    kv_type,
    weights,
)


def _machine(options: EngineOptions) -> Machine:
    gpu = can_use_gpu()
    known = recall(speeds_key(load_options(options, gpu=gpu)))
    return Machine(
        cores=usable_cores(),
        threads=choose_threads(0),
        gpu=gpu,
        file_bytes=Path(options.model_path).stat().st_size,
        repack=known.repack if known else None,
    )


if __name__ == "__main__":
    wanted = decode_options(json.loads(sys.argv[1]))
    print(json.dumps(chosen(wanted, _machine(wanted))))  # noqa: T201 - this is the process's answer
