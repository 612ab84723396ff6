"""What may be dropped goes whole and first; what must stay is cut only after that."""

import pytest

from fimserver.engine.encoding import trim
from fimserver.engine.interface import Keep

SNIPPETS = [(Keep.DROP, [1] * 100), (Keep.ALL, [2] * 10), (Keep.DROP, [3] * 100), (Keep.TAIL, [4] * 200)]

LEFT = {
    "all fit": (800, {1: 100, 2: 10, 3: 100, 4: 200}),
    "the first is dropped": (400, {2: 10, 3: 100, 4: 200}),
    "both are dropped": (320, {2: 10, 4: 200}),
    "only then is the window cut": (200, {2: 10, 4: 136}),
}


@pytest.mark.parametrize(("context_tokens", "left"), LEFT.values(), ids=LEFT)
def test_trim(context_tokens: int, left: dict[int, int]) -> None:
    tokens = trim(SNIPPETS, context_tokens)
    assert {token: tokens.count(token) for token in sorted(set(tokens))} == left
