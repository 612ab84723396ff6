"""Which token is chosen from a row of logits, and when the text should end."""

import numpy as np
import pytest

from fimserver.engine import sampling
from fimserver.errors import EngineRefused


def row(*logits: float) -> sampling.Row:
    return np.array(logits, dtype=np.float32)


def probabilities(*shares: float) -> sampling.Row:
    return np.log(np.array(shares, dtype=np.float32))


def ends(*tokens: int) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    return np.array(tokens, dtype=np.intp)


def test_the_likeliest_token_is_the_first_of_equals() -> None:
    assert sampling.likeliest(row(1, 3, 3, 2)) == 1


@pytest.mark.parametrize(
    "logits",
    [
        pytest.param(row(1, np.nan, 3), id="one value is not a number"),
        pytest.param(row(np.nan, np.nan), id="no value is a number"),
        pytest.param(row(-np.inf, -np.inf), id="everything is impossible"),
    ],
)
def test_a_row_that_is_no_numbers_is_refused(logits: sampling.Row) -> None:
    with pytest.raises(EngineRefused, match="not numbers"):
        sampling.likeliest(logits)


@pytest.mark.parametrize("shift", [0.0, 80.0, -500.0], ids=["plain", "large logits", "small logits"])
def test_log_probabilities_come_from_the_denominator(shift: float) -> None:
    logits = probabilities(0.5, 0.25, 0.25) + np.float32(shift)
    denominator = sampling.log_denominator(logits, logits.max(), np.empty_like(logits))
    assert float(logits[1]) - denominator == pytest.approx(np.log(0.25), abs=1e-4)


@pytest.mark.parametrize(
    ("rank", "token"),
    [(0, 2), (1, 0), (2, 3), (9, 3)],
    ids=["the likeliest", "the next", "an end token has no rank", "beyond the last it stays the last"],
)
def test_alternatives_begin_with_the_nth_likeliest_token(rank: int, token: int) -> None:
    assert sampling.nth_likeliest(row(3, 5, 4, 1), rank, ends(1)) == token


def test_equal_alternatives_are_ranked_by_number() -> None:
    logits = row(1, 2, 2, 2)
    assert [sampling.nth_likeliest(logits, rank, ends()) for rank in range(4)] == [1, 2, 3, 0]


@pytest.mark.parametrize(
    ("shares", "end_tokens", "ending"),
    [
        pytest.param((0.98, 0.01, 0.01), (1,), False, id="a sure model goes on"),
        pytest.param((0.2, 0.7, 0.1), (1,), True, id="a likely end ends"),
        pytest.param((0.7, 0.3), (1,), True, id="beside few candidates an end of a quarter ends"),
        pytest.param((0.45, 0.4, 0.15), (2,), True, id="an end that is a candidate need not be the likeliest"),
        pytest.param((0.35, 0.3, 0.05, 0.3), (2,), False, id="an end outside the likeliest 90 % is none"),
        pytest.param((0.6, 0.1, 0.1, 0.1, 0.1), (1, 2, 3, 4), True, id="several end tokens count together"),
        pytest.param((0.5, 0.5), (), False, id="a model without end tokens never ends by itself"),
    ],
)
def test_where_the_text_should_end(shares: tuple[float, ...], end_tokens: tuple[int, ...], ending: bool) -> None:
    logits = probabilities(*shares)
    denominator = sampling.log_denominator(logits, logits.max(), np.empty_like(logits))
    assert sampling.should_end(logits, logits.max(), ends(*end_tokens), denominator) is ending


def test_the_quick_look_at_the_end_never_differs_from_the_whole_rule() -> None:
    chance, seen = np.random.default_rng(7), []
    for _ in range(300):
        logits = chance.normal(0, 3, 200).astype(np.float32)
        denominator = sampling.log_denominator(logits, logits.max(), np.empty_like(logits))
        some = np.argsort(logits)[-int(chance.integers(1, 9)) :][:2]
        quick = sampling.should_end(logits, logits.max(), some, denominator)
        seen.append(quick)
        assert quick == sampling._is_ending(logits, some, denominator)
    assert 50 < sum(seen) < 250


def test_drawing_at_a_low_temperature_finds_the_likeliest() -> None:
    logits = row(1, 9, 3)
    chance = np.random.default_rng(1)
    assert {sampling.draw(logits, 0.05, chance) for _ in range(50)} == {1}


def test_drawing_at_a_high_temperature_finds_others() -> None:
    logits = row(1, 2, 1)
    chance = np.random.default_rng(1)
    assert {sampling.draw(logits, 5.0, chance) for _ in range(200)} == {0, 1, 2}


def test_only_some_tokens_are_left() -> None:
    assert list(sampling.only(row(1, 2, 3), [0, 2])) == [1, -np.inf, 3]
