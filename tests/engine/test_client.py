"""The client against a real engine process: everything an editor's day can do to it."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import psutil
import pytest

from fimserver.engine.backoff import Patience
from fimserver.engine.client import EngineClient
from fimserver.engine.interface import Chunk, EngineState, EngineStatus, Finish, GenerateRequest
from fimserver.engine.place import place_of
from fimserver.engine.wire import EngineOptions
from fimserver.errors import (
    EngineLoading,
    EngineRefused,
    EngineUnavailable,
    ModelBroken,
    ModelMissing,
    ModelTooLarge,
    PromptTooLong,
)
from tests.engine.rig import Ear, client_of, engine_process, options_for
from tests.engine.standin import prompt, request

EAGER = Patience(first_rest_s=0)


@pytest.fixture
async def client(options: EngineOptions) -> AsyncIterator[EngineClient]:
    async with client_of(options, patience=EAGER) as client:
        await client.loaded()
        yield client


async def answer(client: EngineClient, text: str) -> str:
    return "".join([chunk.text async for chunk in client.generate(request(text))])


async def first_chunk(chunks: AsyncIterator[Chunk]) -> Chunk:
    return await anext(aiter(chunks))


async def test_an_answer_streams_chunk_by_chunk_and_ends_with_a_finish(client: EngineClient) -> None:
    chunks = [chunk async for chunk in client.generate(request("say a b"))]
    assert [chunk.text for chunk in chunks] == ["a", "b", ""]
    assert [chunk.finish for chunk in chunks] == [None, None, Finish.END_OF_TEXT]
    assert chunks[0].logprob == -0.5
    assert chunks[-1].usage.generated_tokens == 2


async def test_many_answers_come_over_one_line_at_once(client: EngineClient) -> None:
    answers = await asyncio.gather(*(answer(client, f"say {number} {number}") for number in range(50)))
    assert answers == [f"{number}{number}" for number in range(50)]
    assert (await client.ask_status()).clients == 1


async def test_warming_returns_what_it_cost(client: EngineClient) -> None:
    assert (await client.warm(prompt("three words here"))).prompt_tokens == 3


async def test_an_error_of_the_engine_arrives_as_itself(client: EngineClient) -> None:
    with pytest.raises(PromptTooLong, match="too long"):
        await answer(client, "refuse")
    assert await answer(client, "say on") == "on"


async def test_text_of_any_kind_arrives_unchanged(client: EngineClient) -> None:
    text = "é🙂\u2028\x00\ud800"
    assert await answer(client, f"say {text}") == text


async def test_closing_the_iterator_cancels(client: EngineClient) -> None:
    async with aclosing(client.generate(request("hold"))) as chunks:
        assert (await first_chunk(chunks)).text == "holding"
    assert await answer(client, "cancelled_jobs 1") == ""


async def test_cancelling_the_task_cancels(client: EngineClient) -> None:
    started = asyncio.Event()

    async def read() -> None:
        async with aclosing(client.generate(request("hold"))) as chunks:
            async for _ in chunks:
                started.set()

    task = asyncio.create_task(read())
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await answer(client, "cancelled_jobs 1") == ""


async def test_answers_that_are_cancelled_in_any_order_leave_the_others_alone(client: EngineClient) -> None:
    held = [client.generate(request("hold")) for _ in range(6)]
    for chunks in held:
        await first_chunk(chunks)
    for index in (3, 0, 5, 1):
        await held[index].aclose()
    assert await answer(client, "cancelled_jobs 4") == ""
    assert (await client.ask_status()).state == EngineState.READY
    await held[2].aclose()
    await held[4].aclose()


async def test_requests_while_the_model_is_read_raise_engine_loading(home: Path) -> None:
    slow = home / "model.gguf.slow"
    slow.touch()
    ear = Ear()
    async with client_of(options_for(home), on_status=ear) as client:
        assert client.status().state == EngineState.ABSENT
        with pytest.raises(EngineLoading):
            await answer(client, "say early")
        with pytest.raises(EngineLoading):
            await client.describe()
        with pytest.raises(EngineLoading):
            await client.warm(prompt("early"))
        loading = asyncio.create_task(client.loaded())
        slow.unlink()
        assert (await loading).name == "standin"
        assert await answer(client, "say now") == "now"
        await ear.hears(EngineState.READY)
    await ear.hears(EngineState.ABSENT)
    states = [status.state for status in ear.heard]
    assert list(dict.fromkeys(states)) == ["starting", "loading", "ready", "absent"]
    assert 50 in [status.percent for status in ear.heard]


async def test_waiting_for_the_model_can_be_given_up(home: Path) -> None:
    slow = home / "model.gguf.slow"
    slow.touch()
    async with client_of(options_for(home)) as client:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.loaded(), 0.3)
        slow.unlink()
        assert (await client.loaded()).name == "standin"


async def test_a_model_that_cannot_be_loaded_is_named_to_everyone_who_asks(home: Path) -> None:
    (home / "model.gguf.broken").touch()
    async with client_of(options_for(home)) as client:
        for ask in (client.loaded, client.describe, lambda: client.warm(prompt("x")), lambda: answer(client, "say x")):
            with pytest.raises(ModelBroken, match="The model is broken"):
                await ask()
        assert client.status().state == EngineState.FAILED


async def test_a_library_that_cannot_be_imported_is_named(home: Path) -> None:
    (home / "model.gguf.missing").touch()
    async with client_of(options_for(home)) as client:
        with pytest.raises(EngineUnavailable, match="There is no library"):
            await client.loaded()


async def test_a_missing_model_starts_nothing(home: Path) -> None:
    async with client_of(EngineOptions(model_path=str(home / "nothing.gguf"))) as client:
        with pytest.raises(ModelMissing, match="There is no model file"):
            await client.loaded()
        assert client.status().state == EngineState.FAILED
    assert not (home / "run").exists()


@pytest.mark.parametrize("how", ["kill", "abort"])
async def test_an_engine_that_dies_is_heard_at_once_and_the_next_request_starts_another(
    client: EngineClient, how: str, options: EngineOptions
) -> None:
    first = engine_process(options)
    waiting = [asyncio.create_task(answer(client, "hold")) for _ in range(3)]
    with pytest.raises(EngineUnavailable, match="stopped unexpectedly"):
        await answer(client, how)
    for task in waiting:
        with pytest.raises(EngineUnavailable):
            await task
    assert client.status().state == EngineState.FAILED
    await client.loaded()
    assert await answer(client, "say again") == "again"
    assert engine_process(options) != first


async def test_an_engine_that_is_killed_while_it_loads_is_heard_at_once(home: Path) -> None:
    (home / "model.gguf.slow").touch()
    options, ear = options_for(home), Ear()
    async with client_of(options, on_status=ear) as client:
        waiting = asyncio.create_task(client.loaded())
        await ear.hears(EngineState.LOADING)
        os.kill(engine_process(options), signal.SIGKILL)
        with pytest.raises(EngineUnavailable, match=r"stopped unexpectedly while it was reading .*model\.gguf"):
            await waiting
        (home / "model.gguf.slow").unlink()
        assert (await client.loaded()).name == "standin"


async def test_the_last_words_of_a_dead_engine_are_told(client: EngineClient) -> None:
    with pytest.raises(EngineUnavailable, match=r"Its last words: GGML_ASSERT\(n_tokens > 0\) failed$"):
        await answer(client, "abort")


async def test_an_engine_that_is_killed_while_idle_costs_no_request(options: EngineOptions) -> None:
    ear = Ear()
    async with client_of(options, on_status=ear) as client:
        await client.loaded()
        os.kill(engine_process(options), signal.SIGKILL)
        await ear.hears(EngineState.FAILED)
        await client.loaded()
        assert await answer(client, "say on") == "on"


async def test_a_frozen_engine_is_noticed_killed_and_replaced(options: EngineOptions) -> None:
    ear = Ear()
    async with client_of(options, on_status=ear) as client:
        await client.loaded()
        first = engine_process(options)
        async with client_of(options, patience=Patience(silence_s=0.5)) as impatient:
            with pytest.raises(EngineUnavailable, match="does not answer"):
                await answer(impatient, "freeze")
        await ear.hears(EngineState.FAILED)
        await client.loaded()
        assert await answer(client, "say again") == "again"
        assert engine_process(options) != first


async def test_an_engine_that_is_busy_for_long_is_not_taken_for_frozen(options: EngineOptions) -> None:
    async with client_of(options, patience=Patience(silence_s=1)) as client:
        await client.loaded()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(answer(client, "hold"), 2.5)
        assert await answer(client, "say alive") == "alive"


async def test_a_frozen_engine_is_replaced_when_a_new_client_comes(
    client: EngineClient, options: EngineOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fimserver.engine.launch._WELCOME_S", 2)
    async with client_of(options) as second:
        os.kill(engine_process(options), signal.SIGSTOP)
        assert (await second.loaded()).name == "standin"


async def test_an_engine_that_keeps_dying_is_given_up_until_somebody_asks(options: EngineOptions) -> None:
    patience = Patience(first_rest_s=0, most_stops=3)
    async with client_of(options, patience=patience) as client:
        for _ in range(3):
            await client.loaded()
            with pytest.raises(EngineUnavailable):
                await answer(client, "abort")
        with pytest.raises(EngineUnavailable, match=r"stopped 3 times .* GGML_ASSERT.* Run `fimserver doctor`"):
            await client.loaded()
        await client.restart()
        await client.loaded()
        assert await answer(client, "say better") == "better"


async def test_before_a_long_rest_is_over_requests_are_told_how_long_it_lasts(options: EngineOptions) -> None:
    async with client_of(options, patience=Patience(first_rest_s=30)) as client:
        await client.loaded()
        with pytest.raises(EngineUnavailable, match="stopped unexpectedly"):
            await answer(client, "kill")
        with pytest.raises(EngineUnavailable, match=r"stopped unexpectedly.* It is started again in \d+ s"):
            await answer(client, "say x")


async def test_an_engine_that_was_stopped_as_it_should_is_followed_by_another_unseen(
    client: EngineClient, options: EngineOptions
) -> None:
    first = engine_process(options)
    async with client_of(options) as other:
        assert await other.stop() is True
        assert await other.stop() is False
    assert (await client.loaded()).name == "standin"
    assert engine_process(options) != first


async def test_an_engine_that_has_left_before_its_goodbye_was_read_is_followed_by_another_unseen(
    client: EngineClient, options: EngineOptions
) -> None:
    first = engine_process(options)
    os.kill(first, signal.SIGTERM)
    psutil.Process(first).wait(20)  # nothing is read meanwhile: what is asked next is written to a closed socket
    assert (await client.loaded()).name == "standin"
    assert engine_process(options) != first


async def test_asking_for_the_status_starts_nothing(options: EngineOptions) -> None:
    async with client_of(options) as client:
        assert (await client.ask_status()).state == EngineState.ABSENT
        assert await client.stop() is False
    assert not place_of(options).lock.exists()


async def test_an_engine_that_must_not_be_started_is_not_and_may_be_later(options: EngineOptions) -> None:
    reasons = iter([ModelTooLarge("It does not fit.")])

    def may_start() -> None:
        if (reason := next(reasons, None)) is not None:
            raise reason

    async with client_of(options, may_start=may_start) as client:
        with pytest.raises(ModelTooLarge, match="It does not fit"):
            await client.describe()
        assert client.status().state is EngineState.FAILED
        assert not place_of(options).lock.exists()
        assert (await client.loaded()).name == "standin"


async def test_an_engine_that_runs_already_is_not_asked_whether_it_may(options: EngineOptions) -> None:
    def never() -> None:
        raise ModelTooLarge("It does not fit.")

    async with client_of(options) as first, client_of(options, may_start=never) as second:
        await first.loaded()
        assert (await second.loaded()).name == "standin"


async def test_who_leaves_last_ends_the_engine(options: EngineOptions) -> None:
    async with client_of(options) as first, client_of(options) as last:
        for client in (first, last):
            await client.loaded()
        await first.leave()
        while (await last.ask_status()).clients > 1:  # noqa: ASYNC110 - the engine hears of it in its own time
            await asyncio.sleep(0.01)
        assert await answer(last, "say on") == "on"
        await last.leave()
        assert (await last.ask_status()).state is EngineState.ABSENT


async def test_leaving_without_having_asked_ends_nobodys_engine(options: EngineOptions) -> None:
    async with client_of(options) as user, client_of(options) as other:
        await user.loaded()
        await other.leave()
        assert await answer(user, "say on") == "on"


async def test_twenty_clients_share_one_engine(options: EngineOptions) -> None:
    clients = [EngineClient(options, command=("standin-is-never-started-twice",)) for _ in range(20)]
    async with client_of(options) as first:
        await first.loaded()
        answers = await asyncio.gather(*(answer(client, f"say {index}") for index, client in enumerate(clients)))
        assert answers == [str(index) for index in range(20)]
        assert (await first.ask_status()).clients == 21
        for client in clients:
            await client.close()
        assert await answer(first, "say last") == "last"


async def test_a_listener_that_fails_harms_nobody(options: EngineOptions) -> None:
    def fail(status: EngineStatus) -> None:
        raise ZeroDivisionError

    async with client_of(options, on_status=fail) as client:
        await client.loaded()
        assert await answer(client, "say on") == "on"


async def test_a_client_that_was_closed_answers_nothing_more(options: EngineOptions) -> None:
    async with client_of(options) as client:
        await client.loaded()
        waiting = asyncio.create_task(answer(client, "hold"))
        await asyncio.sleep(0)
        await client.close()
        for task in (waiting, client.describe()):
            with pytest.raises(EngineUnavailable, match="let go"):
                await task
        assert client.status().state == EngineState.ABSENT


async def test_closing_while_the_engine_starts_leaves_nobody_waiting(options: EngineOptions) -> None:
    async with client_of(options) as client:
        waiting = asyncio.create_task(client.loaded())
        await asyncio.sleep(0)
        await client.close()
        with pytest.raises(EngineUnavailable):
            await waiting


async def test_a_waiter_that_is_cancelled_does_not_stop_the_start_for_the_others(options: EngineOptions) -> None:
    async with client_of(options) as client:
        first = asyncio.create_task(client.loaded())
        second = asyncio.create_task(client.loaded())
        await asyncio.sleep(0)
        first.cancel()
        assert (await second).name == "standin"
        assert first.cancelled()


async def test_a_request_that_makes_no_sense_is_refused_and_the_line_stays(client: EngineClient) -> None:
    with pytest.raises(EngineRefused, match="makes no sense"):
        async for _ in client.generate(GenerateRequest(prompt=prompt("say x"), max_tokens=-1)):
            pass
    assert await answer(client, "say on") == "on"
