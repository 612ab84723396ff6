"""Who goes first, who gives way, who is given up: the worker's one thread, with the embedded model."""

import dataclasses
import random
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from fimserver.engine.interface import Chunk, EngineState, EngineStatus, Finish, GenerateRequest, Keep, Priority, Prompt
from fimserver.engine.worker import Job, Worker
from fimserver.errors import EngineRefused, ModelBroken, ModelMissing, PromptTooLong
from tests.engine.worker_rig import MODEL, OPTIONS, PREFIX, SUFFIX, Listener, ask, fim

# A grammar that never allows the end.
ENDLESS = "root ::= [a-z, ] root"


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("FIMSERVER_HOME", str(tmp_path_factory.mktemp("home")))
        running = Worker(OPTIONS, lambda _: None)
        running.start()
        yield running
        running.stop()


def request(prompt: Prompt | None = None, max_tokens: int = 8, **more: object) -> GenerateRequest:
    return GenerateRequest(prompt=prompt or fim(), max_tokens=max_tokens, **more)  # type: ignore[arg-type]


def submit(worker: Worker, name: str, priority: Priority, order: list[str]) -> Listener:
    """Submit a prompt to evaluate; its name is added to `order` when it is answered."""
    listener = Listener(lambda chunk: order.append(name) if chunk.finish else None)
    worker.submit(Job(request(priority=priority, max_tokens=0), listener))
    return listener


class Held:
    """Holds the worker inside the first chunk of a job, so that what is submitted meanwhile waits for certain."""

    def __init__(self, worker: Worker, priority: Priority = Priority.TYPING, max_tokens: int = 1) -> None:
        self._reached, self._go_on = threading.Event(), threading.Event()
        self.listener = Listener(self._stay)
        self.job = Job(request(fim("held = "), max_tokens, priority=priority), self.listener)
        worker.submit(self.job)
        assert self._reached.wait(200)

    def _stay(self, _: Chunk) -> None:
        if not self._reached.is_set():
            self._reached.set()
            assert self._go_on.wait(200)

    def release(self) -> None:
        self._go_on.set()


def test_jobs_that_wait_are_answered_by_priority_then_by_arrival(worker: Worker) -> None:
    order: list[str] = []
    held = Held(worker)
    listeners = []
    for name, priority in (
        ("warm", Priority.WARM),
        ("review", Priority.COMMAND),
        ("typing", Priority.TYPING),
        ("another review", Priority.COMMAND),
        ("typing elsewhere", Priority.TYPING),
    ):
        listeners.append(submit(worker, name, priority, order))
    held.release()
    for listener in listeners:
        listener.wait()
    assert order == ["typing", "typing elsewhere", "review", "another review", "warm"]


def test_the_prompt_where_the_cursor_rests_waits_for_nothing_that_is_prepared(worker: Worker) -> None:
    order: list[str] = []
    held = Held(worker)
    listeners = []
    for name, priority in (("warm", Priority.WARM), ("ahead", Priority.AHEAD), ("resting", Priority.RESTING)):
        listeners.append(submit(worker, name, priority, order))
    held.release()
    for listener in listeners:
        listener.wait()
    assert [listener.finish for listener in listeners[1:]] == [Finish.PREEMPTED, Finish.MAX_TOKENS]
    assert order == ["ahead", "resting", "warm"]  # what was prepared for another place is given up


def test_typing_goes_before_the_next_token_of_a_command(worker: Worker) -> None:
    seen: list[str] = []
    typing = Listener(lambda chunk: seen.append("typing"))

    def type_now(chunk: Chunk) -> None:
        seen.append("command")
        if len(seen) == 2:
            worker.submit(Job(request(fim(PREFIX + "x"), 3, priority=Priority.TYPING), typing))

    command = Listener(type_now)
    worker.submit(Job(request(fim("import "), 6, priority=Priority.COMMAND, grammar=ENDLESS), command))
    command.wait()
    assert typing.finish
    assert seen[:3] == ["command", "command", "typing"]
    assert seen[2:].index("command") == len(typing.chunks)
    assert command.usage.generated_tokens == 6


def test_a_command_goes_on_unchanged_after_typing(worker: Worker) -> None:
    wanted = request(fim("import "), 12, priority=Priority.COMMAND, grammar=ENDLESS)
    undisturbed = ask(worker, wanted).text
    keys: list[Listener] = []

    def type_a_key(_: Chunk) -> None:
        keys.append(Listener())
        worker.submit(Job(request(fim("y = " + "1" * len(keys)), 2), keys[-1]))

    command = Listener(type_a_key)
    worker.submit(Job(wanted, command))
    assert command.wait().text == undisturbed
    assert [key.wait().finish is None for key in keys] == [False] * 12


def test_what_is_prepared_ahead_ends_when_typing_goes_on(worker: Worker) -> None:
    typing = Listener()
    ahead = Listener(lambda _: worker.submit(Job(request(fim("z = "), 2), typing)) if len(ahead.chunks) == 1 else None)
    worker.submit(Job(request(fim("import "), 50, priority=Priority.AHEAD, grammar=ENDLESS), ahead))
    assert ahead.wait().finish is Finish.PREEMPTED
    assert ahead.usage.generated_tokens == 1
    typing.wait()


def test_warming_gives_way_and_is_finished_afterwards(worker: Worker) -> None:
    held = Held(worker)
    warming, typing = Listener(), Listener()
    worker.submit(Job(request(fim("q = 1\n" * 120), 0, priority=Priority.WARM), warming))
    worker.submit(Job(request(fim("r = "), 2), typing))
    held.release()
    typing.wait()
    assert warming.wait().finish is Finish.MAX_TOKENS
    assert warming.usage.evaluated_tokens + warming.usage.reused_tokens == warming.usage.prompt_tokens


@pytest.mark.parametrize(
    ("prefix", "priority", "reuses"),
    [
        pytest.param("rested_here = ", Priority.WARM, True, id="where it goes on from there"),
        pytest.param("rested_here = ", Priority.RESTING, True, id="where the cursor rested"),
        pytest.param("somewhere_else = ", Priority.WARM, False, id="not where it needs none of it"),
    ],
)
def test_typing_lets_the_batch_of_a_warming_end(
    worker: Worker, monkeypatch: pytest.MonkeyPatch, prefix: str, priority: Priority, *, reuses: bool
) -> None:
    ask(worker, request(max_tokens=0))  # so that the model is loaded
    assert worker._loaded is not None
    reached, go_on, decode = threading.Event(), threading.Event(), worker._loaded.llama.decode

    def held_decode(*arguments: object, **options: object) -> bool:
        reached.set()
        assert go_on.wait(200)
        return decode(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(worker._loaded.llama, "decode", held_decode)
    warming, typing = Listener(), Listener()
    suffix = f"\n\nfor number in range({int(reuses)}, {int(priority)}):\n    print(number, rested_here)\n"
    worker.submit(Job(request(fim("rested_here = ", suffix), 0, priority=priority), warming))
    assert reached.wait(200)
    worker.submit(Job(request(fim(f"{prefix}[", suffix), 1), typing))
    go_on.set()
    typing.wait()
    warming.wait()
    assert (typing.usage.reused_tokens > typing.usage.evaluated_tokens) is reuses


def test_a_cancelled_job_is_heard_of_no_more(worker: Worker) -> None:
    def give_up(_: Chunk) -> None:
        worker.cancel(job)

    listener = Listener(give_up)
    job = Job(request(fim("import "), 500, grammar=ENDLESS), listener)
    worker.submit(job)
    ask(worker, request(max_tokens=0))  # is answered once the first job is gone
    assert len(listener.chunks) == 1
    assert listener.finish is None


def test_a_job_cancelled_while_it_waits_is_never_begun(worker: Worker) -> None:
    held, never = Held(worker), Listener()
    job = Job(request(fim("s = "), 4), never)
    worker.submit(job)
    worker.cancel(job)
    held.release()
    ask(worker, request(max_tokens=0))
    assert never.chunks == []
    assert never.error is None


def test_cancelling_what_is_over_does_nothing(worker: Worker) -> None:
    listener = Listener()
    job = Job(request(), listener)
    worker.submit(job)
    listener.wait()
    worker.cancel(job)
    assert ask(worker, request()).finish is not None


def test_a_deadline_ends_an_answer(worker: Worker) -> None:
    def grow_old(_: Chunk) -> None:
        job.received_at -= 1000

    listener = Listener(grow_old)
    job = Job(request(fim("import "), 500, deadline_ms=60_000, grammar=ENDLESS), listener)
    worker.submit(job)
    assert listener.wait().finish is Finish.DEADLINE
    assert listener.usage.generated_tokens == 1


def test_a_deadline_that_passed_while_waiting_goes_before_everything(worker: Worker) -> None:
    order: list[str] = []
    held = Held(worker)
    late, urgent = Listener(lambda _: order.append("late")), Listener(lambda _: order.append("urgent"))
    worker.submit(Job(request(max_tokens=0), urgent))
    worker.submit(Job(request(fim("t = "), 4, priority=Priority.COMMAND, deadline_ms=0), late))
    held.release()
    assert late.wait().finish is Finish.DEADLINE
    urgent.wait()
    assert order[0] == "late"


def test_two_hundred_clients_at_once_are_all_answered(worker: Worker) -> None:
    listeners = [Listener() for _ in range(200)]
    for number, listener in enumerate(listeners):
        worker.submit(Job(request(fim(f"client_{number % 17} = "), 1), listener))
    assert {listener.wait().finish is None for listener in listeners} == {False}


def a_request(chance: random.Random) -> GenerateRequest:
    prefix = FILES[chance.randrange(len(FILES))]
    typed = chance.choice(("", "x", "def f(", "    return "))
    return request(
        fim(prefix[: chance.randrange(1, len(prefix))] + typed, chance.choice(("\n", "", SUFFIX))),
        chance.choice((0, 0, 1, 4, 16)),
        priority=chance.choice(list(Priority)),
        forced=chance.choice(("", "", "retur", "é", "\n\n")),
        stop_texts=chance.choice(((), ("\n",))),
        deadline_ms=chance.choice((None, None, None, 0.0, 20.0)),
    )


FILES = ["".join(f"name_{line}_{file} = {line * file}\n" for line in range(30)) for file in range(5)]


@pytest.mark.parametrize("cells", [512, 2048], ids=["one context", "four contexts"])
def test_a_storm_of_requests_leaves_the_book_in_step_with_the_cache(
    cells: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIMSERVER_HOME", str(tmp_path))
    chance = random.Random(cells)
    stormy = Worker(dataclasses.replace(OPTIONS, context_tokens=cells), lambda _: None)
    stormy.start()
    jobs: list[tuple[Job, Listener]] = []
    for _ in range(60):
        listener = Listener()
        jobs.append((Job(a_request(chance), listener), listener))
        stormy.submit(jobs[-1][0])
        if chance.random() < 0.3:
            stormy.cancel(chance.choice(jobs)[0])
        if chance.random() < 0.05:
            jobs[-1][0].cancelled or listener.wait()
    for job, listener in jobs:
        assert job.cancelled or listener.wait().error is None
    ask(stormy, request(max_tokens=1))
    loaded = stormy._loaded
    assert loaded is not None
    for held in loaded.memory.book.held:
        assert loaded.llama.length(held.number) == len(held.tokens)
    assert loaded.memory.book.cells_taken() <= cells
    stormy.stop()


@pytest.mark.parametrize(
    ("bad", "error"),
    [
        pytest.param(request(fim(PREFIX * 40, keep=Keep.ALL)), PromptTooLong, id="a prompt that does not fit"),
        pytest.param(request(grammar="root ::= ("), EngineRefused, id="a broken grammar"),
        pytest.param(request(Prompt(())), EngineRefused, id="an empty prompt"),
        pytest.param(request(Prompt(fim().segments, ("<nope>",))), EngineRefused, id="an unknown stop control"),
    ],
)
def test_what_cannot_be_answered_is_refused_and_the_next_job_answered(
    worker: Worker, bad: GenerateRequest, error: type[Exception]
) -> None:
    assert type(ask(worker, bad).error) is error
    assert ask(worker, request()).finish


def test_a_listener_that_fails_harms_only_itself(worker: Worker) -> None:
    def fail(_: Chunk) -> None:
        raise OSError("the client is gone")

    broken = Listener(fail)
    worker.submit(Job(request(), broken))
    assert ask(worker, request()).finish
    assert str(broken.error) == "The engine failed at this request: OSError('the client is gone')"


def test_the_facts_are_those_of_the_model(worker: Worker) -> None:
    ask(worker, request())
    facts = worker.facts
    assert facts is not None
    assert (facts.architecture, facts.context_tokens, facts.file_bytes) == ("qwen2", 1024, MODEL.stat().st_size)
    assert facts.fim["middle"] == "<|fim_middle|>"
    assert "<|endoftext|>" in facts.control_texts
    assert facts.prefill_tokens_per_s > 0
    assert facts.decode_tokens_per_s > 0


# Loading.


@pytest.fixture
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIMSERVER_HOME", str(tmp_path / "home"))


def statuses_of(path: Path, **more: object) -> tuple[list[EngineStatus], Listener]:
    """Return what a worker says while it loads a model, and what comes of a request."""
    statuses: list[EngineStatus] = []
    worker = Worker(dataclasses.replace(OPTIONS, model_path=str(path), **more), statuses.append)  # type: ignore[arg-type]
    worker.start()
    listener = ask(worker, request())
    worker.stop()
    return statuses, listener


@pytest.mark.usefixtures("_home")
def test_a_job_waits_for_the_model_to_load() -> None:
    statuses, listener = statuses_of(MODEL)
    assert listener.finish
    assert statuses[0].state is EngineState.LOADING
    assert statuses[-1].state is EngineState.READY
    percents = [status.percent for status in statuses]
    assert percents == sorted(percents)
    assert statuses[-1].memory_bytes > MODEL.stat().st_size


@pytest.mark.usefixtures("_home")
@pytest.mark.parametrize(
    ("content", "error", "says"),
    [
        pytest.param(None, ModelMissing, "cannot be read: No such file", id="no file"),
        pytest.param(b"", ModelBroken, "is not a GGUF file", id="an empty file"),
        pytest.param(b"<html>404</html>", ModelBroken, "is not a GGUF file", id="a web page"),
        pytest.param(b"GGUF" + bytes(60), ModelBroken, "cannot be loaded", id="a GGUF of another kind"),
        pytest.param(MODEL.read_bytes()[:200_000], ModelBroken, "cannot be loaded", id="a download that broke off"),
        pytest.param(
            MODEL.read_bytes().replace(b"qwen2", b"qwenX"),
            ModelBroken,
            "does not know the architecture",
            id="an architecture this llama.cpp does not know",
        ),
    ],
)
def test_a_model_that_cannot_be_loaded_is_a_clear_failure(
    tmp_path: Path, content: bytes | None, error: type[Exception], says: str
) -> None:
    path = tmp_path / "model.gguf"
    if content is not None:
        path.write_bytes(content)
    statuses, listener = statuses_of(path)
    assert statuses[-1].state is EngineState.FAILED
    assert says in statuses[-1].message
    assert str(path) in statuses[-1].message
    assert type(listener.error) is error


@pytest.mark.usefixtures("_home")
def test_a_model_whose_weights_are_damaged_is_refused_at_its_first_answer(tmp_path: Path) -> None:
    path = tmp_path / "damaged.gguf"
    content = MODEL.read_bytes()
    path.write_bytes(content[:-4096] + b"\xff" * 4096)
    statuses, listener = statuses_of(path)
    assert statuses[-1].state is EngineState.READY
    assert type(listener.error) is EngineRefused
    assert "not numbers" in str(listener.error)
