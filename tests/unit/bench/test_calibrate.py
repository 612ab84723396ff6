"""Which confidence thresholds suit answers whose tokens' log-probabilities are known."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from fimserver.bench.calibrate import calibrated, given_up_after
from fimserver.bench.quality import Answer
from fimserver.complete.confidence import Gate

ANSWER = Answer(
    case="a", kind="line", language="python", wanted="x", text="x", reason="", right=True, exact=True, first_line=True,
    similarity=1.0, parses=True, generated_tokens=3, wasted_tokens=0, logprobs=(), ms=1.0,
)  # fmt: skip


def answer(right: bool, *logprobs: float) -> Answer:
    return replace(ANSWER, right=right, logprobs=logprobs)


@pytest.mark.parametrize(
    ("logprobs", "gate", "after"),
    [
        pytest.param([-1.2, -0.1], Gate(first=-1.0), 1, id="the first token is too unlikely"),
        pytest.param([-0.1, -4.0, -0.1], Gate(any=-3.0), 2, id="a later one is a guess"),
        pytest.param([-0.5, -3.0, -2.9], Gate(mean=-1.0), 2, id="the mean cannot recover by one certain token"),
        pytest.param([-0.5, -0.4], Gate(first=-1.0, any=-3.0, mean=-1.0), None, id="sure enough"),
    ],
)
def test_an_answer_is_given_up_as_early_as_its_tokens_tell(
    logprobs: Sequence[float], gate: Gate, after: int | None
) -> None:
    assert given_up_after(logprobs, gate) == after


def test_the_gate_parts_right_answers_from_wrong_ones() -> None:
    answers = [answer(True, -0.2, -0.2)] * 6 + [answer(False, -2.8, -0.2, -0.2)] * 4
    found = calibrated(answers)
    assert found is not None
    assert (found.shown, round(found.gain, 2)) == (0.6, 1.67)
    assert found.wasted == 4 / (4 + 12)


def test_without_a_right_answer_there_is_nothing_to_choose_by() -> None:
    assert calibrated([answer(False, -0.1)]) is None
