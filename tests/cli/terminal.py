"""Run the command line in a real terminal: what it shows comes in, keys go out."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.cli import commands

ENTER, TAB, INTERRUPT = "\r", "\t", "\x03"

# Makes the terminal that of a session of its own, so that Ctrl+C is a signal, and becomes the program.
_IN_A_SESSION = (sys.executable, "-c", "import os, sys; os.login_tty(0); os.execvp(sys.argv[1], sys.argv[1:])")


class Terminal:
    """A command, or another program, in a pseudo-terminal of its own, whose keys reach it as a user's do."""

    def __init__(
        self,
        *arguments: str | Path,
        environment: Mapping[str, str] | None = None,
        program: Sequence[str] = commands.FIMSERVER,
    ) -> None:
        import pty  # which only POSIX has

        self.shown = ""
        self._end, programs_end = pty.openpty()
        self._process = subprocess.Popen(
            [*_IN_A_SESSION, *program, *map(str, arguments)],
            stdin=programs_end,
            stdout=programs_end,
            stderr=programs_end,
            env={**os.environ, "TERM": "dumb", **(environment or {})},
        )
        os.close(programs_end)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        os.close(self._end)

    def wait_for(self, text: str) -> None:
        """Read until a text has been shown since the last key."""
        while text not in self.shown:
            piece = self._read()
            assert piece, f"{text!r} never came: {self.shown}"
            self.shown += piece

    def press(self, keys: str) -> None:
        """Press keys; what was shown before is forgotten."""
        self.shown = ""
        os.write(self._end, keys.encode())

    def interrupted(self) -> int:
        """Press Ctrl+C until that ends the program, as one does, and return its exit code.

        Python sees a signal that comes just before `input` begins to wait only once there is something to read.
        """
        self.press(INTERRUPT)
        while True:
            try:
                self._process.wait(2)
                return self.code()
            except subprocess.TimeoutExpired:
                os.write(self._end, INTERRUPT.encode())

    def code(self) -> int:
        """Read to the end, and return the exit code."""
        while piece := self._read():
            self.shown += piece
        return self._process.wait()

    def _read(self) -> str:
        try:
            return os.read(self._end, 65536).decode(errors="replace")
        except OSError:  # how Linux says that nobody holds the other end any more
            return ""
