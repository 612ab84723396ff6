"""Turn traces, replayed through the real language server and engine, into what each key cost.

Counts are exact. The server's journal says which prompt tokens were evaluated while a request waited, and which keys
were answered from memory; the engine says how many tokens went through the model in all, for whatever reason.
Milliseconds are those an editor would see.
"""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from fimserver.bench.editor import Buffer, Editor
from fimserver.bench.metrics import mean, percentile
from fimserver.bench.traces import Key, Move, Pause, Trace, event_offset


@dataclass(frozen=True, slots=True, kw_only=True)
class Pressed:
    """One key and what it cost. `first_token_ms` is None where no token was written."""

    trace: str
    evaluated_tokens: int
    generated_tokens: int
    shown: bool
    cached: bool  # answered without the model
    asked: bool  # the model was asked, or an answer of its was shown
    reason: str | None
    first_token_ms: float | None
    answer_ms: float


@dataclass(frozen=True, slots=True)
class Tokens:
    """How many tokens went through the model, awaited or not: read and written, and those read as prompts."""

    all: int
    prompts: int


@dataclass(frozen=True, slots=True)
class Replayed:
    """All keys of one run, and what went through the model in each trace."""

    keys: Sequence[Pressed]
    tokens: Mapping[str, Tokens]


async def replay(
    traces: Sequence[Trace],
    options: Sequence[str],
    settings: dict[str, Any],
    *,
    gap_ms: float,
    tokens_so_far: Callable[[], Awaitable[Tokens]],
    on_trace: Callable[[str], None] = lambda _: None,
) -> Replayed:
    """Replay traces through `fimserver serve`, a key every `gap_ms` at the most. Raises FimError.

    `tokens_so_far` returns what went through the engine's model since it was started.
    """
    keys: list[Pressed] = []
    tokens: dict[str, Tokens] = {}
    for trace in traces:
        on_trace(trace.name)
        async with Editor((sys.executable, "-P", "-m", "fimserver", *options, "serve")) as editor:
            await editor.initialize(settings)
            await until_ready(editor)
            before = await tokens_so_far()
            keys += await _replay_one(editor, trace, gap_ms)
            now = await tokens_so_far()
            tokens[trace.name] = Tokens(now.all - before.all, now.prompts - before.prompts)
    return Replayed(keys, tokens)


async def until_ready(editor: Editor) -> None:
    """Ask in an empty document until the model has answered once: loading is not typing."""
    buffer = Buffer(editor, "file:///bench/ready.py", "python", "x = ", "\n")
    while True:
        await buffer.suggest()
        entry = await _last_entry(editor)
        if entry["reason"] not in ("engine-loading", "engine-unavailable"):
            return
        await asyncio.sleep(0.1)


async def _replay_one(editor: Editor, trace: Trace, gap_ms: float) -> list[Pressed]:
    buffers = {name: Buffer(editor, f"file:///bench/{name}", "python", text, "") for name, text in trace.files.items()}
    pressed: list[Pressed] = []
    for event in trace.events:
        if isinstance(event, Pause):
            await asyncio.sleep(event.pause_ms / 1_000)
            continue
        buffer = buffers[event.file]
        if isinstance(event, Move):
            buffer.move(event_offset(buffer.text, event))
            continue
        began = time.perf_counter()
        pressed.append(await _press(trace.name, buffer, event))
        await asyncio.sleep(max(0.0, gap_ms / 1_000 - (time.perf_counter() - began)))
    return pressed


async def _press(trace: str, buffer: Buffer, key: Key) -> Pressed:
    buffer.edit(event_offset(buffer.text, key), key.remove, key.insert, key.then)
    began = time.perf_counter()
    shown = await buffer.suggest()
    answer_ms = (time.perf_counter() - began) * 1_000
    entry = await _last_entry(buffer.editor)
    timings = entry["timings"]
    return Pressed(
        trace=trace,
        evaluated_tokens=timings["evaluated_tokens"],
        generated_tokens=timings["generated_tokens"],
        shown=bool(shown),
        cached=entry["source"] == "cache",
        asked=timings["prompt_tokens"] > 0,
        reason=entry["reason"],
        first_token_ms=timings["first_token_ms"],
        answer_ms=answer_ms,
    )


async def _last_entry(editor: Editor) -> dict[str, Any]:
    entries: list[dict[str, Any]] = await editor.run_command("fimserver.journal")
    return entries[-1]


def typing_figures(replayed: Replayed) -> dict[str, Any]:
    """Return the figures of a run, over all traces and for each."""
    per_trace = {
        name: _figures([key for key in replayed.keys if key.trace == name], tokens)
        for name, tokens in replayed.tokens.items()
    }
    each = replayed.tokens.values()
    total = Tokens(sum(tokens.all for tokens in each), sum(tokens.prompts for tokens in each))
    return {**_figures(replayed.keys, total), "per_trace": per_trace}


def _figures(keys: Sequence[Pressed], tokens: Tokens) -> dict[str, Any]:
    first = [key.first_token_ms for key in keys if key.first_token_ms is not None]
    return {
        "keys": len(keys),
        "evaluated_tokens": sum(key.evaluated_tokens for key in keys),
        "evaluated_tokens_per_key_mean": mean([key.evaluated_tokens for key in keys]),
        "evaluated_tokens_per_key_median": percentile([key.evaluated_tokens for key in keys], 0.5),
        "evaluated_tokens_per_key_max": max((key.evaluated_tokens for key in keys), default=0),
        "all_prompt_tokens_per_key_mean": tokens.prompts / max(1, len(keys)),
        "all_tokens_per_key_mean": tokens.all / max(1, len(keys)),
        "generated_tokens_per_key_mean": mean([key.generated_tokens for key in keys]),
        "first_token_ms_median": percentile(first, 0.5),
        "answer_ms_median": percentile([key.answer_ms for key in keys], 0.5),
        "answer_ms_p99": percentile([key.answer_ms for key in keys], 0.99),
        "cached_share": mean([float(key.cached) for key in keys]),
        "shown_share": mean([float(key.shown) for key in keys]),
    }


def as_rows(replayed: Replayed) -> list[dict[str, Any]]:
    """Return every key as a JSON value."""
    return [asdict(key) for key in replayed.keys]
