"""Several typists at one engine: what they type, what is counted, and engines of every kind."""

from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import pytest

from fimserver.bench.load import Asked, keystrokes, load_figures
from fimserver.cli import main
from fimserver.values import Completion, Reason, Rejection, Shape, Span, Timings
from tests.cli import commands
from tests.engine.peer_server import PeerServer, as_json, events

SOURCE = "".join(f"    line_{number} = {number}\n" for number in range(40))


def test_each_key_adds_one_character_and_indentation_comes_by_itself() -> None:
    keys = list(islice(keystrokes(SOURCE, Random(0)), 12))
    first = keys[0].text[: keys[0].offset]
    assert first.endswith("\n    l")
    assert [key.text[len(first) - 1 : key.offset] for key in keys[:6]] == ["l", "li", "lin", "line", "line_", "line_2"]
    assert not any(key.pause for key in keys[:6])


def test_a_line_is_thought_about_at_its_end() -> None:
    pauses = [key for key in islice(keystrokes(SOURCE, Random(0)), 60) if key.pause]
    assert pauses
    assert all(key.text[: key.offset].endswith("\n") for key in pauses)


def test_what_is_typed_stands_before_the_rest_of_the_module() -> None:
    key = next(keystrokes(SOURCE, Random(0)))
    after = key.text[key.offset :]
    assert after.startswith("\n    line_")
    assert SOURCE.endswith(after[1:])


def shown(answer_ms: float, **timings: Any) -> Asked:
    completion = Completion(text="x", replaces=Span(0, 0), shape=Shape.LINE, source="model", timings=Timings(**timings))
    return Asked(completion, answer_ms, 0.0)


def refused(reason: Reason) -> Asked:
    return Asked(Rejection(reason=reason), 5.0, 2.0)


def test_what_is_counted() -> None:
    written = {"generated_tokens": 4, "evaluated_tokens": 2, "first_token_ms": 20.0}
    asked = [shown(100.0, **written), shown(300.0, **written), shown(1.0)]
    asked += [refused(Reason.DISPLACED), refused(Reason.EMPTY), refused(Reason.ENGINE_REFUSED)]
    figures = load_figures(asked, typists=2, seconds=2.0)
    assert (figures["keys"], figures["suggestions"], figures["suggestions_per_s"]) == (6, 3, 1.5)
    assert (figures["answers"], figures["generated_tokens_per_s"]) == (2, 4.0)
    assert (figures["answer_ms_p50"], figures["answer_ms_p99"], figures["first_token_ms_p50"]) == (300.0, 300.0, 20.0)
    assert (figures["displaced"], figures["failed"]) == (1, {"engine-refused": 1})
    assert figures["typists_late_ms_p99"] == 2.0


def test_nothing_was_asked() -> None:
    assert load_figures([], typists=1, seconds=1.0)["answer_ms_p99"] == 0


def run(*more: str | Path) -> dict[str, Any]:
    (figures,) = commands.run(
        *more, "bench", "load", "--typists", "3", "--seconds", "1", "--gap-ms", "40", "--json"
    ).json
    return figures


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FIMSERVER_HOME", str(tmp_path))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return tmp_path


def test_a_script_is_an_engine_like_any_other(tmp_path: Path) -> None:
    figures = run("--engine", commands.script(tmp_path, *[{"text": "x = 1\n"}] * 3))
    assert figures["typists"] == 3
    assert figures["keys"] > 3
    assert figures["failed"] == {}


def test_a_server_is_named_by_its_address(tmp_path: Path) -> None:
    models = as_json({"data": [{"id": "qwen2.5-coder-7b"}]})
    answer = events([{"choices": [{"text": "value\n", "finish_reason": "stop"}]}])
    with PeerServer({"/v1/models": models, "/v1/completions": answer}) as peer:
        ran = commands.run(
            *("bench", "load", "--kind", "openai", "--url", peer.url, "--typists", "1,2", "--seconds", "1"),
            *("--gap-ms", "50", "--json"),
        )
        assert [figures["typists"] for figures in ran.json] == [1, 2]
        assert peer.bodies("/v1/completions")
        assert {body["model"] for body in peer.bodies("/v1/completions")} == {"qwen2.5-coder-7b"}


def test_an_engine_that_cannot_answer_is_said_before_anybody_types() -> None:
    ran = commands.run("bench", "load", "--kind", "openai", "--url", "http://127.0.0.1:9", "--seconds", "1")
    assert (ran.code, ran.out) == (2, "")
    assert "http://127.0.0.1:9 cannot be reached" in ran.err


@pytest.mark.parametrize("typists", ["0", "many", "1,,2", ""])
def test_typists_that_are_no_number(typists: str) -> None:
    assert main.run(["bench", "load", "--typists", typists]) == 2
