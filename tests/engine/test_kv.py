"""Where a prompt is evaluated: the plans of the KV cache's book."""

from collections.abc import Iterable, Mapping

import pytest

from fimserver.engine.kv import CHEAP_TAIL_TOKENS, Book, Plan, common_length

LONG = CHEAP_TAIL_TOKENS + 1


def text(start: int, length: int) -> list[int]:
    return list(range(start, start + length))


def book(held: Mapping[int, list[int]], *, cells: int = 4096, sequences: int = 4, rewindable: bool = True) -> Book:
    """Return a book in which the sequences were evaluated in the order given."""
    made = Book(cells, sequences, rewindable=rewindable)
    for number, tokens in held.items():
        made.extend(number, tokens)
    return made


FILE, OTHER = text(0, 200), text(1000, 200)
TYPED = [7001, 7002]
SUGGESTED = text(8000, 20)
PASTED = text(9000, LONG)


@pytest.mark.parametrize(
    ("held", "prompt", "plan"),
    [
        pytest.param({}, FILE, Plan(0, 0, clear=(0,)), id="an empty cache starts anew in its first sequence"),
        pytest.param({0: FILE}, FILE + TYPED, Plan(0, 200), id="typing goes on in its sequence"),
        pytest.param(
            {0: FILE + SUGGESTED}, FILE + TYPED, Plan(0, 200), id="a suggestion that was not taken is forgotten"
        ),
        pytest.param(
            {0: FILE + SUGGESTED},
            FILE + SUGGESTED[:5] + TYPED,
            Plan(0, 205),
            id="of a suggestion, what was accepted is kept",
        ),
        pytest.param({0: FILE + TYPED}, FILE, Plan(0, 199), id="deleting evaluates the last token again"),
        pytest.param({0: FILE}, FILE, Plan(0, 199), id="the same prompt evaluates only its last token"),
        pytest.param({0: FILE}, OTHER, Plan(1, 0, clear=(1,)), id="another file takes another sequence"),
        pytest.param({0: FILE, 1: OTHER}, FILE + TYPED, Plan(0, 200), id="coming back to a file finds it warm"),
        pytest.param(
            {0: FILE + PASTED},
            FILE + TYPED,
            Plan(1, 200, branch_from=0, clear=(1,)),
            id="a long tail is left warm, and the prompt branches off",
        ),
        pytest.param(
            {0: FILE[:10] + PASTED},
            FILE,
            Plan(1, 0, clear=(1,)),
            id="a short beginning in common is not worth a branch",
        ),
        pytest.param(
            {0: FILE[:5] + TYPED},
            FILE,
            Plan(1, 0, clear=(1,)),
            id="for five tokens in common nothing is forgotten",
        ),
        pytest.param(
            {0: FILE[:5] + TYPED},
            FILE[:5],
            Plan(0, 4),
            id="a short prompt that is there as a whole is gone on from",
        ),
        pytest.param(
            {0: FILE + TYPED, 1: FILE},
            FILE + SUGGESTED,
            Plan(1, 200),
            id="of two with the same beginning, the one that has less to forget",
        ),
        pytest.param(
            {1: text(100, LONG), 0: text(300, LONG), 3: text(500, LONG), 2: text(700, LONG)},
            FILE,
            Plan(1, 0, clear=(1,)),
            id="with no empty sequence the least recently used one goes",
        ),
        pytest.param(
            {1: text(500, LONG), 0: FILE + PASTED, 3: text(300, LONG), 2: text(700, LONG)},
            FILE + TYPED,
            Plan(1, 200, branch_from=0, clear=(1,)),
            id="with no empty sequence a branch takes the least recently used one",
        ),
    ],
)
def test_a_plan(held: Mapping[int, list[int]], prompt: list[int], plan: Plan) -> None:
    assert book(held).plan(prompt) == plan


def test_warming_what_is_there_evaluates_nothing() -> None:
    assert book({0: FILE}).plan(FILE, needs_logits=False) == Plan(0, 200)


def test_warming_another_window_leaves_what_somebody_types_behind() -> None:
    assert book({0: FILE + TYPED}).plan(FILE + SUGGESTED, needs_logits=False) == Plan(1, 200, 0, (1,))


def test_warming_in_the_only_sequence_forgets_its_tail() -> None:
    assert book({0: FILE + TYPED}, sequences=1).plan(FILE + SUGGESTED, needs_logits=False) == Plan(0, 200)


@pytest.mark.parametrize(
    ("held", "prompt", "busy", "plan"),
    [
        pytest.param({0: FILE}, FILE + TYPED, [0], Plan(0, 200), id="typing goes on where warming has come to"),
        pytest.param(
            {0: FILE + TYPED},
            FILE + SUGGESTED,
            [0],
            Plan(1, 200, branch_from=0, clear=(1,)),
            id="what paused work still needs is not forgotten",
        ),
        pytest.param(
            {0: FILE, 1: text(300, LONG), 2: text(500, LONG), 3: text(700, LONG)},
            OTHER,
            [0, 1],
            Plan(2, 0, clear=(2,)),
            id="the sequences of paused work are spared",
        ),
        pytest.param(
            {0: FILE, 1: text(300, LONG), 2: text(500, LONG), 3: text(700, LONG)},
            FILE + TYPED,
            [1, 2, 3],
            Plan(0, 200),
            id="the only idle sequence goes on",
        ),
    ],
)
def test_a_plan_beside_paused_work(
    held: Mapping[int, list[int]], prompt: list[int], busy: list[int], plan: Plan
) -> None:
    assert book(held).plan(prompt, busy=busy) == plan


@pytest.mark.parametrize(
    ("held", "prompt", "plan"),
    [
        pytest.param(
            {0: text(0, 200), 1: text(300, 200), 2: text(600, 500)},
            text(2000, 200),
            Plan(3, 0, clear=(3, 0)),
            id="the least recently used sequence makes room",
        ),
        pytest.param(
            {0: text(0, 200), 1: text(300, 200), 2: text(600, 500)},
            text(2000, 400),
            Plan(3, 0, clear=(3, 0, 1)),
            id="as many as are needed make room",
        ),
        pytest.param(
            {0: text(0, 300), 1: text(300, 400), 2: text(900, 200)},
            text(0, 300) + text(4000, 200),
            Plan(0, 300, clear=(1,)),
            id="the sequence that goes on is spared, however old",
        ),
        pytest.param(
            {0: text(0, 900)},
            text(0, 400) + text(4000, 500),
            Plan(0, 400),
            id="where a branch does not fit, its source's tail is forgotten",
        ),
    ],
)
def test_a_plan_that_needs_room(held: Mapping[int, list[int]], prompt: list[int], plan: Plan) -> None:
    assert book(held, cells=1000).plan(prompt) == plan


@pytest.mark.parametrize(
    ("held", "prompt", "plan"),
    [
        pytest.param({0: FILE}, FILE + TYPED, Plan(0, 200), id="going on at the very end is possible"),
        pytest.param({0: FILE + SUGGESTED}, FILE + TYPED, Plan(1, 0, clear=(1,)), id="rewinding is not"),
        pytest.param({0: FILE}, FILE, Plan(1, 0, clear=(1,)), id="nor by a single token"),
        pytest.param(
            {0: FILE, 1: FILE + SUGGESTED}, FILE + TYPED, Plan(0, 200), id="a sequence that ends earlier is of use"
        ),
    ],
)
def test_a_plan_for_a_model_that_cannot_rewind(held: Mapping[int, list[int]], prompt: list[int], plan: Plan) -> None:
    assert book(held, rewindable=False).plan(prompt) == plan


def test_shared_cells_are_counted_once() -> None:
    shared = book({0: FILE})
    shared.branch(0, 1, 150)
    shared.extend(1, TYPED)
    assert shared.cells_taken() == 202
    assert shared.cells_taken(without=[0]) == 152
    assert shared.cells_taken(without=[1]) == 200


def test_clearing_a_source_frees_only_what_no_branch_shares() -> None:
    shared = book({0: text(0, 600)}, cells=1000)
    shared.branch(0, 1, 500)
    assert shared.room_for(400, 1) == ()
    assert shared.room_for(500, 1) == (0,)
    assert shared.room_for(501, 1) is None


def test_room_is_made_from_paused_work_last() -> None:
    crowded = book({0: text(0, 300), 1: text(300, 300), 2: text(600, 300)}, cells=1000)
    assert crowded.room_for(200, 2, busy=[0]) == (1,)
    assert crowded.room_for(500, 2, busy=[0]) == (1, 0)


def applied(plan: Plan, to: Book, prompt: list[int]) -> None:
    for number in plan.clear:
        to.clear(number)
    if plan.branch_from is not None:
        to.branch(plan.branch_from, plan.sequence, plan.keep)
    to.cut(plan.sequence, plan.keep)
    to.extend(plan.sequence, prompt[plan.keep :])


def test_two_files_in_turn_stay_warm() -> None:
    kept = []
    with_both = book({}, cells=1000)
    for prompt in (FILE, OTHER, FILE + TYPED, OTHER + TYPED, FILE, OTHER):
        plan = with_both.plan(prompt)
        kept.append(plan.keep)
        applied(plan, with_both, prompt)
    assert kept == [0, 0, 200, 200, 199, 199]


@pytest.mark.parametrize("cells", [300, 500, 1000])
def test_no_plan_ever_needs_more_cells_than_there_are(cells: int) -> None:
    prompts: Iterable[list[int]] = (FILE[: n * 13 % 200] + text(1000 * (n % 5), 40 + n * 7 % 60) for n in range(200))
    small = book({}, cells=cells)
    for prompt in prompts:
        applied(small.plan(prompt), small, prompt)
        assert small.cells_taken() <= cells


# What each token says; a control token says nothing.
PIECES = {1: b"_", 2: b"for", 3: b"got", 4: b"gotten", 5: b"", 6: b"_f"}


@pytest.mark.parametrize(
    ("behind", "forced", "said"),
    [
        pytest.param([[1, 2, 3]], b"_forgott", [1, 2, 3], id="what was said before is not chosen again"),
        pytest.param([[1, 2, 3]], b"_forgot", [1, 2, 3], id="all of the text was said before"),
        pytest.param([[1, 2, 4]], b"_forgott", [1, 2], id="not what goes beyond the text"),
        pytest.param([[1, 5, 2]], b"_forgott", [1], id="not what is no text"),
        pytest.param([[6], [1, 2]], b"_forgott", [1, 2], id="the longest of several"),
        pytest.param([[2]], b"_forgott", [], id="what says something else helps nobody"),
    ],
)
def test_what_was_said_before(behind: list[list[int]], forced: bytes, said: list[int]) -> None:
    held = {number: FILE + tokens for number, tokens in enumerate(behind)}
    assert book(held).said(FILE, forced, PIECES.__getitem__) == said


def test_nothing_was_said_behind_another_prompt() -> None:
    assert book({0: [*FILE[1:], 1, 2]}).said(FILE, b"_forgott", PIECES.__getitem__) == []


@pytest.mark.parametrize(
    ("left", "right", "length"),
    [([], [], 0), ([1], [], 0), ([1, 2], [1, 2], 2), ([1, 2, 3], [1, 2], 2), ([1, 2, 3], [1, 4, 3], 1), ([1], [2], 0)],
)
def test_common_length(left: list[int], right: list[int], length: int) -> None:
    assert common_length(left, right) == length
