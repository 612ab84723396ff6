"""Nothing is generated past the point where the suggestion is whole."""

from collections.abc import AsyncGenerator

import pytest

from fimserver.complete.stops import Stopping
from fimserver.complete.stream import Written, write
from fimserver.context.cursor import look_around
from fimserver.engine.interface import Chunk, Finish, Usage
from fimserver.settings import CompletionSettings
from fimserver.values import Shape
from tests.drawn import drawn


def stopping(text: str, shape: Shape, max_lines: int = 12, language: str = "python") -> Stopping:
    document, offset = drawn(text, language=language)
    return Stopping(look_around(document, offset, completion=CompletionSettings()), shape, max_lines)


class Answer:
    """A model's answer in pieces; `asked` counts those the reader took, the one after the last included."""

    def __init__(self, *pieces: str, finish: Finish = Finish.END_OF_TEXT) -> None:
        self.pieces, self.finish, self.asked, self.closed = pieces, finish, 0, False

    async def stream(self) -> AsyncGenerator[Chunk, None]:
        try:
            for number, piece in enumerate(self.pieces, 1):
                self.asked = number
                yield Chunk(text=piece, tokens=1, logprob=-0.1 * number, usage=Usage(generated_tokens=number))
            yield Chunk(finish=self.finish, usage=Usage(generated_tokens=len(self.pieces)))
        finally:
            self.closed = True


async def written(answer: Answer, where: Stopping) -> Written:
    return await write(answer.stream(), where, lambda _: None)


@pytest.mark.parametrize(
    ("at", "shape", "pieces", "text", "taken", "stop"),
    [
        pytest.param("x = ‸", Shape.LINE, ["a", " + b", "\n", "y"], "a + b", 3, "after_the_line", id="a line ends"),
        pytest.param("x = ‸", Shape.LINE, ["a", "\nb = 2"], "a", 2, "after_the_line", id="inside a token"),
        pytest.param(
            "def f():\n    ‸",
            Shape.BLOCK,
            ["    a = 1\n", "    return a\n", "\n", "x", " = 3", "\n", "y"],
            "    a = 1\n    return a",
            4,
            "after_the_block",
            id="a dedent ends a block at once",
        ),
        pytest.param(
            "def f():\n    ‸\n    return 3\n",
            Shape.BLOCK,
            ["    a = 1\n", "    return 3\n", "    b = 2\n", "c"],
            "    a = 1",
            2,
            "before_what_follows",
            id="a line that follows already",
        ),
        pytest.param(
            "def f():\n    ‸",
            Shape.BLOCK,
            ["    a()\n"] * 9,
            "    a()\n    a()",
            3,
            "before_the_third_time",
            id="the same line a third time",
        ),
        pytest.param(
            "def f():\n    ‸", Shape.BLOCK, ["    a" + "()" * 40], "    a()", 1, "before_a_loop", id="a loop in a line"
        ),
        pytest.param(
            "def f():\n    ‸",
            Shape.BLOCK,
            [f"    a{number} = 1\n" for number in range(9)],
            "    a0 = 1\n    a1 = 1\n    a2 = 1",
            3,
            "after_enough_lines",
            id="enough lines",
        ),
    ],
)
async def test_stops(at: str, shape: Shape, pieces: list[str], text: str, taken: int, stop: str) -> None:
    answer = Answer(*pieces)
    result = await written(answer, stopping(at, shape, max_lines=3))
    assert (result.text, result.stopped_by, answer.asked) == (text, stop, taken)
    assert answer.closed


async def test_the_models_own_end_is_an_end() -> None:
    result = await written(Answer("a", " + b"), stopping("x = ‸", Shape.LINE))
    assert (result.text, result.stopped_by, result.ended) == ("a + b", "end-of-text", True)


async def test_a_deadline_is_no_end() -> None:
    result = await written(Answer("a", finish=Finish.DEADLINE), stopping("x = ‸", Shape.LINE))
    assert (result.text, result.ended) == ("a", False)


async def test_growth_is_told_piece_by_piece() -> None:
    grown: list[str] = []
    await write(Answer("a", "b").stream(), stopping("x = ‸", Shape.LINE), lambda so_far: grown.append(so_far.text))
    assert grown == ["a", "ab"]


async def test_an_answer_can_be_continued() -> None:
    where = stopping("‸", Shape.BLOCK)
    first = await written(Answer("if a:"), where)
    second = await write(Answer("\n", "    b").stream(), where, lambda _: None, so_far=first)
    assert second.text == "if a:\n    b"
    assert len(second.pieces) == 3


async def test_tokens_and_probabilities_count_only_what_is_shown() -> None:
    result = await written(Answer("ab", "cd", "ef"), stopping("x = ‸", Shape.LINE))
    assert result.tokens_within(3) == 2
    assert result.mean_logprob(3) == pytest.approx(-0.15)
    assert result.first_logprob() == pytest.approx(-0.1)
    assert result.mean_logprob(0) is None
