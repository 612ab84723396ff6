"""The two forms of a check: quick in `make test`, long in `make soak` and for the scorecard."""

from typing import Any

import pytest


def forms(quick: Any, long: Any, limit_s: float) -> list[Any]:
    """Return both amounts as parameters; the long one may take so many seconds."""
    return [
        pytest.param(quick, id="quick"),
        pytest.param(long, id="long", marks=[pytest.mark.soak, pytest.mark.timeout(limit_s)]),
    ]


def percentile(values: list[float], share: float) -> float:
    """Return the value that so large a share of all does not exceed."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]
