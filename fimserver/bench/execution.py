"""Turn a case that brings its test, and what was suggested for it, into whether the whole program passes.

The program runs in a process of its own: an isolated interpreter in an empty folder, without our environment, with
limits of time, memory and file size. That keeps accidents in; it is no wall against malice, so nothing is run unless
the user asks for it.
"""

import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence

from fimserver.bench.cases import Case
from fimserver.bench.metrics import Share
from fimserver.errors import FimError

# HumanEval's programs end within milliseconds.
_MOST_S = 10
_MOST_BYTES = 1 << 30
_MOST_FILE_BYTES = 1 << 20


def passed(cases: Sequence[Case], texts: Sequence[str]) -> Share:
    """Return how many of the programs pass, of those whose case has a test. Raises FimError where there is no limit."""
    tested = [(case, text) for case, text in zip(cases, texts, strict=True) if case.test]
    return Share(sum(passes(case, text) for case, text in tested), len(tested))


def passes(case: Case, text: str) -> bool:
    """Run the program with the hole filled by `text`, and then its test."""
    program = f"{case.prefix}{text}{case.suffix}\n{case.test}\n"
    with tempfile.TemporaryDirectory() as folder:
        try:
            done = subprocess.run(
                (sys.executable, "-I", "-"),
                input=program.encode(),
                cwd=folder,
                env={},
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                preexec_fn=_limits(),
                timeout=_MOST_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return False
    return done.returncode == 0


def _limits() -> Callable[[], None]:
    if sys.platform == "win32":
        raise FimError("Tests are executed under limits that Windows does not have; leave --execute out.")
    import resource

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (_MOST_S, _MOST_S))
        resource.setrlimit(resource.RLIMIT_AS, (_MOST_BYTES, _MOST_BYTES))
        resource.setrlimit(resource.RLIMIT_FSIZE, (_MOST_FILE_BYTES, _MOST_FILE_BYTES))

    return limit
