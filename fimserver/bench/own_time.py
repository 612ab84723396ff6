"""Measure what the language server itself takes for a key in a file of 10,000 lines: everything but the engine.

A trace is replayed over its file five times over, with an engine that answers at once, from a script. Each answer is
what is typed next, but for its first word, so that the next key finds nothing remembered and everything is done again.
"""

import asyncio
import json
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from fimserver.bench.editor import Buffer, Editor
from fimserver.bench.metrics import percentile
from fimserver.bench.traces import Key, Move, Pause, Trace, event_offset
from fimserver.models.hardware import processor_s

_TIMES = 5

# Keys follow each other so soon that what is prepared for the next one is not yet done.
_GAP_S = 0.05

_FIRST_WORD = re.compile(r"\A\w*")


async def own_time(trace: Trace, settings: dict[str, Any]) -> dict[str, Any]:
    """Return the figures: how many keys in how many lines, and the milliseconds from a key to its answer.

    The processor's time is that of all the server does, what it prepares included: it is the same on a busy machine.
    """
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "answers.jsonl"
        script.write_text("\n".join(json.dumps(reply) for reply in _replies(trace)), "utf-8")
        return await _replayed(longer(trace), script, settings)


def longer(trace: Trace) -> Trace:
    """Return the trace over its file five times over, the keys in the middle one."""
    ((name, text),) = trace.files.items()
    shift = text.count("\n") * (_TIMES // 2)
    events = [
        event if isinstance(event, Pause) else replace(event, at=(event.at[0] + shift, event.at[1]))
        for event in trace.events
    ]
    return replace(trace, files={name: text * _TIMES}, events=events)


async def _replayed(trace: Trace, script: Path, settings: dict[str, Any]) -> dict[str, Any]:
    ((name, text),) = trace.files.items()
    took_ms: list[float] = []
    command = (sys.executable, "-P", "-m", "fimserver", "--engine", f"scripted:{script}", "serve")
    async with Editor(command) as editor:
        await editor.initialize(settings)
        used_s = processor_s(editor.server_pid)
        buffer = Buffer(editor, f"file:///bench/{name}", "python", text, "")
        for event in trace.events:
            if isinstance(event, Pause):
                await asyncio.sleep(event.pause_ms / 1_000)
            elif isinstance(event, Move):
                buffer.move(event_offset(buffer.text, event))
            else:
                offset = event_offset(buffer.text, event)
                began = time.perf_counter()
                buffer.edit(offset, event.remove, event.insert, event.then)
                await buffer.suggest()
                took_ms.append((time.perf_counter() - began) * 1_000)
                await asyncio.sleep(_GAP_S)
        used_s = processor_s(editor.server_pid) - used_s
    return {
        "lines": text.count("\n"),
        "keys": len(took_ms),
        "own_ms_median": percentile(took_ms, 0.5),
        "own_ms_p99": percentile(took_ms, 0.99),
        "processor_ms_mean": 1_000 * used_s / max(1, len(took_ms)),
    }


def _replies(trace: Trace) -> Iterator[dict[str, str]]:
    """Yield a scripted answer for each key, to be given where a prompt ends with the line as it is after that key."""
    texts, lines = dict(trace.files), list[str]()
    for event in trace.events:
        if isinstance(event, Key):
            text, start = texts[event.file], event_offset(texts[event.file], event)
            texts[event.file] = text[:start] + event.insert + event.then + text[start + event.remove :]
            lines.append(texts[event.file][: start + len(event.insert)].rpartition("\n")[2])
    for number, line in enumerate(lines):
        whole = next((later for later in reversed(lines[number:]) if later.startswith(line)), line)
        if line.strip() and whole != line:
            yield {"ends": line, "text": _FIRST_WORD.sub("x", whole[len(line) :], count=1) + "\n"}
