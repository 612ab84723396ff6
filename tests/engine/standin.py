"""An engine process without a model: `python standin.py --options …` serves as the real one, and does as it is told.

What a prompt says is what its job does, so that a test can bring the engine into any state:

    say A B C       answers three chunks and ends
    hold            answers one chunk, then nothing until it is cancelled
    flood N         answers N chunks of 64 KiB as fast as it can, then holds
    cancelled_jobs N  ends once N jobs have been cancelled
    kill, freeze    sends the process SIGKILL, SIGSTOP after one chunk
    abort           writes last words and aborts after one chunk
    refuse          answers an error
    noise N         writes N MiB to standard error
    environment     answers the names of the environment's variables

A file beside the model says how it loads: `MODEL.slow` until that file is gone, `MODEL.broken` not at all.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from fimserver.engine.interface import (
    Chunk,
    EngineState,
    EngineStatus,
    Finish,
    GenerateRequest,
    ModelFacts,
    Prompt,
    Segment,
    Usage,
)
from fimserver.engine.process import run_engine
from fimserver.engine.session import Result
from fimserver.engine.wire import EngineOptions
from fimserver.errors import EngineUnavailable, FimError, ModelBroken, PromptTooLong

COMMAND = (sys.executable, __file__)


def prompt(text: str) -> Prompt:
    return Prompt((Segment(text),))


def request(text: str) -> GenerateRequest:
    return GenerateRequest(prompt=prompt(text))


@dataclass(eq=False)
class Job:
    request: GenerateRequest
    deliver: Callable[[Result], None]
    cancelled: threading.Event = field(default_factory=threading.Event)


class Worker:
    evaluated_tokens = prompt_tokens = 0

    def __init__(self, options: EngineOptions, on_status: Callable[[EngineStatus], None]) -> None:
        self.facts: ModelFacts | None = None
        self._model = options.model_path
        self._on_status = on_status
        self._failure: FimError | None = None
        self._cancelled = 0
        self._one_more = threading.Condition()

    def start(self) -> None:
        threading.Thread(target=self._load, daemon=True).start()

    def stop(self) -> None:
        pass

    def cancel(self, job: Job) -> None:
        job.cancelled.set()
        with self._one_more:
            self._cancelled += 1
            self._one_more.notify_all()

    def submit(self, job: Job) -> None:
        threading.Thread(target=self._run, args=(job,), daemon=True).start()

    def _load(self) -> None:
        self._on_status(EngineStatus(state=EngineState.LOADING, percent=50))
        while Path(f"{self._model}.slow").exists():
            threading.Event().wait(0.01)
        if Path(f"{self._model}.broken").exists():
            self._failure = ModelBroken("The model is broken.")
            self._on_status(EngineStatus(state=EngineState.FAILED, message=str(self._failure)))
            return
        self.facts = ModelFacts(name="standin", path=self._model, architecture="none", context_tokens=64)
        self._on_status(EngineStatus(state=EngineState.READY, percent=100))

    def _run(self, job: Job) -> None:
        text = "".join(segment.text for segment in job.request.prompt.segments)
        verb, *words = text.split(" ")
        if self._failure is not None:
            job.deliver(self._failure)
        elif job.request.max_tokens == 0:
            job.deliver(Chunk(usage=Usage(prompt_tokens=1 + len(words)), finish=Finish.MAX_TOKENS))
        else:
            getattr(self, f"_{verb}")(job, *words)

    def _say(self, job: Job, *words: str) -> None:
        for word in words:
            job.deliver(Chunk(text=word, tokens=1, logprob=-0.5))
        job.deliver(Chunk(finish=Finish.END_OF_TEXT, usage=Usage(generated_tokens=len(words))))

    def _hold(self, job: Job) -> None:
        job.deliver(Chunk(text="holding", tokens=1))
        job.cancelled.wait()

    def _flood(self, job: Job, count: str) -> None:
        for _ in range(int(count)):
            job.deliver(Chunk(text="x" * 65536, tokens=1))
        job.cancelled.wait()

    def _cancelled_jobs(self, job: Job, count: str) -> None:
        with self._one_more:
            self._one_more.wait_for(lambda: self._cancelled >= int(count))
        job.deliver(Chunk(finish=Finish.END_OF_TEXT))

    def _kill(self, job: Job) -> None:
        job.deliver(Chunk(text="dying", tokens=1))
        os.kill(os.getpid(), signal.SIGKILL)

    def _freeze(self, job: Job) -> None:
        os.kill(os.getpid(), signal.SIGSTOP)

    def _abort(self, job: Job) -> None:
        job.deliver(Chunk(text="dying", tokens=1))
        os.write(2, b"some noise\nGGML_ASSERT(n_tokens > 0) failed\n\n")
        os.abort()

    def _refuse(self, job: Job) -> None:
        job.deliver(PromptTooLong("The prompt is too long."))

    def _noise(self, job: Job, count: str) -> None:
        for _ in range(int(count)):
            os.write(2, b"noise\n" * (1024 * 1024 // 6))
        self._say(job)

    def _environment(self, job: Job) -> None:
        self._say(job, *sorted(os.environ))


def make_worker(options: EngineOptions, on_status: Callable[[EngineStatus], None]) -> Worker:
    if Path(f"{options.model_path}.missing").exists():
        raise EngineUnavailable("There is no library.")
    return Worker(options, on_status)


if __name__ == "__main__":
    os._exit(run_engine(sys.argv[1:], make_worker, Job))
