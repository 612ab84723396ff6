"""Where a prompt ends when the cursor stands in a word, and what of the answer is new."""

from collections.abc import AsyncGenerator

import pytest

from fimserver.complete.healing import backed_up, without
from fimserver.engine.interface import Chunk


@pytest.mark.parametrize(
    ("typed", "before", "word"),
    [
        pytest.param("total = self.pri", "total = self", ".pri", id="a token brings the dot before it"),
        pytest.param("total = self.", "total = self", ".", id="a dot begins a token"),
        pytest.param("x = -tot", "x =", " -tot", id="a sign and the space before it"),
        pytest.param("print((", "print", "((", id="brackets in a row"),
        pytest.param("if x >", "if x", " >", id="an operator brings the space before it"),
        pytest.param("return tot", "return", " tot", id="a token brings the space before it"),
        pytest.param("max_ro", "max", "_ro", id="an underscore begins a token"),
        pytest.param("total", "", "total", id="a word that begins the line"),
        pytest.param("x = größ", "x =", " größ", id="a word of another alphabet"),
        pytest.param("total ", "total", " ", id="a space begins a token"),
        pytest.param("", "", "", id="nothing typed"),
        pytest.param("x = sesquipedalian", "x = sesquipedalian", "", id="a long word is not said again"),
    ],
)
def test_backs_up_to_the_beginning_of_a_word(typed: str, before: str, word: str) -> None:
    assert backed_up(typed) == (before, word)


async def pieces(*texts: str) -> AsyncGenerator[Chunk, None]:
    for text in texts:
        yield Chunk(text=text, tokens=1, logprob=-1.0)


@pytest.mark.parametrize(
    ("said", "texts", "left"),
    [
        pytest.param("pri", ["prices", "["], [("ces", 1), ("[", 1)], id="a token that goes beyond it"),
        pytest.param(
            "pri", ["p", "ri", "ces"], [("", 0), ("", 0), ("ces", 1)], id="tokens within it count for nothing"
        ),
        pytest.param("", ["a"], [("a", 1)], id="nothing had to be said"),
        pytest.param(" ", ["answer"], [("answer", 1)], id="an engine that forces nothing"),
    ],
)
async def test_what_had_to_be_said_is_no_part_of_the_answer(
    said: str, texts: list[str], left: list[tuple[str, int]]
) -> None:
    assert [(chunk.text, chunk.tokens) async for chunk in without(said, pieces(*texts))] == left
