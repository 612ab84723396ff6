"""The two forms of a check: quick in `make test`, long in `make soak` and for the scorecard."""

import os
from typing import Any

import pytest

# A run that has less time than the whole amounts take sets this to the share of them that it runs; the scorecard then
# says which amounts it had.
SHARE = float(os.environ.get("FIMSERVER_LONG_SHARE", "1"))


def forms(quick: Any, long: Any, limit_s: float) -> list[Any]:
    """Return both amounts as parameters; the long one may take so many seconds."""
    return [
        pytest.param(quick, id="quick"),
        pytest.param(share_of(long), id="long", marks=[pytest.mark.soak, pytest.mark.timeout(limit_s)]),
    ]


def long_form(amount: Any, limit_s: float) -> list[Any]:
    """Return the long form alone, of a check that has no quick one because it takes processes, or time, to see."""
    return forms(amount, amount, limit_s)[1:]


def share_of(amount: Any) -> Any:
    """Return as much of a long form's amount as this run is to have, at least one."""
    return max(1, int(amount * SHARE)) if isinstance(amount, int) else amount


def percentile(values: list[float], share: float) -> float:
    """Return the value that so large a share of all does not exceed."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]
