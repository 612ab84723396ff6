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


def doubt(
    mean_logprob: float | None, shape: Shape, level: str, thresholds: Mapping[str, float] | None = None
) -> Rejection | None:
    """Return why the suggestion is too unsure to be shown, or nothing.

    >>> doubt(-0.2, Shape.LINE, "normal") is None
    True
    >>> doubt(-2.0, Shape.LINE, "normal").reason
    <Reason.LOW_CONFIDENCE: 'low-confidence'>
    """
    if level == "off" or mean_logprob is None:
        return None
    least = (thresholds or _UNMEASURED).get(shape, _UNMEASURED.get(shape, 0.0)) + _LEVELS[level]
    if mean_logprob >= least:
        return None
    return Rejection(
        reason=Reason.LOW_CONFIDENCE,
        detail=f"Its mean log-probability is {mean_logprob:.2f}, below {least:.2f} (completion.confidence = {level}).",
    )
