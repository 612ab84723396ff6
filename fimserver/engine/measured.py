"""Remember between engines how fast this machine is with a model, and measure it where nothing is remembered.

The sizes of prompts follow from these speeds, so they are wanted before the first answer. Measuring takes about a
second with a large model, once; after that every batch that is evaluated keeps the measurements up to date.
`models/calibration.py` reads the same file, to predict how fast other models would be.
"""

import json
import logging
import time
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from fimserver.engine.llama import Llama
from fimserver.engine.speed import Measured, Speed
from fimserver.engine.threads import ThreadChoice
from fimserver.files import speeds_file, write_atomically

_log = logging.getLogger(__name__)

# What is measured: single tokens, batches of a prompt, and drafts, whose every row is read. Several of the first two,
# so that each number of threads has its turn.
_SINGLE_TOKENS = (1,) * 6
_PROMPT_BATCHES = (32,) * 4
_DRAFTS = (5, 9, 17, 33)

# On a machine that is busy with something else a measurement says little and takes long. What does not fit is left out,
# and measured by the first answers.
_LONGEST_PROBE_S = 1.5

# Models that were tried out once and deleted need not be remembered for ever.
_MOST_REMEMBERED = 50

_TEXT = "def probe(first, second):\n    return [first + second for _ in range(10)]\n"


def recall(key: str) -> Measured | None:
    """Return what is remembered under a key."""
    try:
        kept = _table()[key]
        return Measured(**{entry.name: kept[entry.name] for entry in fields(Measured)})
    except (KeyError, TypeError):
        return None


def remember(key: str, measured: Measured, model: Path) -> None:
    """Keep what was measured with a model, as the newest. A full disk is no error."""
    table = {other: values for other, values in _table().items() if other != key}
    newest = [*table.items(), (key, {**asdict(measured), "model": str(model)})][-_MOST_REMEMBERED:]
    try:
        write_atomically(speeds_file(), json.dumps(dict(newest), indent=1))
    except OSError as error:
        _log.warning("The measured speeds could not be kept: %s", error.strerror or error)


def measure(llama: Llama, speed: Speed, threads: ThreadChoice, *, longest_s: float = _LONGEST_PROBE_S) -> None:
    """Evaluate some text that nobody asked for, and forget it."""
    lengths = _SINGLE_TOKENS + _PROMPT_BATCHES + _DRAFTS
    tokens = (llama.tokeniser.tokenise(_TEXT) * 20)[: max(lengths)]
    ends_at, position = time.perf_counter() + longest_s, 0
    for length in lengths:
        drafted = length in _DRAFTS
        count = threads.for_batch(length)
        llama.use_threads(count)
        started = time.perf_counter()
        if speed.decode_tokens_per_s and started + length / 2 / speed.decode_tokens_per_s > ends_at:
            break  # a token of a batch takes at most half as long as one by itself
        llama.decode(tokens[:length], position, 0, rows=range(length) if drafted else (length - 1,))
        seconds = time.perf_counter() - started
        speed.note(length, seconds, drafted=drafted)
        threads.note(length, count, seconds)
        position += length
    llama.forget(0)


def _table() -> dict[str, Any]:
    try:
        table = json.loads(speeds_file().read_text("utf-8"))
    except (OSError, ValueError):  # not there yet, or damaged: it is measured again
        return {}
    return table if isinstance(table, dict) else {}
