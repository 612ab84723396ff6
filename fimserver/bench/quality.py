"""Turn cases into answers of the product and of the raw model, case by case, and those into the table's figures.

The raw answer is what the model writes for the same prompt, cut at its first line, shown always. The product's is what
an editor would draw: the rules when to ask, the stops, the filters and the gate included.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fimserver.bench.cases import Case
from fimserver.bench.keystrokes import keystrokes
from fimserver.bench.metrics import (
    Share,
    edit_similarity,
    exact,
    first_lines_equal,
    mcnemar,
    mean,
    percentile,
    right_as_far_as_it_goes,
)
from fimserver.complete.asking import Asker
from fimserver.complete.completer import Completer
from fimserver.context.cursor import look_around
from fimserver.engine.interface import Engine
from fimserver.settings import Settings
from fimserver.syntax.errors import error_count
from fimserver.values import Completion, CursorContext, Document, Shape, Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one case got. `text` is empty where nothing was shown, and `reason` says why."""

    case: str
    kind: str
    language: str
    wanted: str
    text: str
    reason: str
    right: bool
    exact: bool
    first_line: bool
    similarity: float
    parses: bool
    generated_tokens: int
    wasted_tokens: int
    logprobs: Sequence[float]  # of the tokens, in order; with them thresholds are calibrated
    ms: float


async def answers(
    engine: Engine, settings: Settings, cases: Sequence[Case], on_case: Callable[[int], None] = lambda _: None
) -> tuple[list[Answer], list[Answer]]:
    """Return the product's answers and the raw model's, in the order of the cases. Raises EngineError."""
    product, raw = [], []
    for number, case in enumerate(cases):
        document = Document.of(
            case.prefix + case.suffix, uri=f"file:///bench/{number}/{case.path}", language=case.language
        )
        raw.append(await _raw_answer(engine, settings, case, document))
        product.append(await _product_answer(engine, settings, case, document))
        on_case(number + 1)
    return product, raw


async def _product_answer(engine: Engine, settings: Settings, case: Case, document: Document) -> Answer:
    completer = Completer(engine, settings, roots=(Path(f"/bench/{document.uri.split('/')[4]}"),))
    began = time.perf_counter()
    outcome = await completer.complete(document, len(case.prefix))
    ms = (time.perf_counter() - began) * 1_000
    completer.forget(document.uri)
    tokens = outcome.timings.generated_tokens
    if not isinstance(outcome, Completion):
        return _answer(case, "", tokens, tokens, ms, reason=str(outcome.reason))
    wasted = tokens - outcome.timings.shown_tokens
    parses = _parses(document, outcome.replaces, outcome.text)
    return _answer(case, _added(outcome, document, len(case.prefix)), tokens, wasted, ms, parses=parses)


async def _raw_answer(engine: Engine, settings: Settings, case: Case, document: Document) -> Answer:
    asker = Asker(engine, settings, None, ())
    context = look_around(document, len(case.prefix), completion=settings.completion, invoked=True)
    began = time.perf_counter()
    written = await asker.ask(context, Shape.BLOCK if case.kind == "block" else Shape.LINE, lambda _: None)
    ms = (time.perf_counter() - began) * 1_000
    asker.forget(document.uri)
    text = _first_line(written.text, context)
    tokens, logprobs = written.usage.generated_tokens, [piece.logprob for piece in written.pieces]
    parses = _parses(document, Span(len(case.prefix), len(case.prefix)), text)
    return _answer(case, text, tokens, 0, ms, parses=parses, logprobs=logprobs)


async def keystrokes_saved(engine: Engine, settings: Settings, cases: Sequence[Case]) -> tuple[float, float]:
    """Return the share of keys that the product's suggestions save on these cases, and the raw model's first lines."""
    completer, asker = Completer(engine, settings), Asker(engine, settings, None, ())

    async def product(case: Case, typed: str) -> str:
        document = _begun(case, typed)
        cursor = len(case.prefix + typed)
        outcome = await completer.complete(document, cursor)
        return _added(outcome, document, cursor) if isinstance(outcome, Completion) else ""

    async def raw(case: Case, typed: str) -> str:
        document = _begun(case, typed)
        context = look_around(document, len(case.prefix + typed), completion=settings.completion, invoked=True)
        return _first_line((await asker.ask(context, Shape.LINE, lambda _: None)).text, context)

    return (await keystrokes(cases, product)).saved, (await keystrokes(cases, raw)).saved


def _begun(case: Case, typed: str) -> Document:
    return Document.of(case.prefix + typed + case.suffix, uri=f"file:///bench/{case.path}", language=case.language)


def _added(completion: Completion, document: Document, cursor: int) -> str:
    """Return what a suggestion adds behind the cursor; all of it where it stands further left than the line does."""
    return completion.text.removeprefix(document.text[completion.replaces.start : cursor])


def _parses(document: Document, replaced: Span, text: str) -> bool:
    """Say whether there are no more syntax errors with a text than without it."""
    before, after = error_count(document, replaced.start, replaced.end, text)
    return after <= before


def _first_line(written: str, context: CursorContext) -> str:
    """Return the first line of an answer that holds anything, as it would stand behind the cursor."""
    body = written.lstrip("\n")
    text = written[: len(written) - len(body)] + body.split("\n", 1)[0]
    # Of a line of nothing but white space the model writes the indentation, too.
    return text.removeprefix(context.line_prefix) if context.blank_prefix else text


def _answer(
    case: Case,
    text: str,
    tokens: int,
    wasted: int,
    ms: float,
    *,
    reason: str = "",
    parses: bool = True,
    logprobs: Sequence[float] = (),
) -> Answer:
    return Answer(
        case=case.name,
        kind=case.kind,
        language=case.language,
        wanted=case.middle,
        text=text,
        reason=reason,
        right=right_as_far_as_it_goes(text, case.middle),
        exact=exact(text, case.middle),
        first_line=first_lines_equal(text, case.middle),
        similarity=edit_similarity(text, case.middle),
        parses=parses,
        generated_tokens=tokens,
        wasted_tokens=wasted,
        logprobs=logprobs,
        ms=ms,
    )


def figures(rows: Sequence[Answer]) -> dict[str, Any]:
    """Return the figures of one column of the table; shares are between 0 and 1."""
    shown = [row for row in rows if row.text]
    tokens = sum(row.generated_tokens for row in rows)
    right = Share(sum(row.right for row in shown), len(shown))
    whole = Share(sum(row.exact for row in rows), len(rows))
    return {
        "cases": len(rows),
        "exact_match": whole.value,
        "exact_match_plus_minus": whole.plus_minus,
        "edit_similarity": mean([row.similarity for row in rows]),
        "first_line_match": Share(sum(row.first_line for row in rows), len(rows)).value,
        "parse_valid": Share(sum(row.parses for row in shown), len(shown)).value,
        "shown_rate": Share(len(shown), len(rows)).value,
        "precision_when_shown": right.value,
        "precision_when_shown_plus_minus": right.plus_minus,
        "wasted_token_share": sum(row.wasted_tokens for row in rows) / tokens if tokens else 0.0,
        "median_ms": percentile([row.ms for row in rows], 0.5),
        "reasons": _counts(row.reason for row in rows if row.reason),
    }


def by(rows: Sequence[Answer], name: str) -> dict[str, dict[str, Any]]:
    """Return the figures for each value of a field: `kind` or `language`."""
    values = sorted({str(getattr(row, name)) for row in rows})
    return {value: figures([row for row in rows if str(getattr(row, name)) == value]) for value in values}


def compared(first: Sequence[Answer], second: Sequence[Answer]) -> dict[str, Any]:
    """Compare two runs over the same cases: right answers that only one of them has, and the odds of that."""
    pairs = list(zip(first, second, strict=True))
    only_first = sum(a.right and not b.right for a, b in pairs)
    only_second = sum(b.right and not a.right for a, b in pairs)
    return {
        "cases": len(pairs),
        "only_first": only_first,
        "only_second": only_second,
        "difference": (only_second - only_first) / len(pairs) if pairs else 0.0,
        "probability": mcnemar(only_first, only_second),
    }


def as_rows(rows: Sequence[Answer]) -> list[dict[str, Any]]:
    """Return the answers as JSON values, for `--answers FILE`."""
    return [asdict(row) for row in rows]


def _counts(names: Iterable[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for name in names:
        found[name] = found.get(name, 0) + 1
    return dict(sorted(found.items(), key=lambda item: -item[1]))
