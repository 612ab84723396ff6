"""The newest request of a document goes on, the older one is answered."""

import asyncio

import pytest

from fimserver.complete.turns import Turns, quiet_ms


async def test_a_newer_request_displaces_the_older() -> None:
    turns, never = Turns(), asyncio.Event()
    began = asyncio.Event()

    async def first() -> bool | None:
        with turns.take("a") as turn:
            began.set()
            return await turn.while_mine(never.wait())

    older = asyncio.create_task(first())
    await began.wait()
    with turns.take("a") as turn:
        assert await turn.while_mine(asyncio.sleep(0, "answer")) == "answer"
    assert await older is None


async def test_displaced_work_is_cancelled_before_the_turn_ends() -> None:
    turns, events = Turns(), list[str]()
    began = asyncio.Event()

    async def work() -> None:
        try:
            began.set()
            await asyncio.Event().wait()
        finally:
            events.append("cleaned up")

    async def first() -> None:
        with turns.take("a") as turn:
            await turn.while_mine(work())
        events.append("answered")

    older = asyncio.create_task(first())
    await began.wait()
    with turns.take("a"):
        await older
    assert events == ["cleaned up", "answered"]


async def test_other_documents_have_their_own_turn() -> None:
    turns = Turns()
    with turns.take("a") as first, turns.take("b") as second:
        assert await first.while_mine(asyncio.sleep(0, 1)) == 1
        assert await second.while_mine(asyncio.sleep(0, 2)) == 2


async def test_cancelling_the_request_cancels_the_work() -> None:
    turns, ended = Turns(), asyncio.Event()
    began = asyncio.Event()

    async def work() -> None:
        try:
            began.set()
            await asyncio.Event().wait()
        finally:
            ended.set()

    async def request() -> None:
        with turns.take("a") as turn:
            await turn.while_mine(work())

    task = asyncio.create_task(request())
    await began.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended.is_set()


async def test_a_request_that_is_cancelled_and_displaced_at_once_is_cancelled() -> None:
    turns, began = Turns(), asyncio.Event()

    async def request() -> None:
        with turns.take("a") as turn:
            began.set()
            await turn.while_mine(asyncio.Event().wait())

    task = asyncio.create_task(request())
    await began.wait()
    task.cancel()
    with turns.take("a"), pytest.raises(asyncio.CancelledError):
        await task


async def test_a_displaced_request_goes_on_undisturbed() -> None:
    turns, began = Turns(), asyncio.Event()

    async def request() -> str:
        with turns.take("a") as turn:
            began.set()
            assert await turn.while_mine(asyncio.Event().wait()) is None
        await asyncio.sleep(0)
        task = asyncio.current_task()
        return "answered" if task is not None and not task.cancelling() else "cancelled"

    task = asyncio.create_task(request())
    await began.wait()
    with turns.take("a"):
        assert await task == "answered"


async def test_a_cancellation_is_taken_back_though_the_displaced_work_fails_over_it() -> None:
    turns, began = Turns(), asyncio.Event()

    async def work() -> None:
        began.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise ValueError("broken") from None

    async def request() -> int:
        with turns.take("a") as turn, pytest.raises(ValueError, match="broken"):
            await turn.while_mine(work())
        task = asyncio.current_task()
        return task.cancelling() if task is not None else -1

    task = asyncio.create_task(request())
    await began.wait()
    with turns.take("a"):
        assert await task == 0


@pytest.mark.parametrize(
    ("fixed", "gap", "answer", "wait"),
    [
        pytest.param(0, 120, 30, 0, id="a quick engine is asked at once"),
        pytest.param(0, 120, 400, 60, id="a slow engine waits half a typing gap"),
        pytest.param(0, 400, 400, 75, id="never longer than is felt"),
        pytest.param(0, 5_000, 400, 0, id="after a pause there is no burst to wait for"),
        pytest.param(200, 120, 30, 200, id="the user's own setting wins"),
    ],
)
def test_quiet_time(fixed: int, gap: float, answer: float, wait: float) -> None:
    assert quiet_ms(fixed, gap, answer) == wait
