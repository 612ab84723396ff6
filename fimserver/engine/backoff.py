"""Say when an engine that stopped may be started again: soon, then later, then not without being asked."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long to wait for an engine, and how often to try.

    After `most_stops` stops `within_s` it is given up for `give_up_s`: an engine that dies of its model or of a full
    memory dies again, and each start costs seconds of all cores.
    """

    first_rest_s: float = 0.5
    longest_rest_s: float = 30
    bearable_rest_s: float = 0.5  # a request waits so long for the start; before a longer rest it is told at once
    most_stops: int = 5
    within_s: float = 180
    give_up_s: float = 600
    silence_s: float = 5  # with a request waiting: ask whether it lives, then believe it dead
    start_s: float = 20  # from the start of the process to its first word; loading the model comes later


@dataclass(frozen=True, slots=True)
class Rest:
    """How long to leave the engine alone; `given_up` where that is more than a pause."""

    left_s: float
    given_up: bool = False


def rest_of(stops: Sequence[float], now: float, patience: Patience) -> Rest:
    """Return how long to wait at the time `now`, in seconds, after an engine stopped at each of the times `stops`.

    >>> rest_of([100.0], 100.1, Patience()).left_s
    0.4
    """
    recent = [stop for stop in stops if now - stop < patience.give_up_s]
    if not recent:
        return Rest(0)
    since = now - recent[-1]
    if sum(recent[-1] - stop <= patience.within_s for stop in recent) >= patience.most_stops:
        return Rest(patience.give_up_s - since, given_up=True)
    pause = min(patience.longest_rest_s, patience.first_rest_s * 2 ** (len(recent) - 1))
    return Rest(max(0.0, round(pause - since, 3)))
