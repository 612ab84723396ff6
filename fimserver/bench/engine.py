"""Turn one engine process into what it costs: tokens a second, the time a cancel takes, memory, and idling.

Everything goes through the real socket. The engine is one of its own, without drafts and saved states, and is stopped
afterwards. A llama-bench, where there is one, measures the same file in turn with us, so that whatever else the machine
does slows both down.
"""

import asyncio
import itertools
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

from fimserver.bench.editor import Editor
from fimserver.bench.metrics import percentile
from fimserver.bench.typing import until_ready
from fimserver.engine.client import EngineClient
from fimserver.engine.interface import GenerateRequest, Priority, Prompt, Segment
from fimserver.errors import FimError
from fimserver.models.hardware import processor_s, resident_bytes

# One round: so many tokens are read, and so many written behind a few, as llama-bench does it.
READ_TOKENS, WRITTEN_TOKENS = 512, 64

# An answer may end early, for random weights end when they like; so many answers at most make up a round.
_MOST_ANSWERS = 40

CANCELS = 20
_LONGEST_BEFORE_CANCEL_S = 1.0

# What was prepared for the last request is done by then; and an idle engine tries later what might be quicker.
_SETTLES_S, IDLE_S = 3.0, 10.0

# What is written behind is as short as llama-bench's: next to nothing.
_SHORT_CHARACTERS = 40

# A request that is late when it comes is answered as soon as the engine is free, and costs nothing.
_LATE = GenerateRequest(prompt=Prompt(()), deadline_ms=0, priority=Priority.WARM)

_CODE = "def total(prices: list[int]) -> int:\n    return sum(price for price in prices if price > 0)\n\n\n"
_CHARACTERS_PER_TOKEN = 3


@dataclass(frozen=True, slots=True)
class Speeds:
    """Tokens a second, of one round."""

    prefill: float
    decode: float


@dataclass(frozen=True, slots=True)
class Measured:
    """What an engine took. `windows_bytes` is its memory with one editor window, and with two."""

    rounds: Sequence[Speeds]
    baseline: Sequence[Speeds]  # of llama-bench, each right behind the round of the same number
    full: Speeds  # where the cache holds as many old prompts as it can: they are read past with each token
    cancel_ms: Sequence[float]
    windows_bytes: Sequence[int]
    windows: int  # that are on this engine
    idle_share: float  # processor time while nobody asks for anything, by the time that passes


async def measure_engine(
    client: EngineClient,
    serve: Sequence[str],
    settings: dict[str, Any],
    *,
    rounds: int,
    cancels: int = CANCELS,
    idle_s: float = IDLE_S,
    baseline: Callable[[], Speeds] | None = None,
    on_step: Callable[[str], None] = lambda _: None,
) -> Measured:
    """Measure the client's engine. Raises FimError.

    `serve` are the options of `fimserver` and `settings` what an editor sets, so that its server finds the same engine.
    """
    on_step("loading")
    await client.loaded()
    fresh = _prompts()
    ours: list[Speeds] = []
    theirs: list[Speeds] = []
    for number in range(rounds):
        on_step(f"round {number + 1} of {rounds}")
        await client.restart()  # with an empty cache, as llama-bench has: the longer it is, the more a token takes
        await client.loaded()
        ours.append(await _round(client, fresh))
        if baseline is not None:
            theirs.append(await asyncio.to_thread(baseline))
    on_step("cancelling")
    half_s = min(_LONGEST_BEFORE_CANCEL_S, READ_TOKENS / median(speeds.prefill for speeds in ours) / 2)
    cancel_ms = [await _cancel_ms(client, next(fresh), half_s * (one + 1) / cancels) for one in range(cancels)]
    on_step("with a full cache")
    full = await _round(client, fresh)
    on_step("two windows, and nobody typing")
    async with AsyncExitStack() as windows:
        held = [await _with_window(client, windows, serve, settings) for _ in range(2)]
        status = await client.ask_status()
        idle_share = await _idle_share(status.pid, idle_s)
    return Measured(ours, theirs, full, cancel_ms, held, status.clients - 1, idle_share)


async def _round(client: EngineClient, fresh: Iterator[Prompt]) -> Speeds:
    """Write behind short prompts and read a long one; the time of writing is that between chunks as they arrive."""
    written, seconds = 0, 0.0
    for _ in range(_MOST_ANSWERS):
        if written >= WRITTEN_TOKENS:
            break
        arrivals = await _arrivals(client, next(fresh))
        written += max(0, len(arrivals) - 1)
        seconds += arrivals[-1] - arrivals[0] if arrivals else 0.0
    if not written:
        raise FimError("This model ends every answer at once, so that its speed cannot be measured.")
    usage = await client.warm(next(fresh), Priority.TYPING)
    return Speeds(1_000 * usage.evaluated_tokens / usage.prefill_ms, written / seconds)


async def _arrivals(client: EngineClient, prompt: Prompt) -> list[float]:
    """Return when each token of an answer arrived, in seconds."""
    short = Prompt((replace(prompt.segments[0], text=prompt.segments[0].text[:_SHORT_CHARACTERS]),))
    arrivals = []
    async with aclosing(client.generate(GenerateRequest(prompt=short, max_tokens=WRITTEN_TOKENS + 1))) as chunks:
        async for chunk in chunks:
            arrivals += [time.perf_counter()] * chunk.tokens
    return arrivals


async def _cancel_ms(client: EngineClient, prompt: Prompt, after_s: float) -> float:
    """Return how long the engine is busy after a prompt is given up, so long after it was sent."""
    reading = asyncio.create_task(client.warm(prompt, Priority.TYPING))
    await asyncio.sleep(after_s)
    began = time.perf_counter()
    reading.cancel()
    await asyncio.wait({reading})
    async with aclosing(client.generate(_LATE)) as chunks:
        async for _ in chunks:
            pass
    return (time.perf_counter() - began) * 1_000


async def _with_window(
    client: EngineClient, windows: AsyncExitStack, serve: Sequence[str], settings: dict[str, Any]
) -> int:
    """Open one more editor window, have it answered, and return the memory of the engine."""
    editor = await windows.enter_async_context(Editor((sys.executable, "-P", "-m", "fimserver", *serve, "serve")))
    await editor.initialize(settings)
    await until_ready(editor)
    return resident_bytes((await client.ask_status()).pid)


async def _idle_share(process: int, idle_s: float) -> float:
    await asyncio.sleep(min(_SETTLES_S, idle_s))
    before = processor_s(process)
    await asyncio.sleep(idle_s)
    return (processor_s(process) - before) / idle_s


def _prompts() -> Iterator[Prompt]:
    """Yield prompts of about so many tokens of which no two begin alike."""
    for number in itertools.count():
        yield Prompt((Segment((f"# {number} {time.time()}\n" + _CODE * 99)[: READ_TOKENS * _CHARACTERS_PER_TOKEN]),))


def engine_figures(measured: Measured) -> dict[str, Any]:
    """Return the figures of a run; with a baseline, also its own and the quotients of each round."""
    figures: dict[str, Any] = {
        **_speeds(measured.rounds),
        "rounds": len(measured.rounds),
        "full_cache": _speeds([measured.full]),
        "cancel_ms_median": median(measured.cancel_ms),
        "cancel_ms_p95": percentile(measured.cancel_ms, 0.95),
        "cancels": len(measured.cancel_ms),
        "memory_bytes_one_window": measured.windows_bytes[0],
        "memory_bytes_two_windows": measured.windows_bytes[-1],
        "windows_on_the_engine": measured.windows,
        "idle_processor_share": measured.idle_share,
    }
    if measured.baseline:
        pairs = list(zip(measured.rounds, measured.baseline, strict=True))
        figures["llama_bench"] = _speeds(measured.baseline)
        figures["ratio"] = {
            "decode": median(ours.decode / theirs.decode for ours, theirs in pairs),
            "prefill": median(ours.prefill / theirs.prefill for ours, theirs in pairs),
        }
    return figures


def _speeds(rounds: Sequence[Speeds]) -> dict[str, float]:
    return {
        "decode_tokens_per_s": median(speeds.decode for speeds in rounds),
        "prefill_tokens_per_s": median(speeds.prefill for speeds in rounds),
    }
