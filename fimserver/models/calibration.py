"""Turn the speed of a model that has run on this machine into the rates from which other models' speeds follow.

The engine keeps what it measured in `speeds.json`, each with the file of its model (engine/measured.py). What one token
takes of that model is known from the file's header.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fimserver.errors import ModelError
from fimserver.files import speeds_file
from fimserver.models.cost import Cost, bytes_per_token, cost_of
from fimserver.models.gguf import read_gguf


@dataclass(frozen=True, slots=True)
class Rates:
    """What this machine does in a second; 0 where no real model has shown it yet."""

    decode_bytes_per_s: float = 0.0  # weights, keys and values read while generating
    prompt_weights_per_s: float = 0.0  # weights gone through while evaluating a prompt, counted for each of its tokens


# A model that fits into the processor's cache says nothing of the memory behind it.
_LEAST_TELLING_BYTES = 200_000_000

# The engine measures at the beginning of a context, and goes on measuring while suggestions are made.
_USUAL_CONTEXT_TOKENS = 512


def rates_shown(
    cost: Cost,
    decode_tokens_per_s: float,
    prefill_tokens_per_s: float = 0.0,
    context_tokens: int = _USUAL_CONTEXT_TOKENS,
) -> Rates:
    """Return the rates that a model of this cost has shown, with so many tokens in its context; none if it is small."""
    read = bytes_per_token(cost, context_tokens)
    if read < _LEAST_TELLING_BYTES:
        return Rates()
    return Rates(decode_tokens_per_s * read, prefill_tokens_per_s * cost.active_weights)


def measured_rates() -> Rates:
    """Return the rates that the last real model has shown here. Takes as long as reading one file's header."""
    shown = (_rates_of(entry) for entry in reversed(_measured()))
    return next((rates for rates in shown if rates.decode_bytes_per_s), Rates())


def _rates_of(entry: Any) -> Rates:
    """Return the rates of one measurement, none where its model is gone or it is not what we would have written."""
    try:
        cost = cost_of(read_gguf(Path(entry["model"])))
        return rates_shown(cost, float(entry["decode_tokens_per_s"]), float(entry["prefill_tokens_per_s"]))
    except (ModelError, KeyError, TypeError, ValueError):
        return Rates()


def _measured() -> list[Any]:
    """Return what is kept, the newest last."""
    try:
        return list(json.loads(speeds_file().read_text("utf-8")).values())
    except (OSError, ValueError, AttributeError):  # nothing was measured yet, or the file is damaged
        return []
