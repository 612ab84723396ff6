"""Run the one thread that owns the model: it takes jobs by priority and answers them a small batch at a time.

Typing goes before everything else. A job of less priority that is being evaluated is interrupted within milliseconds;
afterwards a warming or a command goes on where it stood, and what was prepared ahead ends as pre-empted. While there is
no work the thread waits, and uses no processor.
"""

import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field

from fimserver.engine.answer import Answer, Deliver
from fimserver.engine.interface import (
    EngineState,
    EngineStatus,
    Finish,
    GenerateRequest,
    ModelFacts,
    Priority,
)
from fimserver.engine.loaded import Loaded
from fimserver.engine.loading import load
from fimserver.engine.wire import EngineOptions
from fimserver.errors import EngineUnavailable, FimError

_log = logging.getLogger(__name__)


@dataclass(eq=False, slots=True)
class Job:
    """A request, and where its chunks go. With `max_tokens=0` the prompt is evaluated and nothing written.

    `deliver` is called from the worker's thread; its last call has a chunk with a finish, or an error. After
    `Worker.cancel` it is called no more, but for a call that is under way.
    """

    request: GenerateRequest
    deliver: Deliver
    received_at: float = field(default_factory=time.perf_counter)
    cancelled: bool = False
    answer: Answer | None = None
    steps: Generator[None, None, None] | None = None

    @property
    def is_late(self) -> bool:
        """Whether its deadline has passed."""
        deadline_ms = self.request.deadline_ms
        return deadline_ms is not None and (time.perf_counter() - self.received_at) * 1000 >= deadline_ms

    @property
    def rank(self) -> tuple[bool, Priority]:
        """What goes first: jobs that only need to be ended, then by priority."""
        return not (self.cancelled or self.is_late), self.request.priority


class Worker:
    """The engine's one worker. Its methods may be called from any thread; `on_status` is called from its own."""

    def __init__(self, options: EngineOptions, on_status: Callable[[EngineStatus], None]) -> None:
        self._options, self._on_status = options, on_status
        self._changed = threading.Condition()
        self._jobs: list[Job] = []  # in the order of arrival
        self._running: Job | None = None
        self._stopping = False
        self._loaded: Loaded | None = None
        self._failure: FimError | None = None
        self._thread = threading.Thread(target=self._run, name="model", daemon=True)

    @property
    def facts(self) -> ModelFacts | None:
        """The model's facts, None until it is loaded."""
        loaded = self._loaded
        return loaded.facts if loaded else None

    @property
    def evaluated_tokens(self) -> int:
        """How many tokens went through the model since it was loaded."""
        return self._loaded.memory.evaluated_tokens if self._loaded else 0

    @property
    def prompt_tokens(self) -> int:
        """How many of them were read as prompts."""
        return self._loaded.memory.prompt_tokens if self._loaded else 0

    def start(self) -> None:
        """Begin to load the model."""
        self._thread.start()

    def submit(self, job: Job) -> None:
        """Take a job on. It waits while the model is being loaded."""
        with self._changed:
            self._jobs.append(job)
            if self._loaded:
                self._loaded.trial.give_way()
            running = self._running.request if self._running else None
            if running and job.request.priority < running.priority and not _needs(job.request, running):
                self._interrupt()
            self._changed.notify()

    def cancel(self, job: Job) -> None:
        """Give a job up; if it is running, it stops within one small batch."""
        with self._changed:
            job.cancelled = True
            if self._running is job:
                self._interrupt()

    def stop(self) -> None:
        """Stop at once, and wait until the model is freed. Jobs that wait get no more answers."""
        with self._changed:
            self._stopping = True
            if self._loaded:
                self._loaded.trial.give_way()
            self._interrupt()
            self._changed.notify()
        self._thread.join()

    def _interrupt(self) -> None:
        if self._loaded:
            self._loaded.llama.interrupt()

    # What follows runs in the worker's thread.

    def _run(self) -> None:
        try:
            self._tell(EngineState.LOADING)
            self._loaded = load(self._options, lambda percent: self._tell(EngineState.LOADING, percent))
            self._tell(EngineState.READY, 100, self._loaded.warning)
        except FimError as error:
            self._fail(error)
        except Exception as error:  # noqa: BLE001 - the engine lives on and says so
            _log.exception("The model could not be loaded")
            self._fail(EngineUnavailable(f"Loading the model failed: {error!r}. See what is wrong: fimserver doctor"))
        self._prepare()
        while (job := self._next_job()) is not None:
            self._advance(job)
        if self._loaded:
            self._loaded.keep()
            self._loaded.llama.close()

    def _prepare(self) -> None:
        """Index the vocabulary before anybody needs it, as long as nobody asks for anything."""
        while self._loaded and not (self._jobs or self._stopping) and self._loaded.prefix_index.step():
            pass

    def _next_job(self) -> Job | None:
        """Wait for work and return the most urgent job, the oldest of equals; None when it is time to stop."""
        with self._changed:
            self._running = None
            while not (self._stopping or self._jobs):
                self._wait()
            if self._stopping:
                return None
            self._running = min(self._jobs, key=lambda job: job.rank)
            if self._loaded:
                self._loaded.llama.proceed()
            return self._running

    def _wait(self) -> None:
        """Wait for something to happen; where nothing does for a while, use the time to try what might be quicker."""
        trial = self._loaded.trial if self._loaded else None
        if not self._changed.wait(trial.wait_s if trial else None) and trial:
            trial.begin()

    def _advance(self, job: Job) -> None:
        """Carry a job further, or end it."""
        try:
            if self._failure:
                raise self._failure
            if job.cancelled:
                self._remove(job)
            elif job.is_late:
                self._end(job, Finish.DEADLINE)
            else:
                self._end_overtaken(job.request.priority)
                self._step(job)
        except FimError as error:
            self._give_up(job, error)
        except Exception as error:  # noqa: BLE001 - one job's failure is not the next one's
            _log.exception("A job failed")
            self._give_up(job, EngineUnavailable(f"The engine failed at this request: {error!r}"))

    def _step(self, job: Job) -> None:
        """Carry a job on while nothing else can be more urgent: to choose a job anew at each token takes time."""
        steps = self._answer(job)[1]
        while next(steps, _DONE) is not _DONE:
            if len(self._jobs) > 1 or job.cancelled or job.is_late or self._stopping:
                return
        self._remove(job)

    def _answer(self, job: Job) -> tuple[Answer, Generator[None, None, None]]:
        assert self._loaded
        if job.answer is None or job.steps is None:
            job.answer = Answer(job.request, job.received_at, self._loaded, job.deliver)
            job.steps = job.answer.steps()
        return job.answer, job.steps

    def _end_overtaken(self, priority: Priority) -> None:
        """End what is being prepared ahead when more urgent work has come: the text is no longer the same."""
        if priority < Priority.AHEAD:
            with self._changed:
                overtaken = [job for job in self._jobs if job.request.priority is Priority.AHEAD]
            for job in overtaken:
                self._end(job, Finish.PREEMPTED)

    def _end(self, job: Job, why: Finish) -> None:
        answer, _ = self._answer(job)
        self._remove(job)
        if not job.cancelled:
            answer.finish(why)

    def _give_up(self, job: Job, error: FimError) -> None:
        self._remove(job)
        try:
            job.deliver(error)
        except Exception:  # noqa: BLE001 - whoever asked is gone; the next job must be answered all the same
            _log.exception("An error could not be delivered")

    def _remove(self, job: Job) -> None:
        with self._changed:
            self._jobs.remove(job)
        if job.steps is not None:
            job.steps.close()

    def _fail(self, error: FimError) -> None:
        self._failure = error
        self._tell(EngineState.FAILED, message=str(error))

    def _tell(self, state: EngineState, percent: int = 0, message: str = "") -> None:
        self._on_status(
            EngineStatus(state=state, percent=percent, message=message, memory_bytes=_memory_bytes(), pid=os.getpid())
        )


_DONE = object()


def _needs(request: GenerateRequest, running: GenerateRequest) -> bool:
    """Say whether a request needs what is being warmed: to wait for its batch is quicker than to evaluate it again."""
    asked, begun = request.prompt.segments, running.prompt.segments
    last = len(begun) - 1
    if running.max_tokens or not 0 <= last < len(asked) or asked[:last] != begun[:last]:
        return False
    # The last segment may be what was typed of a line, and a healed request holds less of it.
    here, there = begun[last].text, asked[last].text
    return here.startswith(there) or there.startswith(here)


def _memory_bytes() -> int:
    """Return the most memory this process has held; 0 where the system does not say."""
    if sys.platform == "win32":
        return 0
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
