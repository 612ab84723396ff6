"""What is drafted, when that pays, and that it changes no answer."""

from collections.abc import Sequence

import numpy as np
import pytest

from fimserver.engine.answer import Answer
from fimserver.engine.drafting import Drafter, Lookup, Match, Record, best_length
from fimserver.engine.interface import GenerateRequest
from fimserver.engine.loaded import Loaded
from fimserver.engine.sampling import is_clear
from tests.engine.worker_rig import PREFIX, Listener, answered, fim

ABC = [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(
    ("tokens", "match"),
    [
        pytest.param([*ABC, 9, 1, 2, 3, 4], Match([5, 6, 9], 4), id="what followed the last tokens before"),
        pytest.param([*ABC, 9, 2, 3, 4], None, id="three tokens are too few"),
        pytest.param([*ABC, 9, *ABC], Match([9, 1, 2], 6), id="a match that reaches the text's beginning"),
        pytest.param([*ABC, 7, 8, *ABC[2:], 9, 9, *ABC], Match([7, 8, 3], 6), id="the longer match before the later"),
        pytest.param([*ABC, 7, *ABC, 8, *ABC], Match([8, 1, 2], 6), id="of equals the later"),
        pytest.param([5] * 9, Match([5], 8), id="a text that overlaps itself"),
        pytest.param([], None, id="no text"),
        pytest.param([1, 2, 3], None, id="less text than a match"),
        pytest.param(
            [0x0101, 0x01010101, 0, 0, 7, 0x0101, 0x01010101, 0, 0],
            Match([7, 257, 16843009], 4),
            id="bytes that look alike",
        ),
    ],
)
def test_a_match(tokens: list[int], match: Match | None) -> None:
    assert Lookup(tokens).match(3) == match


def test_every_match_is_one() -> None:
    chance = np.random.default_rng(3)
    found = 0
    for _ in range(300):
        tokens = chance.integers(0, 2, int(chance.integers(0, 40))).tolist()
        match = Lookup(tokens).match(8)
        ends = [end for end in range(4, len(tokens)) if tokens[end - 4 : end] == tokens[-4:]]
        assert (match is None) == (not ends)
        if match:
            found += 1
            assert any(tokens[end : end + 8] == match.following for end in ends)
    assert found > 100


def cpu(tokens: int) -> float:
    """The measured cost of a batch on two threads of a CPU, 1.5B parameters."""
    return {5: 3.5, 9: 7.3, 17: 8.9, 33: 13.6}[tokens]


@pytest.mark.parametrize(
    ("available", "share", "length"),
    [
        pytest.param(32, 0.99, 32, id="what is all but certain is drafted at length"),
        pytest.param(16, 0.99, 16, id="as far as it goes"),
        pytest.param(4, 0.9, 4, id="a short draft that is mostly right is just worth it"),
        pytest.param(8, 0.8, 0, id="one that is often wrong is not"),
        pytest.param(3, 1.0, 0, id="nor one of three tokens"),
    ],
)
def test_a_cpu_pays_for_every_token(available: int, share: float, length: int) -> None:
    assert best_length(available, share, cpu) == length


@pytest.mark.parametrize("share", [0.5, 0.7, 0.9])
def test_where_batches_cost_nothing_everything_is_drafted(share: float) -> None:
    assert best_length(32, share, lambda tokens: 1.0 + tokens / 1000) > 0


def test_where_the_cost_is_not_known_nothing_is_drafted() -> None:
    assert best_length(32, 1.0, lambda _: None) == 0


def test_drafts_that_fail_are_given_up_and_tried_again_when_they_would_have_been_right() -> None:
    record = Record()
    believed = record.share(20)
    for _ in range(20):
        record.note(20, drafted=16, accepted=1)
    assert record.share(20) < 0.6
    for _ in range(40):
        record.note(20, drafted=16, accepted=16)
    assert record.share(20) > believed


def test_each_kind_of_match_keeps_its_own_record() -> None:
    record = Record()
    before = record.share(4)
    record.note(20, drafted=16, accepted=0)
    assert record.share(4) == before
    assert record.share(4) < Record().share(8) < Record().share(16)


TEXT = list(range(100, 140)) * 2


def drafted(record: Record, cost: float, steps: Sequence[Sequence[int]]) -> list[list[int]]:
    """Return the drafts made at each length of a text."""
    drafter = Drafter(steps[0], record, lambda _: cost)
    return [drafter.draft(text, 8) for text in steps]


def test_a_draft_follows_the_text() -> None:
    assert drafted(Record(), 1.0, [TEXT[:60], TEXT[:69]]) == [TEXT[60:68], TEXT[69:77]]


def test_after_a_wrong_draft_the_next_one_is_looked_up_anew() -> None:
    assert drafted(Record(), 1.0, [TEXT[:60], [*TEXT[:60], 7], [*TEXT[:60], 7, *TEXT[:4]]]) == [
        TEXT[60:68],
        [],
        TEXT[4:12],
    ]


@pytest.mark.parametrize("cost", [1.0, 1000.0], ids=["drafted", "only guessed"])
def test_what_comes_true_is_noted_whether_it_was_drafted_or_not(cost: float) -> None:
    right, wrong = Record(), Record()
    drafted(right, cost, [TEXT[:45], TEXT[:79]])
    drafted(wrong, cost, [TEXT[:45], [*TEXT[:45], 7]])
    assert wrong.share(5) < Record().share(5) < right.share(5)


# With the embedded model.


class Eager(Loaded):
    """A model for which a batch of any length costs what one token costs."""

    def drafter(self, tokens: Sequence[int]) -> Drafter:
        return Drafter(tokens, self.record, lambda _: 1.0)


@pytest.fixture
def plain(model: Loaded) -> Loaded:
    model.memory.clear()
    return Loaded(model.llama, model.base_facts, model.threads, drafts=False)


@pytest.fixture
def eager(model: Loaded) -> Loaded:
    return Eager(model.llama, model.base_facts, model.threads)


COPYING = PREFIX + PREFIX.replace("1, 1", "2, 2")


@pytest.mark.parametrize(
    "prefix",
    [
        pytest.param(COPYING + "    def test_one(self):\n        self.assertEqual", id="text that is being copied"),
        pytest.param("import os\nimport sys\n\n\ndef main():\n    ", id="text that is not"),
        pytest.param("DATA = [\n" + "    (1, 2, 3, 4),\n" * 12, id="a table"),
        pytest.param("x = 1\n" * 30, id="the same line over and over"),
    ],
)
def test_an_answer_is_the_same_with_drafts_and_without(plain: Loaded, eager: Loaded, prefix: str) -> None:
    request = GenerateRequest(prompt=fim(prefix), max_tokens=60)
    expected = answered(plain, request)
    plain.memory.clear()
    drafted = answered(eager, request)
    assert drafted.text == expected.text
    assert drafted.finish is expected.finish
    assert drafted.usage.generated_tokens == expected.usage.generated_tokens
    assert [chunk.logprob for chunk in drafted.chunks] == pytest.approx(
        [chunk.logprob for chunk in expected.chunks], abs=0.1
    )


def test_copied_text_takes_fewer_batches_than_tokens(plain: Loaded, eager: Loaded) -> None:
    heard, batches = Listener(), 0
    request = GenerateRequest(prompt=fim(COPYING + "    def test_one(self):\n        self.assertEqual"), max_tokens=40)
    for _ in Answer(request, 0.0, eager, heard).steps():  # pauses before each batch
        batches += 1
    assert heard.usage.generated_tokens == 40
    assert batches < 30


def test_what_was_drafted_wrongly_is_not_reused(plain: Loaded, eager: Loaded) -> None:
    request = GenerateRequest(prompt=fim("x = 1\n" * 30), max_tokens=20)
    assert answered(eager, request).text == answered(eager, request).text


@pytest.mark.parametrize(
    ("row", "ends", "clear"),
    [
        pytest.param([5.0, 1.0, 0.0], [2], True, id="one token stands out"),
        pytest.param([5.0, 4.9, 0.0], [2], False, id="two are about as likely"),
        pytest.param([5.0, 1.0, 3.2], [2], False, id="the end is near"),
        pytest.param([5.0, 1.0, 0.0], [], True, id="there are no end tokens"),
    ],
)
def test_where_other_roundings_could_decide(row: list[float], ends: list[int], clear: bool) -> None:
    assert is_clear(np.array(row, np.float32), np.array(ends, np.intp)) is clear
