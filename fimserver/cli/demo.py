"""Turn a line of a fixture, typed into the real server, into a row per key and the figures that must hold.

The server is started over standard input and output as an editor starts it. Each row shows the suggestion an editor
would draw, how long it took and how many prompt tokens were evaluated for that key.
"""

import asyncio
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from fimserver.bench.editor import Buffer, Editor
from fimserver.cli import output
from fimserver.cli.choice import Choice
from fimserver.cli.engines import new_engine
from fimserver.cli.first_suggestion import TYPED, engine_ready, fixture
from fimserver.engine.client import EngineClient
from fimserver.engine.interface import Engine, Priority, Prompt, Segment

# Drawn where the typed text ends and the suggestion begins.
_CARET = "‸"

# The embedded model is a demonstrator: few of its answers would pass the gate, and a demonstration should show them.
_OPTIONS = {"completion": {"confidence": "off"}}

# Each figure, the most it may be, and its unit; docs/benchmarks.md says what was measured.
TARGETS = (
    ("initialize answered", 600, "ms"),
    ("prompt tokens evaluated per key, median", 3, ""),
    ("from cancel to a free engine", 100, "ms"),
    ("files of llama.cpp loaded in the language server", 0, ""),
)

# When a request is cancelled: while the server still waits for the next key, while the engine reads, while it writes.
# The slowest counts.
_CANCEL_AFTER_S = (0.02, 0.05, 0.08, 0.11, 0.14)


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One key and what came of it. `line` is the line so far, `ghost` what would be drawn after it."""

    key: str
    line: str
    ghost: str
    reason: str | None
    evaluated_tokens: int
    generated_tokens: int
    ms: float


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of the session and the most it may be; its value is None where it cannot be measured here."""

    figure: str
    at_most: float
    unit: str
    value: float | None

    @property
    def ok(self) -> bool | None:
        """Whether it holds."""
        return None if self.value is None else self.value <= self.at_most


@click.command("demo")
@click.option("--json", "as_json", is_flag=True, help="Print the keys, and then the figures, as a JSON list.")
@click.pass_obj
def demo_command(choice: Choice, as_json: bool) -> None:
    """Type a line in a real session and watch the suggestions.

    Starts the language server as an editor would, opens a file and types one of its lines key by key. Each row shows
    the time, the prompt tokens evaluated for that key, and the line with the suggestion after it.
    """
    keys, figures = asyncio.run(_play(choice, (lambda _: None) if as_json else _show_key))
    if as_json:
        output.as_json([*map(asdict, keys), *({**asdict(figure), "ok": figure.ok} for figure in figures)])
    else:
        _show_figures(figures)


async def _play(choice: Choice, on_key: Callable[[Key], None]) -> tuple[list[Key], list[Figure]]:
    """Play the session; `on_key` is told of each key at once."""
    began_s = time.monotonic()
    async with Editor((sys.executable, "-P", "-m", "fimserver", *choice.options, "serve")) as editor:
        await editor.initialize(_OPTIONS)
        initialize_ms = _ms_since(began_s)
        before, after = fixture()
        buffer = Buffer(editor, "untitled:cart.py", "python", before, after)
        await engine_ready(editor, buffer)
        keys = [await _press(buffer, key, on_key) for key in TYPED]
        measured = (
            initialize_ms,
            statistics.median(key.evaluated_tokens for key in keys),
            await _cancel_ms(choice, editor),
            _native_libraries(editor.server_pid),
        )
    figures = [Figure(*target, value=value) for target, value in zip(TARGETS, measured, strict=True)]
    return keys, figures


async def _press(buffer: Buffer, key: str, on_key: Callable[[Key], None]) -> Key:
    buffer.type(key)
    began_s = time.monotonic()
    ghost = await buffer.suggest()
    ms = _ms_since(began_s)
    entry = (await buffer.editor.run_command("fimserver.journal"))[-1]
    pressed = Key(
        key=key,
        line=buffer.line,
        ghost=ghost,
        reason=entry["reason"],
        evaluated_tokens=entry["timings"]["evaluated_tokens"],
        generated_tokens=entry["timings"]["generated_tokens"],
        ms=ms,
    )
    on_key(pressed)
    return pressed


async def _cancel_ms(choice: Choice, editor: Editor) -> float | None:
    """Return how long the engine goes on after a request is cancelled, at most.

    A second client of the same engine asks for one token's evaluation at the moment of the cancel, and gets it as soon
    as the engine is free. Only our own engine process serves two at once in that order.
    """
    engine = new_engine(choice.settings, choice.script)
    if not isinstance(engine, EngineClient):
        return None
    try:
        return max([await _one_cancel_ms(editor, engine, after_s) for after_s in _CANCEL_AFTER_S])
    finally:
        await engine.close()


async def _one_cancel_ms(editor: Editor, engine: Engine, after_s: float) -> float:
    before, after = fixture()
    one_token = Prompt((Segment("x"),))
    await engine.warm(one_token, Priority.TYPING)
    # Text that the engine has not seen, so that it has something to evaluate.
    name = f"item{1_000 * after_s:.0f}"
    fresh = Buffer(editor, f"untitled:{name}.py", "python", before.replace("item", name) * 4, after * 4)
    asking = asyncio.create_task(fresh.suggest())
    await asyncio.sleep(after_s)
    began_s = time.monotonic()
    asking.cancel()
    await engine.warm(one_token, Priority.TYPING)
    return _ms_since(began_s)


def _native_libraries(pid: int) -> int | None:
    """Return how many files of llama.cpp a process has loaded; None where the system does not tell."""
    maps = Path(f"/proc/{pid}/maps")
    if not maps.exists():
        return None
    files = {line.split(maxsplit=5)[-1] for line in maps.read_text("utf-8").splitlines()}
    return sum("llama" in Path(file).name or "ggml" in Path(file).name for file in files)


def _ms_since(moment_s: float) -> float:
    return round(1_000 * (time.monotonic() - moment_s), 1)


def _show_key(key: Key) -> None:
    cost = f"{key.ms:7.1f} ms  {key.evaluated_tokens:3d} token{' ' if key.evaluated_tokens == 1 else 's'}  "
    first, *more = key.ghost.split("\n")
    output.line((cost, output.FAINT), key.line, (_CARET, output.FAINT), (first + (" …" if more else ""), output.GHOST))


def _show_figures(figures: list[Figure]) -> None:
    output.line()
    output.columns([_figure_row(figure) for figure in figures])
    output.line()
    output.line("docs/editors.md connects your editor; `fimserver doctor` checks this machine.")


def _figure_row(figure: Figure) -> list[output.Part]:
    verdict = {True: ("ok", output.GOOD), False: ("missed", output.BAD), None: ("not measured here", output.FAINT)}
    value = "-" if figure.value is None else f"{figure.value:g} {figure.unit}".rstrip()
    return [figure.figure, value, f"at most {figure.at_most:g} {figure.unit}".rstrip(), verdict[figure.ok]]
