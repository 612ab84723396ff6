"""The number of threads that is quickest of late is used, and the others are tried now and then."""

from collections import Counter

import pytest

from fimserver.engine.threads import ThreadChoice, thread_candidates


def used(choice: ThreadChoice, seconds_of: dict[int, float], batches: int, tokens: int = 1) -> Counter[int]:
    counted: Counter[int] = Counter()
    for _ in range(batches):
        threads = choice.for_batch(tokens)
        counted[threads] += 1
        choice.note(tokens, threads, seconds_of[threads])
    return counted


@pytest.mark.parametrize(
    ("seconds_of", "quickest"),
    [
        pytest.param({4: 0.01, 2: 0.02, 1: 0.03}, 4, id="all where nobody else computes"),
        pytest.param({4: 0.4, 2: 0.02, 1: 0.001}, 1, id="one where another program holds a core"),
    ],
)
def test_the_quickest_is_used_almost_always(seconds_of: dict[int, float], quickest: int) -> None:
    assert used(ThreadChoice((4, 2, 1)), seconds_of, 480)[quickest] >= 460


def test_a_core_that_becomes_busy_is_noticed_within_a_few_tokens() -> None:
    choice = ThreadChoice((4, 1))
    used(choice, {4: 0.01, 1: 0.03}, 100)
    assert used(choice, {4: 0.4, 1: 0.03}, 20)[4] <= 3


def test_a_core_that_becomes_free_is_noticed_when_the_others_are_tried() -> None:
    choice = ThreadChoice((4, 1))
    used(choice, {4: 0.4, 1: 0.03}, 100)
    assert used(choice, {4: 0.01, 1: 0.03}, 600)[4] >= 300


def test_decoding_and_prefill_are_judged_apart() -> None:
    choice = ThreadChoice((4, 1))
    used(choice, {4: 0.4, 1: 0.001}, 100)
    assert used(choice, {4: 0.1, 1: 0.3}, 100, tokens=128)[4] >= 95


@pytest.mark.parametrize(
    ("wanted", "most", "megabytes", "candidates"),
    [
        (0, 1, 1_000, (1,)),
        (0, 2, 1_000, (2, 1)),
        (0, 3, 1_000, (3, 2, 1)),
        (0, 8, 1_000, (8, 4, 1)),
        (0, 8, 7, (1, 4, 8)),
        (6, 8, 7, (6,)),
    ],
)
def test_candidates(wanted: int, most: int, megabytes: int, candidates: tuple[int, ...]) -> None:
    assert thread_candidates(wanted, most, megabytes * 1_000_000) == candidates
