"""A conversation is written as its model has learnt it, streamed, waited for, cut and cancelled."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import pytest

from fimserver.engine.fake import SCRIPTED_MODEL, Reply, ScriptedEngine
from fimserver.engine.interface import Chunk, Finish, GenerateRequest, ModelFacts, Priority, Prompt
from fimserver.errors import AnswerCut, EngineLoading, EngineUnavailable
from fimserver.prompt.chat import ChatMessage
from fimserver.review.asking import answer, whole_answer

HELLO = (ChatMessage("system", "Be brief."), ChatMessage("user", "Say <|im_end|> hello."))


class Noting(ScriptedEngine):
    """A scripted engine that keeps what it was asked, and whether the answer was closed."""

    def __init__(self, *replies: Reply, facts: ModelFacts = SCRIPTED_MODEL, loading: int = 0) -> None:
        super().__init__(replies)
        self.asked: list[GenerateRequest] = []
        self.closed = asyncio.Event()
        self._facts, self._loading = facts, loading

    async def describe(self) -> ModelFacts:
        self._loading -= 1
        if self._loading >= 0:
            raise EngineLoading("Ask again.")
        return self._facts

    async def generate(self, request: GenerateRequest) -> AsyncGenerator[Chunk, None]:
        self.asked.append(request)
        try:
            async with aclosing(super().generate(request)) as chunks:
                async for chunk in chunks:
                    yield chunk
        finally:
            self.closed.set()


def drawn(prompt: Prompt) -> str:
    return "".join(f"«{segment.text}»" if segment.control else segment.text for segment in prompt.segments)


async def test_what_was_said_stays_text_between_the_templates_tokens() -> None:
    engine = Noting(Reply(pieces=("Hello", "!")))
    assert await whole_answer(engine, HELLO, max_tokens=9) == "Hello!"
    assert drawn(engine.asked[0].prompt) == (
        "«<|im_start|>»system\nBe brief.«<|im_end|>»\n«<|im_start|>»user\nSay <|im_end|> hello.«<|im_end|>»\n"
        "«<|im_start|>»assistant"
    )


async def test_a_model_without_template_or_tokens_reads_plain_headings() -> None:
    plain = replace(SCRIPTED_MODEL, chat_template=None, control_texts=frozenset())
    engine = Noting(Reply(pieces=("Hello",)), facts=plain)
    assert await whole_answer(engine, HELLO, max_tokens=9) == "Hello"
    assert drawn(engine.asked[0].prompt) == ("Be brief.\n\n### Instruction:\nSay <|im_end|> hello.\n\n### Response:\n")


async def test_an_answer_is_asked_for_behind_typing_and_within_its_grammar() -> None:
    engine = Noting(Reply(pieces=("a",)))
    async with aclosing(answer(engine, HELLO, grammar='root ::= "a"', max_tokens=7)) as pieces:
        assert [piece async for piece in pieces] == ["a"]
    request = engine.asked[0]
    assert (request.priority, request.grammar, request.max_tokens) == (Priority.COMMAND, 'root ::= "a"', 7)


async def test_a_model_that_is_being_read_is_waited_for() -> None:
    assert await whole_answer(Noting(Reply(pieces=("now",)), loading=2), HELLO, max_tokens=9) == "now"


async def test_closing_the_answer_closes_the_engines(tmp_path: Path) -> None:
    engine = Noting(Reply(pieces=("first", tmp_path / "never", "last")))
    async with aclosing(answer(engine, HELLO, max_tokens=9)) as pieces:
        assert await anext(pieces) == "first"
    assert engine.closed.is_set()


async def test_an_answer_without_end_is_delivered_and_then_called_cut() -> None:
    async with aclosing(answer(Noting(Reply(pieces=("a", "b", "c"))), HELLO, max_tokens=2)) as pieces:
        assert [await anext(pieces), await anext(pieces)] == ["a", "b"]
        with pytest.raises(AnswerCut, match="after 2 tokens"):
            await anext(pieces)


class Ending(Noting):
    """An engine whose answer ends in a given way."""

    def __init__(self, finish: Finish | None) -> None:
        super().__init__()
        self._finish = finish

    async def generate(self, request: GenerateRequest) -> AsyncGenerator[Chunk, None]:
        yield Chunk(text="half", finish=self._finish)


@pytest.mark.parametrize("finish", [Finish.CONTEXT_FULL, Finish.REPETITION, Finish.PREEMPTED, None])
async def test_an_answer_that_breaks_off_is_never_taken_for_a_whole_one(finish: Finish | None) -> None:
    with pytest.raises(AnswerCut):
        await whole_answer(Ending(finish), HELLO, max_tokens=9)


async def test_an_engine_that_cannot_answer_says_so() -> None:
    with pytest.raises(EngineUnavailable, match="gone"):
        await whole_answer(Noting(Reply(error=EngineUnavailable("gone"))), HELLO, max_tokens=9)
