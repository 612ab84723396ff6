"""How long a stopped engine is left alone."""

import pytest

from fimserver.engine.backoff import Patience, Rest, rest_of

PATIENCE = Patience()


@pytest.mark.parametrize(
    ("stops", "now", "rest"),
    [
        pytest.param([], 5, Rest(0), id="one that never stopped starts at once"),
        pytest.param([100], 100, Rest(0.5), id="after the first stop half a second"),
        pytest.param([100], 100.25, Rest(0.25), id="what has passed counts"),
        pytest.param([100], 101, Rest(0), id="and then it starts"),
        pytest.param([90, 100], 100, Rest(1), id="after the second a second"),
        pytest.param([80, 90, 100], 100, Rest(2), id="after the third two"),
        pytest.param([70, 80, 90, 100], 100, Rest(4), id="after the fourth four"),
        pytest.param([60, 70, 80, 90, 100], 100, Rest(600, given_up=True), id="after five in three minutes never"),
        pytest.param([60, 70, 80, 90, 100], 400, Rest(300, given_up=True), id="for ten minutes"),
        pytest.param([60, 70, 80, 90, 100], 701, Rest(0), id="then it is forgiven"),
        pytest.param([100, 200, 300, 400, 500], 500, Rest(8), id="five in more than three minutes are not given up"),
        pytest.param([0, *range(20, 420, 100)], 600, Rest(0), id="a stop ten minutes ago is forgotten"),
        pytest.param([*range(0, 500, 60)], 480, Rest(30), id="no rest is longer than half a minute"),
    ],
)
def test_rest(stops: list[float], now: float, rest: Rest) -> None:
    assert rest_of(stops, now, PATIENCE) == rest
