"""Try in another process whether the model is faster with its weights repacked for this CPU.

That depends on the CPU and on how the model is quantised: reading a prompt may be a third slower or twice as fast,
writing a fifth faster. On some machines it crashes: a CPU may offer instructions (AMX) that its virtual machine does
not let through. So it is tried once, in a process that may die, while the engine has nothing to do; the next engine
takes what was quicker.
"""

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from fimserver.engine.speed import Measured

# Small models are quick enough either way.
_WORTH_TRYING_BYTES = 100_000_000

# How long the engine must have had nothing to do.
IDLE_S = 20.0

# Loading and measuring takes seconds; what takes longer is not quicker.
_LONGEST_S = 120.0

# What a suggestion is made of: some tokens of its prompt are read while one waits, and some are written.
_READ_TOKENS, _WRITTEN_TOKENS = 64, 24


def worth_trying(path: Path, gpu_layers: int) -> bool:
    """Return whether repacking might matter, and the memory for a second copy of the model is there."""
    size = path.stat().st_size
    return not gpu_layers and size >= _WORTH_TRYING_BYTES and _free_bytes() > 3 * size


def command_for(path: Path, threads: int) -> tuple[str, ...]:
    """Return the command that loads a model repacked, and prints how fast it is."""
    return (sys.executable, "-P", "-m", "fimserver.engine.trial", str(path), str(threads))


def is_quicker(repacked: Measured | None, plain: Measured) -> bool:
    """Return whether a suggestion comes sooner with repacked weights; not where they could not be tried."""
    return repacked is not None and _suggestion_s(repacked) < _suggestion_s(plain)


class Trial:
    """Runs the command while the engine has nothing to do, and ends it as soon as somebody wants an answer.

    `on_result` is called from a thread of its own, with None where the process died.
    """

    def __init__(self, command: Sequence[str], on_result: Callable[[Measured | None], None]) -> None:
        """Take an empty command for nothing to try."""
        self._command, self._on_result = command, on_result
        self._process: subprocess.Popen[str] | None = None
        self._is_over = not command

    @property
    def wait_s(self) -> float | None:
        """How long to wait for work before it is time to begin; None where there is nothing to try."""
        return None if self._is_over or self._process else IDLE_S

    def begin(self) -> None:
        """Start the process."""
        if self._is_over or self._process:
            return
        process = subprocess.Popen(
            self._command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self._process = process
        threading.Thread(target=self._wait, args=(process,), name="trial", daemon=True).start()

    def give_way(self) -> None:
        """End the process, if it runs, without a result: it is tried again when there is nothing to do."""
        process, self._process = self._process, None
        if process is not None and not self._is_over:
            process.kill()

    def _wait(self, process: "subprocess.Popen[str]") -> None:
        try:
            output, _ = process.communicate(timeout=_LONGEST_S)
        except subprocess.TimeoutExpired:
            process.kill()
            output, _ = process.communicate()
        if self._process is process:  # it was not ended for somebody's sake
            self._is_over = True
            self._on_result(_read(output) if process.returncode == 0 else None)


def _read(output: str) -> Measured | None:
    try:
        return Measured(**json.loads(output.splitlines()[-1]))
    except (ValueError, IndexError, TypeError):
        return None


def _suggestion_s(measured: Measured) -> float:
    if not (measured.prefill_tokens_per_s and measured.decode_tokens_per_s):
        return float("inf")
    return _READ_TOKENS / measured.prefill_tokens_per_s + _WRITTEN_TOKENS / measured.decode_tokens_per_s


def _free_bytes() -> int:
    """Return the memory that is free for use; plenty where the system does not say."""
    try:
        lines = Path("/proc/meminfo").read_text("ascii").splitlines()
    except OSError:
        return sys.maxsize
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")), sys.maxsize)


def _main(path: str, threads: str) -> None:
    from fimserver.engine.llama import Llama
    from fimserver.engine.measured import measure
    from fimserver.engine.model import LoadOptions
    from fimserver.engine.speed import Speed
    from fimserver.engine.threads import ThreadChoice

    with contextlib.suppress(AttributeError, OSError):  # there is no os.nice on Windows
        os.nice(5)
    llama = Llama(LoadOptions(path=Path(path), cells=512, sequences=1, threads=int(threads), repack=True))
    speed = Speed(llama.batch_tokens)
    # The first pass brings the file into memory; by its slowness the batches of a prompt would be left out.
    measure(llama, Speed(llama.batch_tokens), ThreadChoice((int(threads),)))
    measure(llama, speed, ThreadChoice((int(threads),)), longest_s=_LONGEST_S / 2)
    print(json.dumps(asdict(speed.measured())), flush=True)  # noqa: T201 - this is the process's answer
    os._exit(0)  # what native code does at exit can still crash


if __name__ == "__main__":
    _main(*sys.argv[1:])
