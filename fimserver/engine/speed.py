"""Measure what this machine does with this model, and choose threads and batch sizes by it."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

# A new measurement counts this much against all before: a few batches follow a change of the machine's load.
_NEWEST_SHARE = 0.2

# Fewer tokens than this in a batch say how fast a decode is, not a prefill.
_LEAST_PREFILL_TOKENS = 16

# A batch that is interrupted is lost. So one should not take longer than this; but few tokens at once are dear: two
# threads read 20 tokens a second of a 1.5B model by 8 at a time, 37 by 16, 49 by 32, 66 by 80, and 77 by 512.
_BATCH_MS = 250.0
_LEAST_BATCH_TOKENS = 64
_STEP_TOKENS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """How fast this machine is with a model. `drafts_s` is the time of a batch by the number of its tokens.

    `repack` says whether the weights are better repacked for this CPU; None where that was not tried yet.
    """

    prefill_tokens_per_s: float = 0.0
    decode_tokens_per_s: float = 0.0
    drafts_s: Mapping[str, float] = field(default_factory=dict)  # texts for keys, as JSON has them
    repack: bool | None = None


class Speed:
    """Running means of what batches took."""

    def __init__(self, most_tokens: int) -> None:
        self._most_tokens = most_tokens
        self._limit = most_tokens
        self.prefill_tokens_per_s = 0.0
        self.decode_tokens_per_s = 0.0
        self._drafts_s: dict[int, float] = {}

    def recall(self, measured: Measured) -> None:
        """Begin with what was measured before."""
        self.prefill_tokens_per_s = measured.prefill_tokens_per_s
        self.decode_tokens_per_s = measured.decode_tokens_per_s
        self._drafts_s = {int(tokens): seconds for tokens, seconds in measured.drafts_s.items()}
        self._limit = self._fitting()

    def measured(self) -> Measured:
        """Return the means as they are now."""
        return Measured(
            prefill_tokens_per_s=self.prefill_tokens_per_s,
            decode_tokens_per_s=self.decode_tokens_per_s,
            drafts_s={str(tokens): seconds for tokens, seconds in self._drafts_s.items()},
        )

    def batch_tokens(self, left: int) -> int:
        """Return how many tokens to evaluate at once where so many are left: a small rest goes along with the others.

        >>> Speed(most_tokens=128).batch_tokens(300)
        128
        """
        along = min(self._limit * 3 // 2, self._most_tokens)
        return left if left <= along else self._limit

    def cost_of(self, tokens: int) -> float | None:
        """Return what a batch costs of which every row is read, relative to one token; None where nobody knows yet."""
        seconds = self._drafts_s.get(tokens)
        return seconds * self.decode_tokens_per_s if seconds else None

    def note(self, tokens: int, seconds: float, *, drafted: bool = False) -> None:
        """Take a finished batch into account."""
        if drafted:
            self._drafts_s[tokens] = _mean(self._drafts_s.get(tokens, 0.0), seconds)
        elif tokens == 1:
            self.decode_tokens_per_s = _mean(self.decode_tokens_per_s, 1 / seconds)
        elif tokens >= _LEAST_PREFILL_TOKENS:
            self.prefill_tokens_per_s = _mean(self.prefill_tokens_per_s, tokens / seconds)
        self._limit = min(self._limit * 2, self._fitting())

    def note_interrupted(self) -> None:
        """Halve the next batch, so that work goes on between two keys however fast they come."""
        self._limit = max(1, self._limit // 2)

    def _fitting(self) -> int:
        if not self.prefill_tokens_per_s:
            return min(_LEAST_BATCH_TOKENS, self._most_tokens)
        fitting = int(self.prefill_tokens_per_s * _BATCH_MS / 1000) // _STEP_TOKENS * _STEP_TOKENS
        return min(max(fitting, _LEAST_BATCH_TOKENS), self._most_tokens)


def _mean(old: float, new: float) -> float:
    return new if not old else old + (new - old) * _NEWEST_SHARE


def choose_threads(wanted: int) -> int:
    """Return how many threads to compute with: as many as wanted, else what this machine has to spare.

    That is one for each physical core this process may use, less one for the editor where there are more than two.
    Two threads on one core, or more threads than cores that are free, run many times slower than fewer would.
    """
    if wanted:
        return wanted
    cores = usable_cores()
    return cores - 1 if cores > 2 else cores


def usable_cores() -> int:
    """Return the number of physical cores that this process may use."""
    allowed = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else list(range(os.cpu_count() or 1))
    cores = len({_core_of(processor) for processor in allowed})
    return max(1, min(cores, _quota()))


def _core_of(processor: int) -> str:
    """Return the name of the physical core a processor belongs to; its own where nobody knows."""
    siblings = Path(f"/sys/devices/system/cpu/cpu{processor}/topology/thread_siblings_list")
    try:
        return siblings.read_text("ascii").strip()
    except OSError:
        return str(processor)


def _quota() -> int:
    """Return how many processors a container grants, rounded down; no limit where there is none."""
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text("ascii").split()
        return max(1, int(quota) // int(period))
    except (OSError, ValueError):  # not Linux, no container, or "max"
        return sys.maxsize
