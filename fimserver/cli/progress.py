"""Turn work that takes longer than a moment into a line on standard error that says how far it is.

On a terminal the line is drawn over and goes away at the end; elsewhere a new one is written where something has
changed, and seldom, for a log. Standard output is never touched: it is the result's.
"""

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from fimserver.cli import output
from fimserver.engine.interface import Engine, EngineState, EngineStatus
from fimserver.models.partial import gigabytes

# Before this nobody wonders, and after it nobody should have to.
_SHOWN_AFTER_S = 1.0
_LOGGED_EVERY_S = 5.0

# A log wants to know that a download goes on, not more.
_LOGGED_EVERY_PERCENT = 10

_TO_LINE_START, _TO_LINE_END = "\r", "\x1b[K"


@contextmanager
def told(text_now: Callable[[], str], every_s: float | None = None) -> Iterator[None]:
    """Show what `text_now` returns for as long as the block runs; nothing where that is empty.

    It is asked in a thread, every second on a terminal. `every_s` says otherwise.
    """
    on_terminal = sys.stderr.isatty()
    ended = threading.Event()
    pause_s = every_s or (_SHOWN_AFTER_S if on_terminal else _LOGGED_EVERY_S)
    teller = threading.Thread(target=_tell, args=(text_now, ended, pause_s, on_terminal), daemon=True)
    teller.start()
    try:
        yield
    finally:
        ended.set()
        teller.join()


def _tell(text_now: Callable[[], str], ended: threading.Event, pause_s: float, on_terminal: bool) -> None:
    shown = ""
    while not ended.wait(pause_s):
        text = output.harmless(text_now())
        if text != shown:
            _draw(text, on_terminal=on_terminal)
            shown = text
    if shown:
        _draw("", on_terminal=on_terminal)


def _draw(text: str, *, on_terminal: bool) -> None:
    """Show a text instead of the one before it."""
    if on_terminal:
        sys.stderr.write(f"{_TO_LINE_START}{text}{_TO_LINE_END}")
    elif text:
        sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def at_work(engine: Engine, *, streams: bool = False) -> AbstractContextManager[None]:
    """Show what an engine does while it is waited for; where its answer streams to the terminal, that says it all."""
    return told(lambda: "" if streams and engine.status().state is EngineState.READY else doing(engine.status()))


def doing(status: EngineStatus) -> str:
    """Return the sentence about an engine that is waited for; empty where there is none to wait for."""
    return _DOING.get(status.state, "").format(status.percent)


_DOING = {
    EngineState.STARTING: "The engine is starting.",
    EngineState.LOADING: "The model is being loaded: {} %.",
    EngineState.READY: "The model is at work.",
}


@contextmanager
def downloads() -> Iterator[Callable[[str, int, int], None]]:
    """Yield a function that shows how far a download is: name, bytes done, bytes in all."""
    with _bars() if sys.stderr.isatty() else _lines() as show:
        yield show


@contextmanager
def _lines() -> Iterator[Callable[[str, int, int], None]]:
    told_percent: dict[str, int] = {}

    def show(name: str, done_bytes: int, total_bytes: int) -> None:
        percent = 100 * done_bytes // max(1, total_bytes) // _LOGGED_EVERY_PERCENT * _LOGGED_EVERY_PERCENT
        if percent > told_percent.get(name, -1):
            told_percent[name] = percent
            print(f"{name}: {percent} % of {gigabytes(total_bytes)}", file=sys.stderr, flush=True)

    yield show


@contextmanager
def _bars() -> Iterator[Callable[[str, int, int], None]]:
    from rich import progress as bar
    from rich.console import Console

    columns = ("{task.description}", bar.BarColumn(), bar.DownloadColumn(), bar.TransferSpeedColumn())
    bars = bar.Progress(*columns, bar.TimeRemainingColumn(), console=Console(stderr=True))
    tasks: dict[str, bar.TaskID] = {}

    def show(name: str, done_bytes: int, total_bytes: int) -> None:
        if name not in tasks:
            bars.start()
            tasks[name] = bars.add_task(name)
        bars.update(tasks[name], completed=done_bytes, total=total_bytes)

    try:
        yield show
    finally:
        if tasks:
            bars.stop()
