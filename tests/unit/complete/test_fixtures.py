"""Over all fixtures, whatever a model makes of what belongs there: nothing shown breaks the code or says it twice."""

from pathlib import Path

import pytest

from fimserver.bench.cases import Case, read_cases
from fimserver.complete.filters import refine
from fimserver.complete.landing import Landing
from fimserver.complete.overlap import lines_below
from fimserver.syntax.errors import error_count
from fimserver.values import Completion, Rejection
from tests.drawn import CURSOR
from tests.unit.complete.landings import landing, looked

CASES = read_cases(Path(__file__).parents[3] / "fixtures" / "fim")

# What models make of an answer, from harmless to broken.
WAYS = {
    "right": lambda case: belongs(case),
    "goes on with what follows": lambda case: belongs(case) + case.suffix,
    "says it again": lambda case: f"{belongs(case)}\n" * 5,
    "is cut in the middle": lambda case: belongs(case)[: len(belongs(case)) * 2 // 3],
    "is cut at a word": lambda case: belongs(case).rpartition(" ")[0],
    "closes too much": lambda case: belongs(case) + ")]}",
    "closes nothing": lambda case: belongs(case).rstrip(")]};,"),
    "forgets its indentation": lambda case: case.middle,
    "skips the hole": lambda case: case.suffix,
    "writes the line again": lambda case: case.prefix.rpartition("\n")[2] + case.middle,
    "writes the lines above again": lambda case: "\n".join(case.prefix.split("\n")[-4:-1]),
    "ends with a control text": lambda case: belongs(case) + "<|endoftext|>" + case.prefix,
    "is fenced": lambda case: f"```{case.language}\n{belongs(case)}\n```",
    "has other line ends": lambda case: belongs(case).replace("\n", "\r\n"),
    "opens what it leaves open": lambda case: belongs(case) + "\nif (a",
    "is prose": lambda case: "Sure, here is the code that belongs there:\n" + case.middle,
}


def belongs(case: Case) -> str:
    """Return what a model would rightly write: the line's indentation is its own where nothing else stands there."""
    typed = case.prefix.rpartition("\n")[2]
    return case.middle if typed.strip() else typed + case.middle


def at(case: Case) -> str:
    return case.prefix + CURSOR + case.suffix


def test_there_are_five_cases_and_more_of_each_language() -> None:
    languages = [case.language for case in CASES]
    assert {name for name in languages if languages.count(name) >= 5} >= {
        "python", "javascript", "typescript", "go", "rust", "c", "cpp", "java", "csharp",
        "php",
    }  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.language} {case.name}")
async def test_what_belongs_there_is_shown(case: Case) -> None:
    shown = text_after(case, await landing(at(case), belongs(case), case.language))
    assert shown == case.prefix + case.middle + closed(case)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.language} {case.name}")
async def test_nothing_shown_breaks_the_code_or_repeats_what_follows(case: Case, way: str) -> None:
    answer = WAYS[way](case)
    assert_sound(case, (await landing(at(case), answer, case.language)).outcome)
    # Nor without the stops, as when an engine sends its answer in one piece.
    text, _ = refine(answer, looked(at(case), case.language))
    if not isinstance(text, Rejection):
        assert_sound(case, text)


def assert_sound(case: Case, outcome: object) -> None:
    """Assert that a suggestion adds no syntax error and does not write the next line again."""
    if isinstance(outcome, Rejection):
        return
    text = outcome.text if isinstance(outcome, Completion) else str(outcome)
    context = looked(at(case), case.language)
    start = context.line_start if context.blank_prefix else context.offset
    end = context.offset + (len(context.tail) if context.closing_tail else 0)
    before, after = error_count(context.document, start, end, text)
    assert after <= before
    lines = (context.document.text[context.line_start : start] + text).split("\n")
    following = lines_below(context, 1)
    assert not following or not following[0].strip(")]}; ") or lines[-1].rstrip() != following[0]


def text_after(case: Case, landing: Landing) -> str:
    outcome = landing.outcome
    assert isinstance(outcome, Completion), outcome
    text = looked(at(case), case.language).document.text
    return text[: outcome.replaces.start] + outcome.text + text[outcome.replaces.end :]


def closed(case: Case) -> str:
    """Return what follows: closing punctuation on the cursor's line is part of what belongs there."""
    context = looked(at(case), case.language)
    return case.suffix[len(context.tail) :] if context.closing_tail else case.suffix
