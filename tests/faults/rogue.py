"""An engine process that does wrong what the file `MODEL.mode` says: run as `python tests/faults/rogue.py --options …`.

It answers as tests/engine/standin.py does otherwise, and is what an engine may become in the hands of native code.
"""

import os
import resource
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from fimserver.engine.fake import SCRIPTED_MODEL
from fimserver.engine.interface import Chunk, EngineState, EngineStatus, Finish, GenerateRequest
from fimserver.engine.process import run_engine
from fimserver.engine.session import Result
from fimserver.engine.wire import EngineOptions
from tests.engine.standin import Job, Worker

ANSWER = "answer(1)"

# Enough for Python and numpy, too little for a context of this size.
LITTLE_BYTES = 220 * 1024 * 1024


class Rogue(Worker):
    """A worker whose jobs are faults."""

    def _load(self) -> None:
        while Path(f"{self._model}.slow").exists():
            threading.Event().wait(0.01)
        self.facts = SCRIPTED_MODEL
        self._on_status(EngineStatus(state=EngineState.READY, percent=100))

    def _run(self, job: Job) -> None:
        if job.request.max_tokens and (act := ACTS.get(mode_of(self._model))) is not None:
            act()
        job.deliver(Chunk(text=ANSWER, tokens=1, logprob=-0.01))
        job.deliver(Chunk(finish=Finish.END_OF_TEXT))


def mode_of(model: str) -> str:
    with suppress(FileNotFoundError):
        return Path(f"{model}.mode").read_text()
    return ""


def _to_clients(data: bytes) -> None:
    """Write to every connection as it is, past all that makes frames."""
    for connection in _connections():
        with suppress(OSError):
            connection.setblocking(True)
            connection.sendall(data)


def _connections() -> Iterator[socket.socket]:
    for name in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            connection = socket.socket(fileno=os.dup(int(name.name)))
            connection.getpeername()
            yield connection


def _flood() -> None:
    for _ in range(100):
        os.write(2, b"noise\n" * (1024 * 1024 // 6))


def _half_a_frame() -> None:
    _to_clients(b'{"type": "chunk", "id"')
    os.kill(os.getpid(), signal.SIGKILL)


def _huge_frame() -> None:
    for _ in range(1024):
        _to_clients(b"x" * 1024 * 1024)


ACTS: dict[str, Callable[[], object]] = {
    "hang": lambda: os.kill(os.getpid(), signal.SIGSTOP),
    "abort": os.abort,
    "exit": lambda: os._exit(0),
    "garbage": lambda: _to_clients(os.urandom(4096) + b"\n"),
    "half a frame": _half_a_frame,
    "huge frame": _huge_frame,
    "flood": _flood,
}


def make_worker(options: EngineOptions, on_status: Callable[[EngineStatus], None]) -> Any:
    if mode_of(options.model_path) != "no memory":
        return Rogue(options, on_status)
    resource.setrlimit(resource.RLIMIT_DATA, (LITTLE_BYTES, LITTLE_BYTES))
    from fimserver.engine.worker import Worker as RealWorker

    return RealWorker(options, on_status)


def make_job(request: GenerateRequest, deliver: Callable[[Result], None]) -> Any:
    from fimserver.engine.worker import Job as RealJob

    return RealJob(request, deliver) if "fimserver.engine.llama" in sys.modules else Job(request, deliver)


if __name__ == "__main__":
    os._exit(run_engine(sys.argv[1:], make_worker, make_job))
