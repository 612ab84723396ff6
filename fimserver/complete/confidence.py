"""Say whether a suggestion is sure enough to interrupt somebody's typing.

The measure is the mean log-probability of its tokens, and of the first one. The thresholds of a model stand in its
profile, where `fimserver bench quality` put them; a model that was never measured gets cautious ones.
"""

from collections.abc import Mapping, Sequence

from fimserver.values import Reason, Rejection, Shape

# exp(-1.2) = 0.30 and exp(-0.9) = 0.41 per token in the geometric mean: a block is longer, and worse when it is wrong.
_UNMEASURED: Mapping[str, float] = {Shape.LINE: -1.2, Shape.BLOCK: -0.9}

# How far the other levels of `completion.confidence` are from `normal`.
_LEVELS: Mapping[str, float] = {"low": -0.6, "normal": 0.0, "high": 0.4}


# A model that is this sure is right more often than a line copied from elsewhere in the file.
SURER_THAN_A_COPY = -0.4

# One token as unlikely as this (1 in 12), though the likeliest, and what follows is a guess: of 88 such answers of the
# embedded model on held-out Python none was right, of the other 246 there were 27.
_WORST_TOKEN = -2.5


def least_mean_logprob(shape: Shape, level: str, thresholds: Mapping[str, float]) -> float:
    """Return the least mean log-probability that is shown; `thresholds` are the model's own by shape, if measured.

    >>> least_mean_logprob(Shape.LINE, "normal", {})
    -1.2
    """
    if level == "off":
        return float("-inf")
    return thresholds.get(shape, _UNMEASURED.get(shape, 0.0)) + _LEVELS[level]


def doubt(mean_logprob: float | None, least: float) -> Rejection | None:
    """Return why the suggestion is too unsure to be shown, or nothing.

    >>> doubt(-2.0, least=-1.2).reason
    <Reason.LOW_CONFIDENCE: 'low-confidence'>
    """
    if mean_logprob is None or mean_logprob >= least:
        return None
    return Rejection(
        reason=Reason.LOW_CONFIDENCE,
        detail=f"Its mean log-probability is {mean_logprob:.2f}, below {least:.2f}; see completion.confidence.",
    )


def is_hopeless(logprobs: Sequence[float], least: float) -> bool:
    """Say whether an answer of these tokens so far will not become sure enough: why write the rest of it?

    One more, certain token must be able to lift the mean to `least`; and no token may have been a mere guess.

    >>> is_hopeless([-0.1, -3.2], least=-2.0), is_hopeless([-2.4], least=-2.0), is_hopeless([], least=-2.0)
    (True, False, False)
    """
    if not logprobs or least == float("-inf"):
        return False
    return logprobs[-1] < _WORST_TOKEN or sum(logprobs) / (len(logprobs) + 1) < least
