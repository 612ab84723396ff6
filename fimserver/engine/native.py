"""Load llama.cpp into a process in which it behaves, and keep what it says of its failures.

This is the only module that imports llama_cpp. What calls `native` runs in one thread, and llama.cpp aborts the process
where its caller errs: what it would assert is checked before.
"""

import ctypes
import logging
import os
import sys
from typing import Any

from fimserver.errors import EngineMissing

# A failed assertion in llama.cpp would start a debugger and print kilobytes to standard output.
os.environ.setdefault("GGML_NO_BACKTRACE", "1")

# Threads meet after every operation, and spin for so long that where another program holds a core they keep the one
# they wait for from running: a token then took GNU's OpenMP 3 to 10 seconds, and 0.3 with this.
os.environ.setdefault("GOMP_SPINCOUNT", "2000")

try:
    from llama_cpp import llama_cpp
except ImportError as error:  # the optional dependency, or a library it needs, is not installed
    raise EngineMissing(
        f"llama-cpp-python is not installed in {sys.prefix} ({error}). Install it: pip install 'fimserver[llama]'"
    ) from error

native = llama_cpp

_log = logging.getLogger(__name__)

_LOG_LEVEL_ERROR = 4  # GGML_LOG_LEVEL_ERROR


def version() -> str:
    """Return llama.cpp's version."""
    return str(native.llama_version().decode())


def system_features() -> str:
    """Return what llama.cpp was built with and uses of this CPU."""
    return str(native.llama_print_system_info().decode())


def can_use_gpu() -> bool:
    """Return whether this build of llama.cpp can put layers on a GPU."""
    return bool(native.llama_supports_gpu_offload())


_words: list[str] = []  # the errors of the last call


def forget_words() -> None:
    """Begin a call whose failure is to be told in its own words."""
    _words.clear()


def last_words() -> str:
    """Return why the last call failed, in llama.cpp's words: the first error, as each caller adds its own."""
    return _words[0].partition(": ")[2] or _words[0] if _words else "llama.cpp gave no reason"


def abort_callback() -> Any:
    """Return C's own strlen as an abort callback, and thus no Python (and no lock of Python's) between graph nodes.

    Its argument is a text that is empty until it is made one character long: 0 goes on, 1 aborts.
    """
    library = ctypes.CDLL("msvcrt" if sys.platform == "win32" else None)
    return native.ggml_abort_callback(ctypes.cast(library.strlen, ctypes.c_void_p).value)


@native.llama_log_callback  # type: ignore[untyped-decorator, unused-ignore]
def _keep_words(level: int, text: bytes, _data: object) -> None:
    line = text.decode("utf-8", "replace").strip() if text else ""
    if line and level == _LOG_LEVEL_ERROR:
        _words.append(line)
    if line:
        _log.debug("llama.cpp: %s", line)


native.llama_log_set(_keep_words, ctypes.c_void_p(0))
native.llama_backend_init()
