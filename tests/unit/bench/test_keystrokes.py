"""How many keys suggestions save whoever accepts exactly those that are right."""

import pytest

from fimserver.bench.cases import Case
from fimserver.bench.keystrokes import Typed, keystrokes

CASE = Case(
    name="a", kind="block", language="python", prefix="def f():", suffix="\n", middle="\n    a = 1\n    return a"
)


@pytest.mark.parametrize(
    ("suggestions", "typed"),
    [
        pytest.param({}, Typed(15, 15), id="without suggestions every character and every Enter is a key"),
        pytest.param({"": CASE.middle}, Typed(1, 15), id="all at once"),
        pytest.param({"\n    ": "a = 1"}, Typed(11, 15), id="a line"),
        pytest.param({"\n    ": "a = 2"}, Typed(15, 15), id="what is wrong is not accepted"),
        pytest.param({"\n    ": "a ="}, Typed(15, 15), id="nor what ends in the middle of a line"),
    ],
)
async def test_counts_keys(suggestions: dict[str, str], typed: Typed) -> None:
    async def suggest(_: Case, so_far: str) -> str:
        return suggestions.get(so_far, "")

    assert await keystrokes([CASE], suggest) == typed
