"""Have llama-bench, llama.cpp's own measure of speed, read and write so many tokens with a model.

It is run for one round at a time, with everything as it comes but the threads. Its repacked weights crash where a
processor offers instructions that its virtual machine does not let through; it is then asked to do without.
"""

import json
import os
import subprocess
from pathlib import Path

from fimserver.bench.engine import READ_TOKENS, WRITTEN_TOKENS, Speeds
from fimserver.errors import FimError

_AT_MOST_S = 600.0


def llama_bench_round(program: Path, model: Path, threads: int) -> Speeds:
    """Return what llama-bench reaches. Raises FimError where it cannot be run, with its last words."""
    if not os.access(program, os.X_OK):
        raise FimError(f"{program} is no program that can be run.")
    command = [str(program), "-m", str(model), "-t", str(threads), "-p", str(READ_TOKENS), "-n", str(WRITTEN_TOKENS)]
    done = _run([*command, "-r", "1", "-o", "json"])
    if done.returncode < 0:
        done = _run([*command, "-r", "1", "-o", "json", "--repack", "0"])
    if done.returncode:
        raise FimError(f"llama-bench failed: {done.stderr.strip().rpartition(chr(10))[2] or done.returncode}")
    return read_report(done.stdout)


def read_report(report: str) -> Speeds:
    """Return the speeds that a JSON report tells. Raises FimError for another report."""
    try:
        runs = json.loads(report)
        prefill = next(run["avg_ts"] for run in runs if run["n_prompt"])
        decode = next(run["avg_ts"] for run in runs if run["n_gen"])
        return Speeds(float(prefill), float(decode))
    except (ValueError, TypeError, KeyError, StopIteration) as error:
        raise FimError(f"llama-bench printed what is no report of it: {report[:80]!r}") from error


def _run(command: list[str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command, capture_output=True, text=True, timeout=_AT_MOST_S, check=False)
