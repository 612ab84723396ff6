"""Load model files that may be hostile, each in a process of its own: `python tests/faults/loader.py FOLDER < paths`.

Writes a line for each path: `loaded`, `refused` or `died`, the seconds it took, and the megabytes. llama.cpp is
imported once; each process is a fork of that, hardened as the engine is.
"""

import os
import signal
import sys
import time
from pathlib import Path

from fimserver.engine.failures import check_model_file
from fimserver.engine.hardening import harden
from fimserver.engine.llama import Llama
from fimserver.engine.model import LoadOptions
from fimserver.errors import FimError

LONGEST_S = 30


def load(path: Path) -> int:
    """Load a model and read a few tokens with it; return the exit code."""
    signal.alarm(LONGEST_S)
    try:
        check_model_file(path)
        llama = Llama(LoadOptions(path=path, cells=512, sequences=2, threads=1))
        llama.model.chat_template()
        llama.model.metadata()
        tokens = [token for token in llama.tokeniser.tokenise("def add(a, b):") if token < llama.tokeniser.size]
        llama.decode(tokens[: llama.batch_tokens] or [0], 0, 0)
    except FimError:
        return 3
    return 0


def outcome_of(path: Path) -> str:
    began = time.monotonic()
    process = os.fork()
    if not process:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 2)
        harden()
        os._exit(load(path))
    _, status, usage = os.wait4(process, 0)
    code = os.waitstatus_to_exitcode(status)
    word = {0: "loaded", 3: "refused", -signal.SIGALRM: "hung"}.get(code, "died")
    return f"{word} {time.monotonic() - began:.2f} {usage.ru_maxrss // 1024}"


if __name__ == "__main__":
    for line in sys.stdin:
        print(outcome_of(Path(line.rstrip("\n"))), flush=True)
