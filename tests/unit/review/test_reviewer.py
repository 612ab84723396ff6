"""A review asks about passage after passage and yields what is true, as the scripted model writes it."""

import asyncio
import json
from collections.abc import Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from fimserver.engine.fake import Reply, ScriptedEngine
from fimserver.errors import EngineUnavailable
from fimserver.review.findings import Dropped, Finding
from fimserver.review.passages import Target
from fimserver.review.reviewer import MOST_LINES, Review, Wishes, told, told_dropped
from fimserver.values import Document, Snippet

TEXT = "def mean(values):\n    total = sum(values)\n    return total / len(values)\n"
LONG = "\n\n".join(f"def f{n}(x):\n" + f"    print(x, {n})\n" * 60 for n in range(6))
CLAIM = {"line": 3, "quote": "len(values)", "category": "bug", "severity": "error", "message": "It may be empty."}


def line(**changes: Any) -> str:
    return json.dumps({**CLAIM, **changes}) + "\n"


def review(text: str, *replies: str | Reply, wishes: Wishes | None = None) -> tuple[list[Finding], Review]:
    engine = ScriptedEngine([reply if isinstance(reply, Reply) else Reply(pieces=[reply]) for reply in replies])
    one = Review(engine, [Target.whole(Document.of(text, uri="file:///shop/till.py"))], wishes)

    async def collect() -> list[Finding]:
        return [finding async for finding in one.findings()]

    return asyncio.run(collect()), one


def test_a_finding_is_placed_where_its_quote_stands() -> None:
    [finding], _ = review(TEXT, line(replacement="max(1, len(values))"))
    assert (finding.line, finding.quoted, finding.replacement) == (2, "len(values)", "max(1, len(values))")


def test_silence_is_an_answer() -> None:
    found, one = review(TEXT, "{}")
    assert (found, told(one), told_dropped(one), one.answers) == ([], [], "", 1)


DROPPED: dict[str, tuple[str, dict[Dropped, int]]] = {
    "prose": ("Looks good to me!", {Dropped.UNREADABLE: 1}),
    "a line outside": (line(line=9), {Dropped.OUTSIDE: 1}),
    "an invented quote": (line(quote="median(values)"), {Dropped.NOT_QUOTED: 1}),
    "the same again": (line() + line(message="Again."), {Dropped.DUPLICATE: 1}),
}


@pytest.mark.parametrize(("answer", "dropped"), DROPPED.values(), ids=DROPPED)
def test_what_is_not_true_is_dropped_and_counted(answer: str, dropped: dict[Dropped, int]) -> None:
    _, one = review(TEXT, answer)
    assert dict(one.dropped) == dropped
    assert all(str(why) in told_dropped(one) for why in dropped)


def test_two_kinds_on_one_line_are_two_findings() -> None:
    found, _ = review(TEXT, line() + line(category="security"))
    assert len(found) == 2


def test_a_long_text_is_reviewed_in_parts_and_its_findings_are_merged() -> None:
    found, one = review(LONG, line(line=2, quote="print"), line(line=200, quote="print"))
    assert [finding.line for finding in found] == [1, 199]
    assert (one.answers, len(one.passages)) == (2, 2)


def test_an_endless_answer_is_cut_and_what_was_found_is_kept() -> None:
    endless = Reply(pieces=[line(), *('{"line": 1, "quote": "' + " word" * 2_000).split("w")])
    found, one = review(TEXT, endless)
    assert (len(found), one.cut) == (1, 1)
    assert "were cut" in told(one)[0]


def test_what_was_found_before_a_failure_was_yielded() -> None:
    engine = ScriptedEngine([Reply(pieces=[line(line=2, quote="print")]), Reply(error=EngineUnavailable("It died."))])
    one = Review(engine, [Target.whole(Document.of(LONG))])
    found: list[Finding] = []

    async def collect() -> None:
        async for finding in one.findings():
            found.append(finding)  # noqa: PERF401 - what came before the error counts

    with pytest.raises(EngineUnavailable):
        asyncio.run(collect())
    assert len(found) == one.found == 1


def test_closing_ends_it_in_the_middle_of_an_answer(tmp_path: Path) -> None:
    never = Reply(pieces=[line(), tmp_path / "never"])

    async def first() -> Finding:
        one = Review(ScriptedEngine([never]), [Target.whole(Document.of(TEXT))])
        async with aclosing(one.findings()) as found:
            return await anext(found)

    assert asyncio.run(first()).line == 2


def test_no_more_than_so_many_lines_are_reviewed() -> None:
    _, one = review("x = 1\n" * (MOST_LINES + 7), "{}")
    assert one.lines_left_out == 8  # the empty one behind the last line end, too
    assert "8 lines were left out" in told(one)[0]


def test_what_other_files_say_is_shown() -> None:
    async def related(_: object) -> Sequence[Snippet]:
        return [Snippet("shelf.py", "class Shelf: ...", 1.0, "imports")]

    seen = Reply(pieces=[line()], when="shelf.py\nclass Shelf: ...")
    found, _ = review(TEXT, Reply(pieces=["{}"]), seen, wishes=Wishes(related=related))
    assert len(found) == 1


def test_the_text_cannot_become_a_control_token() -> None:
    shown = Reply(pieces=[line(line=1, quote="mean")], when="# <|im_end|>")  # control texts are no part of `when`
    found, _ = review("def mean(): pass  # <|im_end|>\n", Reply(pieces=["{}"]), shown)
    assert len(found) == 1
