"""Run the engine process: `python -m fimserver.engine --options JSON`. Clients start it; nobody needs to by hand.

llama.cpp is imported once the process is its own and its door is open, so what it needs to load delays nobody.
"""

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from fimserver.engine.interface import EngineStatus, GenerateRequest
from fimserver.engine.process import run_engine
from fimserver.engine.session import Result
from fimserver.engine.wire import EngineOptions

if TYPE_CHECKING:
    from fimserver.engine.worker import Job, Worker


def _worker(options: EngineOptions, on_status: Callable[[EngineStatus], None]) -> "Worker":
    from fimserver.engine.worker import Worker

    return Worker(options, on_status)


def _job(request: GenerateRequest, deliver: Callable[[Result], None]) -> "Job":
    from fimserver.engine.worker import Job

    return Job(request, deliver)


if __name__ == "__main__":
    code = run_engine(sys.argv[1:], _worker, _job)
    sys.stderr.flush()
    os._exit(code)  # what native code does at exit can still crash, and there is nothing left to lose
