"""Turn a number of typists at one engine into how long each waits: a load test for the server of a team.

Each typist is the real completer with an engine of its own, which it asks after every key as an editor does. What is
typed is this program's own source: whole lines in the middle of a module, a new place after each few lines. Nobody
accepts anything, so that every run types the same keys.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import fimserver
from fimserver.bench.metrics import percentile
from fimserver.complete.completer import Completer
from fimserver.engine.interface import Engine
from fimserver.settings import Settings
from fimserver.text import leading_blanks
from fimserver.values import Completion, Document, Outcome, Reason, Rejection

_LEAST_MODULE_LINES = 60
_LINES_AT_A_PLACE = 4

# At the end of a line people think for about so many keys' time.
_PAUSE_GAPS = 5


@dataclass(frozen=True, slots=True)
class Keystroke:
    """A text after a key, and the cursor in it. `pause` is true where the typist thinks before the next one."""

    text: str
    offset: int
    pause: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """One request and what came of it. `late_ms` is by how much the typists themselves were behind."""

    outcome: Outcome
    answer_ms: float
    late_ms: float


def keystrokes(source: str, random: Random) -> Iterator[Keystroke]:
    """Yield the keys of somebody who writes a few lines of a module again, here and there, for ever."""
    lines = source.splitlines(keepends=True)
    while True:
        first = random.randrange(10, len(lines) - _LINES_AT_A_PLACE - 5)
        before, after = "".join(lines[:first]), "".join(lines[first + _LINES_AT_A_PLACE :])
        for line in lines[first : first + _LINES_AT_A_PLACE]:
            blanks = leading_blanks(line)
            before += blanks  # the editor indents
            for character in line[len(blanks) :].rstrip("\n"):
                before += character
                yield Keystroke(before + "\n" + after, len(before))
            before += "\n"
            yield Keystroke(before + after, len(before), pause=True)


async def load(
    typists: int, seconds: float, gap_ms: float, new_engine: Callable[[], Engine], settings: Settings
) -> list[Asked]:
    """Let so many people type for so long, a key every `gap_ms`, and return all they asked. Raises FimError.

    They begin one after the other within the first gap, so that they do not type in step.
    """
    sources = _sources()
    until = time.perf_counter() + seconds
    typing = [
        _type(number, sources[number % len(sources)], until, gap_ms / 1_000, new_engine(), settings, number / typists)
        for number in range(typists)
    ]
    return [asked for one in await asyncio.gather(*typing) for asked in one]


async def _type(
    number: int, source: str, until: float, gap_s: float, engine: Engine, settings: Settings, share: float
) -> list[Asked]:
    completer, uri = Completer(engine, settings), f"file:///typist-{number}.py"
    asked: list[asyncio.Task[Asked]] = []
    due = time.perf_counter() + share * gap_s
    try:
        for version, key in enumerate(keystrokes(source, Random(number))):  # noqa: S311 - the same keys each time
            await asyncio.sleep(due - time.perf_counter())
            if due >= until:
                break
            document = Document.of(key.text, uri=uri, version=version)
            asked.append(asyncio.create_task(_ask(completer, document, key.offset, due)))
            due += gap_s * (_PAUSE_GAPS if key.pause else 1)
        return list(await asyncio.gather(*asked))
    finally:
        await engine.close()


async def _ask(completer: Completer, document: Document, offset: int, due: float) -> Asked:
    began = time.perf_counter()
    outcome = await completer.complete(document, offset)
    return Asked(outcome, (time.perf_counter() - began) * 1_000, (began - due) * 1_000)


def _sources() -> list[str]:
    """Return the modules of this package that are long enough to type in."""
    paths = sorted(Path(fimserver.__file__).parent.rglob("*.py"))
    texts = [path.read_text("utf-8") for path in paths]
    return [text for text in texts if text.count("\n") >= _LEAST_MODULE_LINES]


# Answers that say that the engine did not keep up, or did not answer at all.
_FAILURES = frozenset({Reason.ENGINE_LOADING, Reason.ENGINE_UNAVAILABLE, Reason.ENGINE_REFUSED, Reason.PROMPT_TOO_LONG})


def load_figures(asked: Sequence[Asked], typists: int, seconds: float) -> dict[str, Any]:
    """Return the figures of a run. Times are those of answers that the model wrote, shown or not, from the key on."""
    shown = [one for one in asked if isinstance(one.outcome, Completion)]
    written = [one for one in asked if one.outcome.timings.generated_tokens and not _is_displaced(one.outcome)]
    rejected = [one.outcome for one in asked if isinstance(one.outcome, Rejection)]
    reasons, details = Counter(one.reason for one in rejected), {one.reason: one.detail for one in rejected}
    timings = [one.outcome.timings for one in asked]
    first_ms = [one.outcome.timings.first_token_ms for one in written]
    return {
        "typists": typists,
        "seconds": seconds,
        "keys": len(asked),
        "suggestions": len(shown),
        "suggestions_per_s": len(shown) / seconds,
        "answers": len(written),
        "generated_tokens_per_s": sum(timing.generated_tokens for timing in timings) / seconds,
        "evaluated_tokens_per_s": sum(timing.evaluated_tokens for timing in timings) / seconds,
        **_percentiles("answer_ms", [one.answer_ms for one in written]),
        **_percentiles("first_token_ms", [one for one in first_ms if one is not None]),
        "displaced": reasons[Reason.DISPLACED],
        "failed": {reason.value: count for reason, count in reasons.items() if reason in _FAILURES},
        "why": {reason.value: detail for reason, detail in details.items() if reason in _FAILURES},
        "typists_late_ms_p99": percentile([one.late_ms for one in asked], 0.99),
    }


def _is_displaced(outcome: Outcome) -> bool:
    return isinstance(outcome, Rejection) and outcome.reason is Reason.DISPLACED


def _percentiles(name: str, values: Sequence[float]) -> dict[str, float]:
    return {f"{name}_p{share}": percentile(values, share / 100) for share in (50, 90, 99)}
