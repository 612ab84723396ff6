"""The scripted engine: the same script always gives the same answers."""

import asyncio
import json
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from fimserver.engine.fake import SCRIPTED_MODEL, ScriptedEngine
from fimserver.engine.interface import Chunk, EngineState, Finish, GenerateRequest, Prompt, Segment
from fimserver.errors import EngineLoading, SettingsError
from fimserver.prompt.profile import profile_for


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def engine(folder: Path, *replies: Any) -> ScriptedEngine:
    script = folder / "script.jsonl"
    script.write_text("# a script\n\n" + "\n".join(json.dumps(reply) for reply in replies), "utf-8")
    return ScriptedEngine.from_file(script)


def request(before: str, **more: Any) -> GenerateRequest:
    segments = (Segment("<|fim_suffix|>", control=True), Segment("after"), Segment("<|fim_middle|>", control=True))
    return GenerateRequest(prompt=Prompt((*segments, Segment(before))), **more)


async def chunks(engine: ScriptedEngine, asked: GenerateRequest) -> list[Chunk]:
    return [chunk async for chunk in engine.generate(asked)]


async def text(engine: ScriptedEngine, before: str, **more: Any) -> str:
    return "".join(chunk.text for chunk in await chunks(engine, request(before, **more)))


async def test_replies_without_a_condition_come_in_order_and_the_last_for_ever(folder: Path) -> None:
    scripted = engine(folder, {"text": "one"}, {"text": "two"})
    assert [await text(scripted, "x") for _ in range(4)] == ["one", "two", "two", "two"]


async def test_a_reply_with_a_condition_answers_each_time_and_takes_no_turn(folder: Path) -> None:
    scripted = engine(folder, {"text": "one"}, {"when": "def sub", "text": "minus"}, {"text": "two"})
    asked = ["def sub(", "def add(", "def sub(", "def add("]
    assert [await text(scripted, before) for before in asked] == ["minus", "one", "minus", "two"]


@pytest.mark.parametrize(
    ("reply", "before", "fits"),
    [
        pytest.param({"when": "add"}, "def add(", True, id="a text before the cursor"),
        pytest.param({"when": "after"}, "def add(", True, id="a text after the cursor"),
        pytest.param({"when": "fim_middle"}, "def add(", False, id="control texts are not searched"),
        pytest.param({"when": "sub"}, "def add(", False, id="a text that is not there"),
        pytest.param({"ends": "add("}, "def add(", True, id="the end of what stands before the cursor"),
        pytest.param({"ends": "add"}, "def add(", False, id="what is not quite the end"),
        pytest.param({"ends": "add():"}, "def add():\n    ", True, id="white space at the end does not count"),
        pytest.param({"ends": "a", "when": "b"}, "a", False, id="both conditions must hold"),
    ],
)
async def test_a_condition_holds_for(folder: Path, reply: dict[str, str], before: str, fits: bool) -> None:
    scripted = engine(folder, {**reply, "text": "conditional"}, {"text": "other"})
    assert (await text(scripted, before) == "conditional") is fits


async def test_a_text_comes_in_pieces_of_words_and_line_ends(folder: Path) -> None:
    answer = await chunks(engine(folder, {"text": "return a + b\n    x"}), request("word word"))
    assert [chunk.text for chunk in answer] == ["return", " a", " +", " b", "\n", "    x", ""]
    assert [chunk.tokens for chunk in answer] == [1, 1, 1, 1, 1, 1, 0]
    assert answer[-1].finish == Finish.END_OF_TEXT
    assert answer[-1].usage.prompt_tokens == 2 + 1 + 2  # control texts, after, word word
    assert answer[-1].usage.generated_tokens == 6


async def test_pieces_come_as_they_are_written(folder: Path) -> None:
    answer = await chunks(engine(folder, {"pieces": ["re", "turn x"], "logprob": -2}), request("x"))
    assert [(chunk.text, chunk.logprob) for chunk in answer[:-1]] == [("re", -2), ("turn x", -2)]


async def test_the_answer_stops_where_an_engine_would(folder: Path) -> None:
    scripted = engine(folder, {"text": "a b\nc d\n"})
    stopped = await chunks(scripted, request("x", stop_texts=("\n",)))
    assert "".join(chunk.text for chunk in stopped) == "a b\n"
    assert stopped[-1].finish == Finish.STOP_TEXT
    short = await chunks(scripted, request("x", max_tokens=2))
    assert "".join(chunk.text for chunk in short) == "a b"
    assert short[-1].finish == Finish.MAX_TOKENS


async def test_forced_text_begins_the_answer_and_belongs_to_the_prompt(folder: Path) -> None:
    scripted = engine(folder, {"ends": "x re", "text": "turn 1"})
    assert await text(scripted, "x ", forced="re") == "return 1"


async def test_an_error_is_raised_each_time_anew(folder: Path) -> None:
    scripted = engine(folder, {"error": "engine-loading", "message": "Wait."})
    for _ in range(2):
        with pytest.raises(EngineLoading, match=r"Wait\."):
            await text(scripted, "x")


async def test_an_answer_waits_for_a_file(folder: Path) -> None:
    go = folder / "go"
    scripted = engine(folder, {"pieces": ["a", {"wait_for": str(go)}, "b"]})
    async with aclosing(scripted.generate(request("x"))) as answer:
        assert (await anext(answer)).text == "a"
        rest = asyncio.ensure_future(anext(answer))
        await asyncio.sleep(0)
        assert not rest.done()
        go.touch()
        assert (await rest).text == "b"


async def test_an_answer_that_waits_is_cut_at_its_deadline(folder: Path) -> None:
    scripted = engine(folder, {"pieces": ["a", {"wait_for": str(folder / "never")}, "b"]})
    answer = await chunks(scripted, request("x", deadline_ms=20))
    assert [chunk.text for chunk in answer] == ["a", ""]
    assert answer[-1].finish == Finish.DEADLINE


async def test_an_empty_script_answers_nothing(folder: Path) -> None:
    assert await text(engine(folder), "x") == ""


async def test_the_scripted_model_is_ready_and_written_to_like_the_embedded_one(folder: Path) -> None:
    scripted = engine(folder)
    assert scripted.status().state == EngineState.READY
    assert profile_for(await scripted.describe()).id == "tiny-fim"
    assert SCRIPTED_MODEL.name == "scripted"
    assert (await scripted.warm(Prompt((Segment("a b"),)))).prompt_tokens == 2
    await scripted.close()


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        pytest.param("{", "script.jsonl:1 is no reply", id="no JSON"),
        pytest.param("[]", "not a JSON object", id="no object"),
        pytest.param('{"txt": "x"}', "no field 'txt'", id="an unknown field"),
        pytest.param('{"text": 7}', "'text' has the wrong type", id="a value of another type"),
        pytest.param('{"pieces": [7]}', "A piece is a text", id="a piece that is no text"),
        pytest.param('{"error": "oops"}', "no error 'oops'; there are engine-loading", id="an unknown error"),
    ],
)
def test_a_line_that_is_no_reply_is_named(folder: Path, line: str, complaint: str) -> None:
    script = folder / "script.jsonl"
    script.write_text(line)
    with pytest.raises(SettingsError, match=complaint):
        ScriptedEngine.from_file(script)


def test_a_script_that_is_not_there_is_named(folder: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        ScriptedEngine.from_file(folder / "nothing")
