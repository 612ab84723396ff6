"""Say whether a suggestion is sure enough to interrupt somebody's typing.

The measure is the mean log-probability of its tokens, and of the first one. The thresholds of a model stand in its
profile, where `fimserver bench quality` put them; a model that was never measured gets cautious ones.
"""

from collections.abc import Mapping

from fimserver.values import Reason, Rejection, Shape

# exp(-1.2) = 0.30 and exp(-0.9) = 0.41 per token in the geometric mean: a block is longer, and worse when it is wrong.
_UNMEASURED: Mapping[str, float] = {Shape.LINE: -1.2, Shape.BLOCK: -0.9}

# How far the other levels of `completion.confidence` are from `normal`.
_LEVELS: Mapping[str, float] = {"low": -0.6, "normal": 0.0, "high": 0.4}


# A model that is this sure is right more often than a line copied from elsewhere in the file.
SURER_THAN_A_COPY = -0.4

# So many sure tokens could still follow: if even they would not lift the mean, the answer is given up.
_TOKENS_TO_RECOVER = 6


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


def is_hopeless(logprob: float, tokens: int, least: float) -> bool:
    """Say whether an answer that is this unsure so far can no longer become sure enough: why write the rest of it?

    >>> is_hopeless(-9.0, 1, least=-1.2), is_hopeless(-3.0, 1, least=-1.2)
    (True, False)
    """
    return bool(tokens) and logprob / (tokens + _TOKENS_TO_RECOVER) < least
