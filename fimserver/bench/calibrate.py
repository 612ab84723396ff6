"""Turn the raw model's answers, with the log-probabilities of their tokens, into the gate that suits the model.

Of all gates of a grid that show at least 60 % of what the raw model would, the one that writes the least in vain is
chosen among those whose suggestions are right half as often again; where there is none, the most precise one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from fimserver.bench.quality import Answer
from fimserver.complete.confidence import Gate, is_hopeless

_LEAST_SHOWN = 0.6
_LEAST_GAIN = 1.5

_NEVER = float("-inf")
_FIRST = (_NEVER, *(-tenth / 10 for tenth in range(5, 31)))
_ANY = (_NEVER, -4.0, -3.5, -3.0, -2.5)
_MEAN = (_NEVER, *(-fifth / 5 for fifth in range(4, 14)))


@dataclass(frozen=True, slots=True)
class Calibrated:
    """A gate, and what it does to the answers it was chosen on."""

    gate: Gate
    shown: float  # share of what the raw model shows
    gain: float  # how many times as often right when shown
    wasted: float  # share of the tokens that are written for answers given up


def calibrated(answers: Sequence[Answer]) -> Calibrated | None:
    """Return the gate that suits these answers of the raw model; None where there is nothing to choose by."""
    shown = [answer for answer in answers if answer.text and answer.logprobs]
    if not any(answer.right for answer in shown):
        return None
    fitting = [found for found in _tried(shown) if found.shown >= _LEAST_SHOWN]
    precise = [found for found in fitting if found.gain >= _LEAST_GAIN]
    if precise:
        return min(precise, key=lambda found: found.wasted)
    return max(fitting, key=lambda found: found.gain)


def _tried(shown: Sequence[Answer]) -> Iterator[Calibrated]:
    raw = sum(answer.right for answer in shown) / len(shown)
    for first, any_token, mean in product(_FIRST, _ANY, _MEAN):
        gate = Gate(first=first, any=any_token, mean=mean)
        spent = [given_up_after(answer.logprobs, gate) for answer in shown]
        left = [answer for answer, tokens in zip(shown, spent, strict=True) if tokens is None]
        if left:
            wasted = sum(tokens or 0 for tokens in spent)
            written = wasted + sum(len(answer.logprobs) for answer in left)
            gain = sum(answer.right for answer in left) / len(left) / raw
            yield Calibrated(gate, len(left) / len(shown), gain, wasted / written)


def given_up_after(logprobs: Sequence[float], gate: Gate) -> int | None:
    """Return after how many tokens an answer is given up, None where it is not.

    >>> given_up_after([-0.1, -5.0, -0.1], Gate(any=-3.0))
    2
    """
    return next((count for count in range(1, len(logprobs) + 1) if is_hopeless(logprobs[:count], gate)), None)
