"""Say whether a suggestion is sure enough to interrupt somebody's typing, as early as its tokens tell.

An answer that is given up at its first token costs one token, at its last all of them; so each token is judged as it
comes. The thresholds of a model stand in its profile (`fimserver bench quality --calibrate` finds them); a model that
was never measured gets cautious ones.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from fimserver.values import Completion, Reason, Rejection, Shape

_NEVER = float("-inf")


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """The least natural-log probabilities that are shown: of the first token, of any token, and of all in the mean."""

    first: float = _NEVER
    any: float = _NEVER
    mean: float = _NEVER

    def shifted(self, by: float) -> "Gate":
        """Return the gate, opened or closed a little."""
        return Gate(first=self.first + by, any=self.any + by, mean=self.mean + by)


OPEN = Gate()

# exp(-1.2) = 0.30 and exp(-0.9) = 0.41 per token in the geometric mean: a block is longer, and worse when it is wrong.
# One token as unlikely as exp(-2.5), 1 in 12, though the likeliest, and what follows is a guess.
_UNMEASURED: Mapping[str, Gate] = {
    Shape.LINE: Gate(first=-1.6, any=-2.5, mean=-1.2),
    Shape.BLOCK: Gate(first=-1.6, any=-2.5, mean=-0.9),
}

# How far the other levels of `completion.confidence` are from `normal`.
_LEVELS: Mapping[str, float] = {"low": -0.6, "normal": 0.0, "high": 0.4}

# A model that is this sure is right more often than a line copied from elsewhere in the file.
SURER_THAN_A_COPY = -0.4


def gate(shape: Shape, level: str, measured: Mapping[str, Mapping[str, float]]) -> Gate:
    """Return what a suggestion must be like; `measured` are the model's own thresholds by shape, as far as known.

    >>> gate(Shape.LINE, "high", {"line": {"first": -1.0, "any": -3.5, "mean": -1.6}})
    Gate(first=-0.6, any=-3.1, mean=-1.2000000000000002)
    """
    if level == "off" or shape not in _UNMEASURED:
        return OPEN
    return replace(_UNMEASURED[shape], **measured.get(shape, {})).shifted(_LEVELS[level])


def doubt(suggestion: Completion, gate: Gate) -> Rejection | None:
    """Return why a suggestion is too unsure to be shown, or nothing. What the model has not written is not judged."""
    judged = (("first token's", suggestion.first_logprob, gate.first), ("mean", suggestion.mean_logprob, gate.mean))
    for name, logprob, least in judged:
        if logprob is not None and logprob < least:
            detail = f"Its {name} log-probability is {logprob:.2f}, below {least:.2f}; see completion.confidence."
            return Rejection(reason=Reason.LOW_CONFIDENCE, detail=detail)
    return None


def is_hopeless(logprobs: Sequence[float], gate: Gate) -> bool:
    """Say whether an answer of these tokens so far will not become sure enough: why write the rest of it?

    One more, certain token must be able to lift the mean over the gate.

    >>> is_hopeless([-0.1, -3.2], Gate(any=-3.0)), is_hopeless([-2.4], Gate(mean=-2.0)), is_hopeless([], Gate(first=0))
    (True, False, False)
    """
    if not logprobs or gate == OPEN:
        return False
    return logprobs[0] < gate.first or logprobs[-1] < gate.any or sum(logprobs) / (len(logprobs) + 1) < gate.mean
