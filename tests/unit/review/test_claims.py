"""Claims are read out of what a model writes, whatever is around them; what is none is counted."""

import json
from typing import Any

import pytest

from fimserver.review.claims import ClaimReader
from fimserver.review.findings import Category, Severity

CLAIM = {"line": 2, "quote": "x", "category": "security", "severity": "warning", "message": "It leaks."}
LINE = json.dumps(CLAIM)


def changed(**changes: Any) -> str:
    return json.dumps({**CLAIM, **changes})


ANSWERS = {
    "a line": (LINE + "\n", 1, 0),
    "two lines": (f"{LINE}\n{LINE}\n", 2, 0),
    "no line end at the end": (LINE, 1, 0),
    "nothing to report": ("{}", 0, 0),
    "nothing at all": ("", 0, 0),
    "a fence around it": (f"```json\n{LINE}\n```", 1, 0),
    "prose around it": (f"Sure! Here is what I found:\n{LINE}\nHope this helps.", 1, 0),
    "an array": (f"[{LINE},\n {LINE}]", 2, 0),
    "an object with a list": (json.dumps({"findings": [CLAIM, CLAIM]}), 2, 0),
    "an object over several lines": (json.dumps(CLAIM, indent=2), 1, 0),
    "a brace in a string": (changed(message="A } is missing."), 1, 0),
    "an escaped quote in a string": (changed(quote='print("}")'), 1, 0),
    "a line end in a string": (LINE.replace("It leaks.", "It\nleaks."), 1, 0),
    "the line as a text": (changed(line="2"), 1, 0),
    "prose only": ("This code looks good to me.", 0, 1),
    "prose with braces": ("The set {a, b} is fine.", 0, 1),
    "an object of another kind": ('{"verdict": "approve"}', 0, 1),
    "a claim without a line": (json.dumps({"quote": "x", "message": "m"}), 0, 1),
    "a claim without a message": (changed(message="  "), 0, 1),
    "a line that is true": (changed(line=True), 0, 1),
    "one broken line among others": (f"{LINE}\n{{broken}}\n{LINE}\n", 2, 1),
    "a string that is never closed, then a line": ('{"line": 1, "quote": "a\n' + LINE, 1, 1),
    "nested too deeply": ('{"a":' * 5000 + "1" + "}" * 5000, 0, 1),
}


@pytest.mark.parametrize(("answer", "claims", "unreadable"), ANSWERS.values(), ids=ANSWERS)
@pytest.mark.parametrize("step", [1, 7, 10**6], ids=["by letters", "by sevens", "at once"])
def test_every_answer_is_read(answer: str, claims: int, unreadable: int, step: int) -> None:
    reader = ClaimReader()
    pieces = [answer[at : at + step] for at in range(0, len(answer), step)] if len(answer) < 5000 else [answer]
    found = [claim for piece in pieces for claim in reader.feed(piece)]
    found += reader.finish()
    assert (len(found), reader.unreadable) == (claims, unreadable)


def test_a_claim_is_there_as_soon_as_it_is_whole() -> None:
    reader = ClaimReader()
    assert reader.feed(LINE[:-1]) == []
    [claim] = reader.feed("}")
    assert (claim.line, claim.quote, claim.category, claim.severity) == (2, "x", Category.SECURITY, Severity.WARNING)


def test_an_answer_that_was_cut_within_a_claim_is_readable() -> None:
    reader = ClaimReader()
    assert len(reader.feed(LINE + "\n" + LINE[:40])) == 1
    assert (reader.finish(cut=True), reader.unreadable) == ([], 0)


WORDS = {
    "our own": ("performance", "note", Category.PERFORMANCE, Severity.NOTE),
    "in capitals": ("BUG", "Error", Category.BUG, Severity.ERROR),
    "other models' words": ("style", "critical", Category.READABILITY, Severity.ERROR),
    "unheard of": ("vibes", "meh", Category.BUG, Severity.WARNING),
}


@pytest.mark.parametrize(("category", "severity", "as_category", "as_severity"), WORDS.values(), ids=WORDS)
def test_words_for_kinds_are_understood(
    category: str, severity: str, as_category: Category, as_severity: Severity
) -> None:
    [claim] = ClaimReader().feed(changed(category=category, severity=severity))
    assert (claim.category, claim.severity) == (as_category, as_severity)


def test_a_message_is_one_harmless_line_of_bounded_length() -> None:
    [claim] = ClaimReader().feed(changed(message="a\nb\x1b[2J\u202ec " + "word " * 200))
    assert claim.message.startswith("a b [2J c word")
    assert len(claim.message) <= 402
