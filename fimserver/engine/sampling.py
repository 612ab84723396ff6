"""Choose the next token from a row of logits: the likeliest, or where the text should end, the end.

Everything is a function of numpy rows, so it is exact and the same at every run. Greedy choice costs one argmax; the
log-probability one pass of exp over the vocabulary.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fimserver.errors import EngineRefused

Row = NDArray[np.float32]

# The candidates among which the end of the text is judged, as llama.vim asks of llama.cpp's `infill` sampler.
_CANDIDATES = 40
_CANDIDATES_SHARE = 0.9

# The more candidates, the less sure the model is, and the sooner `infill` ends. Counted to the full, that ended two of
# five right answers of the embedded model at once; with 2 none.
_MOST_COUNTED = 2

# The same tokens in batches of different lengths give logits that differ by less than this.
_ROUNDINGS = 0.25

# What a conversation is drawn from.
_DRAWN_CANDIDATES = 40


def likeliest(row: Row) -> int:
    """Return the token with the highest logit. Raises EngineRefused where the model computed no number."""
    token = int(row.argmax())
    top = float(row[token])
    if math.isnan(top) or top == -math.inf:  # argmax finds the first NaN, if there is one
        raise EngineRefused(
            "The model computes values that are not numbers: its file is damaged, or this computer's arithmetic "
            "fails. Check the file: fimserver models; and the engine: fimserver doctor"
        )
    return token


def log_denominator(row: Row, top: np.float32, scratch: Row) -> float:
    """Return the logarithm of the softmax's denominator; `top` is the highest logit, `scratch` a row to compute in."""
    np.subtract(row, top, out=scratch)
    np.exp(scratch, out=scratch)
    return float(top) + float(np.log(scratch.sum()))  # pairwise, and thus as exact as the floats


def nth_likeliest(row: Row, rank: int, ends: NDArray[np.intp]) -> int:
    """Return the token of the given rank (0: the likeliest) among those that are not ends."""
    allowed = row.copy()
    allowed[ends] = -np.inf
    rank = min(rank, int(np.isfinite(allowed).sum()) - 1)
    if rank < 0:
        return likeliest(row)
    least = np.partition(allowed, -(rank + 1))[-(rank + 1)]
    nearest = np.flatnonzero(allowed >= least)
    return int(nearest[np.argsort(-allowed[nearest], kind="stable")][rank])


def is_clear(row: Row, ends: NDArray[np.intp]) -> bool:
    """Return whether neither the likeliest token nor the end of the text could change by other roundings."""
    best = likeliest(row)
    top, row[best] = float(row[best]), -np.inf
    second, row[best] = float(row.max()), top
    ends_near = len(ends) and np.log(3 * _MOST_COUNTED * len(ends)) + float(row[ends].max()) > top - _ROUNDINGS
    return top - second > _ROUNDINGS and not ends_near


def should_end(row: Row, top: np.float32, ends: NDArray[np.intp], denominator: float) -> bool:
    """Return whether the text should end here, as llama.cpp's `infill` sampler judges, but without chance.

    Of the 40 likeliest tokens those that make up 90 % are candidates. The text ends where the end tokens among them
    have a sixth of what the others have (a third, with one candidate): a model that is unsure how to go on, and thinks
    of ending at all, should end. `top` is the highest logit.
    """
    if not len(ends):
        return False
    likeliest_end = float(row[ends].max())
    if 3 * _MOST_COUNTED * len(ends) * math.exp(likeliest_end - float(top)) <= 1.0:  # not even if all were that likely
        return False
    return _is_ending(row, ends, denominator)


def _is_ending(row: Row, ends: NDArray[np.intp], denominator: float) -> bool:
    candidates = np.argpartition(row, -min(_CANDIDATES, len(row)))[-_CANDIDATES:]
    candidates = candidates[np.argsort(-row[candidates], kind="stable")]
    shares = np.exp(row[candidates].astype(np.float64) - denominator)
    size = int(np.searchsorted(np.cumsum(shares), _CANDIDATES_SHARE)) + 1
    is_end = np.isin(candidates[:size], ends)
    ending, going_on = shares[:size][is_end].sum(), shares[:size][~is_end].sum()
    return bool(3 * ending * min(size, _MOST_COUNTED) > going_on)


def draw(row: Row, temperature: float, chance: np.random.Generator) -> int:
    """Return a token drawn from the likeliest ones at a temperature above 0."""
    count = min(_DRAWN_CANDIDATES, len(row))
    candidates = np.argpartition(row, -count)[-count:]
    weights = np.exp((row[candidates].astype(np.float64) - float(row.max())) / temperature)
    return int(chance.choice(candidates, p=weights / weights.sum()))


def only(row: Row, tokens: Sequence[int] | NDArray[np.intp]) -> Row:
    """Return the row with all but the given tokens at minus infinity."""
    masked = np.full_like(row, -np.inf)
    masked[tokens] = row[tokens]
    return masked
