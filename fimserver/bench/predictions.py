"""Turn random models of real shapes into how far what is predicted of models lies from what they really take.

Each model is written, loaded by our own engine, asked to write, and deleted. Its file and its memory are compared with
what the catalogue promises before a download; its speed with what the speed of the model before it lets expect.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from pathlib import Path

from fimserver.bench.make_model import make_model
from fimserver.bench.shapes import SHAPES
from fimserver.engine.client import EngineClient
from fimserver.engine.interface import GenerateRequest, Prompt, Segment
from fimserver.errors import FimError
from fimserver.models.calibration import Rates, rates_shown
from fimserver.models.catalogue import Choice, choice_named
from fimserver.models.cost import cost_of, cost_of_choice, memory_bytes
from fimserver.models.gguf import read_gguf
from fimserver.models.hardware import Machine, resident_bytes, tokens_per_s
from fimserver.settings import EngineSettings

# Three shapes whose files, keys and values, and number formats differ most among those of a gigabyte or less.
USUAL = ("qwen2.5-coder-0.5b:Q8_0", "qwen2.5-coder-1.5b:Q4_K_M", "deepseek-coder-1.3b-base:Q4_K_M")

# So many tokens are written behind so many, each time another text, until the speed is known.
_WRITTEN_TOKENS = 96
_ASKED_AT_MOST = 24
_PROMPT = "def total(prices: list[int]) -> int:\n    return sum(prices)\n\n\n"
_PROMPT_TIMES = 24
_CONTEXT_TOKENS = 512  # about what stands there then


@dataclass(frozen=True, slots=True)
class Compared:
    """A prediction and the measurement."""

    predicted: float
    measured: float

    @property
    def error(self) -> float:
        """Return by which share of the measured value the prediction is wrong; above 0 where it is too high."""
        return self.predicted / self.measured - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """One model as it ran here, and its rates, from which another's speed follows."""

    choice: Choice
    file_bytes: Compared
    memory_bytes: Compared
    tokens_per_s: float
    rates: Rates


@dataclass(frozen=True, slots=True, kw_only=True)
class Predicted:
    """What was predicted of a model, against what it took. `probed` is its speed by the probe of the memory alone."""

    model: str
    file_bytes: Compared
    memory_bytes: Compared
    tokens_per_s: Compared
    probed_tokens_per_s: float


NewClient = Callable[[Path], EngineClient]


async def measure(name: str, folder: Path, new_client: NewClient, engine: EngineSettings) -> Measurement:
    """Write a random model of the catalogue, run it, delete it, and return what it took. Raises FimError, OSError."""
    choice = choice_named(name)
    if choice.model.id not in SHAPES:
        raise FimError(f"The shape of {choice.model.id} is not known here; there are {', '.join(SHAPES)}.")
    path = folder / f"{choice.model.id}-{choice.file.quant}-random.gguf"
    try:
        make_model(path, SHAPES[choice.model.id], choice.file.quant)
        client = new_client(path)
        try:
            return await _measured(choice, path, client, engine)
        finally:
            await client.close()
            await client.stop()
    finally:
        path.unlink(missing_ok=True)


async def _measured(choice: Choice, path: Path, client: EngineClient, engine: EngineSettings) -> Measurement:
    await client.loaded()
    await _write(client)
    facts, status = await client.describe(), await client.ask_status()
    cost, speeds = cost_of(read_gguf(path)), (facts.decode_tokens_per_s, facts.prefill_tokens_per_s)
    promised = memory_bytes(cost_of_choice(choice), engine.context_tokens, engine.kv_type)
    return Measurement(
        choice=choice,
        file_bytes=Compared(choice.file.bytes, cost.weights_bytes),
        memory_bytes=Compared(promised, resident_bytes(status.pid)),
        tokens_per_s=facts.decode_tokens_per_s,
        rates=rates_shown(cost, *speeds, context_tokens=_CONTEXT_TOKENS),
    )


async def _write(client: EngineClient) -> None:
    """Let the model write until its speed is known. Random weights end an answer when they like."""
    written = 0
    for number in range(_ASKED_AT_MOST):
        prompt = Prompt((Segment(f"# {number} {time.time()}\n" + _PROMPT * _PROMPT_TIMES),))
        async with aclosing(client.generate(GenerateRequest(prompt=prompt, max_tokens=_WRITTEN_TOKENS))) as chunks:
            async for chunk in chunks:
                written += chunk.tokens
        if written >= _WRITTEN_TOKENS:
            return


def compared(measurements: Sequence[Measurement], machine: Machine) -> list[Predicted]:
    """Return each model's figures; its speed is predicted from the model before it, the first one's from the last."""
    unknown = replace(machine, rates=Rates())
    return [
        Predicted(
            model=measured.choice.id,
            file_bytes=measured.file_bytes,
            memory_bytes=measured.memory_bytes,
            tokens_per_s=Compared(
                _speed(measured, replace(machine, rates=measurements[number - 1].rates)), measured.tokens_per_s
            ),
            probed_tokens_per_s=_speed(measured, unknown),
        )
        for number, measured in enumerate(measurements)
    ]


def _speed(measured: Measurement, machine: Machine) -> float:
    return tokens_per_s(cost_of_choice(measured.choice), machine, _CONTEXT_TOKENS)
