"""Turn a command line into a running engine process: alone in its place, cut loose, and with few rights.

    lock → (detach) → harden → serve (see engine/daemon.py) → lock given back

The lock is held before anything else happens and until everything is over, so there is never a second engine in one
place.
"""

import argparse
import asyncio
import json
import os
import sys
import time

from fimserver.engine import lock
from fimserver.engine.daemon import Daemon, MakeWorker
from fimserver.engine.hardening import harden
from fimserver.engine.place import Place, place_of
from fimserver.engine.session import MakeJob
from fimserver.engine.wire import decode_options
from fimserver.errors import EngineUnavailable, FimError
from fimserver.logs import set_up_logging

# A client that is only looking who holds the lock holds it for a moment itself.
_LOCK_TRIES = 20
_LOCK_PAUSE_S = 0.05


def run_engine(arguments: list[str], make_worker: MakeWorker, make_job: MakeJob) -> int:
    """Run an engine until it is stopped or idle; return the process's exit code."""
    asked = _parser().parse_args(arguments)
    os.dup2(2, 1)  # native code that prints must not reach whoever has our standard output
    os.environ["GGML_NO_BACKTRACE"] = "1"  # else a failed assertion starts a debugger, if there is one
    try:
        options = decode_options(json.loads(asked.options))
        place = place_of(options)
        held = _own_lock(place) if asked.lock is None else _inherited_lock(place, asked.lock)
        tell_parent = _detach() if asked.detach else None
        lock.sign(held, os.getpid())
        tcp = asked.tcp or sys.platform == "win32"
        harden(network=tcp)
        set_up_logging("engine", to_terminal=False)
        daemon = Daemon(options, place, held, make_worker, make_job, tcp=tcp)
        asyncio.run(daemon.run(tell_parent))
        lock.remove(place.lock, held)
    except (FimError, OSError, ValueError) as error:  # ValueError: options that are no options
        print(error, file=sys.stderr)  # noqa: T201 - the last words, which the starter reads
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m fimserver.engine", description="Serve one model to this user.")
    parser.add_argument("--options", required=True, help="EngineOptions as a JSON object")
    parser.add_argument("--lock", type=int, help="descriptor, inherited, that holds the lock already")
    parser.add_argument("--detach", action="store_true", help="return once the door is open, and serve on")
    parser.add_argument("--tcp", action="store_true", help="listen on the loopback address instead of a Unix socket")
    return parser


def _own_lock(place: Place) -> int:
    """Take the lock of an engine that was started by hand. Raises EngineUnavailable where one runs."""
    for _ in range(_LOCK_TRIES):
        held = lock.try_lock(place.lock)
        if held is not None:
            return held
        time.sleep(_LOCK_PAUSE_S)
    raise EngineUnavailable("An engine for this model runs already.")


def _inherited_lock(place: Place, held: int) -> int:
    if not lock.is_at(place.lock, held):
        raise EngineUnavailable("The model file changed while its engine was being started. Ask again.")
    return held


def _detach() -> int:
    """Go on as a child of nobody, and return where to write one byte once the door is open.

    An editor that ends a language server ends the processes below it too; the engine belongs to all windows. This
    happens before any thread and any native library exists, so forking is safe.
    """
    reading, writing = os.pipe()
    if os.fork():
        os.close(writing)
        os._exit(0 if os.read(reading, 1) else 1)
    os.close(reading)
    return writing
