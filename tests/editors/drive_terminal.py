"""Drive an editor that draws into a terminal, as a user sees it: keys in, a screen out."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.editors.waiting import until

ROWS, COLUMNS = 30, 100


class Terminal:
    """A program in a pseudo-terminal of 30 lines of 100 columns."""

    def __init__(self, command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> None:
        import pexpect
        import pyte

        self._screen = _silent_screen(pyte)
        self._stream = pyte.Stream(self._screen)
        self._nothing_to_read = (pexpect.TIMEOUT, pexpect.EOF)
        self._process = pexpect.spawn(
            command[0],
            [*command[1:]],
            cwd=str(folder),
            env=dict(environment),
            dimensions=(ROWS, COLUMNS),
            encoding="utf-8",
        )

    def type(self, text: str) -> None:
        """Type text, or keys as the terminal encodes them."""
        self._process.send(text)

    def press(self, *keys: str) -> None:
        """Press keys one after another; the program reads each before the next: Escape and a letter are not one key."""
        for key in keys:
            self._process.send(key)
            self.lines()

    def lines(self) -> list[str]:
        """Return what is on the screen now, without the blanks at the ends of lines."""
        self._read()
        return [line.rstrip() for line in self._screen.display]

    def pale(self) -> str:
        """Return what the cursor's line holds in the grey of ghost text."""
        self._read()
        line = self._screen.buffer[self._screen.cursor.y]
        return "".join(line[column].data for column in range(COLUMNS) if line[column].fg == "brightblack")

    def shows(self, text: str) -> bool:
        """Return whether a text is somewhere on the screen."""
        return any(text in line for line in self.lines())

    def wait_for(self, text: str, ask_again: Callable[[], None] | None = None) -> None:
        """Wait until a text is on the screen."""
        until(lambda: self.shows(text), f"{text!r} on the screen", self._picture, ask_again)

    def wait_until_gone(self, text: str) -> None:
        """Wait until a text is no more on the screen."""
        until(lambda: not self.shows(text), f"{text!r} to go", self._picture)

    def close(self) -> None:
        """End the program."""
        self._process.close(force=True)

    def _picture(self) -> str:
        return "\n".join(filter(None, self.lines()))

    def _read(self) -> None:
        """Feed the screen with what the program has written so far."""
        while True:
            try:
                self._stream.feed(self._process.read_nonblocking(65536, timeout=0.01))
            except self._nothing_to_read:
                return


def _silent_screen(pyte: Any) -> Any:
    """Return a screen that answers no questions: pyte's answers would be typed into the editor."""

    class Screen(pyte.Screen):  # type: ignore[misc]
        def report_device_status(self, *_: Any, **__: Any) -> None: ...

        def report_device_attributes(self, *_: Any, **__: Any) -> None: ...

    return Screen(COLUMNS, ROWS)
