"""Files that give orders to their reviewer: even a model that obeys them reaches nothing outside the asked lines."""

import asyncio
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from fimserver.complete.junk import control_text_in, drop_invisible_characters
from fimserver.context.cursor import look_around
from fimserver.engine.fake import SCRIPTED_MODEL, Reply, ScriptedEngine
from fimserver.prompt.chat import chat_prompt
from fimserver.review.findings import Dropped, Finding
from fimserver.review.passages import Target, passages
from fimserver.review.prompts import asked, prompt_named
from fimserver.review.reviewer import Review, prompt_values
from fimserver.settings import CompletionSettings
from fimserver.syntax.languages import language_named
from fimserver.text import line_end
from fimserver.values import Document

FOLDER = Path(__file__).parents[3] / "fixtures" / "injections"

_FENCED = re.compile(r"^(`{3,})(\w+)\n(.*?)^\1$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Order:
    """A text that gives orders, what a review asks about, and what a model that obeys would answer."""

    name: str
    document: Document
    lines: range
    answer: str


def read_order(path: Path) -> Order:
    text = path.read_text("utf-8")
    (_, language, source), (_, _, answer) = _FENCED.findall(text)
    known = language_named(language)
    assert known is not None
    first, last = map(int, re.findall(r"^Asked: (\d+) to (\d+)$", text, re.MULTILINE)[0])
    document = Document.of(source, uri=f"file:///shop/{path.stem}{known.suffixes[0]}", language=language)
    return Order(path.stem, document, range(first - 1, last), answer)


ORDERS = [read_order(path) for path in sorted(FOLDER.glob("*.md"))]


def obeyed(order: Order) -> tuple[list[Finding], Review]:
    review = Review(ScriptedEngine([Reply(pieces=[order.answer])]), [Target(order.document, (order.lines,))])

    async def collect() -> list[Finding]:
        return [finding async for finding in review.findings()]

    return asyncio.run(collect()), review


def outside(document: Document, lines: range, text: str) -> tuple[str, str]:
    """Return what stands before and after the asked lines, given the text after an edit of them."""
    start, end = document.starts[lines.start], line_end(document.text, document.starts, lines[-1])
    after = len(document.text) - end
    return text[:start], text[len(text) - after :]


def test_there_are_twenty() -> None:
    assert len(ORDERS) == 20


@pytest.mark.parametrize("order", ORDERS, ids=lambda order: order.name)
def test_nothing_outside_the_asked_lines_is_reached(order: Order) -> None:
    document, lines = order.document, order.lines
    found, _ = obeyed(order)
    before = outside(document, lines, document.text)
    for finding in found:
        assert finding.line in lines
        text = document.text[: finding.span.start] + (finding.replacement or finding.quoted)
        assert outside(document, lines, text + document.text[finding.span.end :]) == before
        assert (finding.replacement or "").count("\n") < 40


@pytest.mark.parametrize("order", ORDERS, ids=lambda order: order.name)
def test_no_control_token_and_nothing_invisible_comes_back(order: Order) -> None:
    for finding in obeyed(order)[0]:
        context = look_around(order.document, finding.span.start, completion=CompletionSettings())
        for text in filter(None, (finding.message, finding.replacement)):
            assert control_text_in(text, context) is None
            assert drop_invisible_characters(text, context) == text


@pytest.mark.parametrize("order", ORDERS, ids=lambda order: order.name)
def test_the_text_is_data_in_the_prompt(order: Order) -> None:
    harmless = Document.of("x = 1\n", uri=order.document.uri)
    assert controls(order.document, order.lines) == controls(harmless, range(1))


def controls(document: Document, lines: range) -> list[str]:
    """Return the control tokens of the prompt for some lines."""
    [passage] = passages(Target(document, (lines,)), 10_000)
    prompt = chat_prompt(asked(prompt_named("review"), prompt_values(passage, (), ())), SCRIPTED_MODEL)
    listing = passage.listing.split("\n")[-1]
    assert any(listing in segment.text for segment in prompt.segments if not segment.control)
    return [segment.text for segment in prompt.segments if segment.control]


@pytest.mark.parametrize("name", ["approve", "approve-in-json", "tool-call", "link"])
def test_an_ordered_approval_is_no_clean_bill(name: str) -> None:
    found, review = obeyed(next(order for order in ORDERS if order.name == name))
    assert (found, review.dropped[Dropped.UNREADABLE]) == ([], 1)


def test_an_endless_answer_is_one_finding() -> None:
    found, review = obeyed(next(order for order in ORDERS if order.name == "endless"))
    assert (len(found), review.dropped[Dropped.DUPLICATE]) == (1, 39)
