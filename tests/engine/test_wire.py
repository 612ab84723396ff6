"""Frames: whatever is said arrives as it was, and whatever is not a frame is named and nothing worse."""

import json
from contextlib import suppress
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as any_

from fimserver import errors
from fimserver.engine import wire
from fimserver.engine.interface import (
    Chunk,
    EngineState,
    EngineStatus,
    Finish,
    GenerateRequest,
    Keep,
    ModelFacts,
    Priority,
    Prompt,
    Segment,
    Usage,
)

SEGMENTS = (Segment("<|fim_prefix|>", control=True), Segment("é\n🙂", keep=Keep.TAIL, leading_space=True))
REQUEST = GenerateRequest(
    prompt=Prompt(SEGMENTS, stop_controls=("<|end|>",), turns=(wire.Turn("user", "Why?"),)),
    max_tokens=7,
    deadline_ms=12.5,
    priority=Priority.AHEAD,
    forced="re",
    stop_texts=("\n", "}"),
    temperature=0.5,
    grammar="root ::= [a-z]",
    first_choice=2,
)
FACTS = ModelFacts(
    name="tiny",
    path="/models/tiny.gguf",
    architecture="qwen2",
    context_tokens=1024,
    file_bytes=7,
    parameters=8,
    metadata={"general.name": "tiny"},
    fim={"prefix": "<|fim_prefix|>"},
    control_texts=frozenset({"<|fim_prefix|>", "<|end|>"}),
    chat_template="{{ messages }}",
    prefill_tokens_per_s=100.5,
    decode_tokens_per_s=20.25,
    remote=True,
)
USAGE = Usage(
    prompt_tokens=1,
    reused_tokens=2,
    evaluated_tokens=3,
    generated_tokens=4,
    queued_ms=5.5,
    prefill_ms=6.5,
    first_token_ms=7.5,
    total_ms=8.5,
)
VALUES = {
    "options with every field": (
        wire.decode_options,
        wire.EngineOptions(
            model_path="/m.gguf",
            context_tokens=512,
            threads=3,
            gpu_layers=-1,
            kv_type="q8_0",
            flash_attention="on",
            drafting="off",
            save_state=False,
            idle_s=0.5,
        ),
    ),
    "options with defaults": (wire.decode_options, wire.EngineOptions(model_path="m")),
    "a prompt": (wire.decode_prompt, REQUEST.prompt),
    "an empty prompt": (wire.decode_prompt, Prompt(())),
    "a request with every field": (wire.decode_request, REQUEST),
    "a request with defaults": (wire.decode_request, GenerateRequest(prompt=Prompt(SEGMENTS))),
    "a chunk with every field": (
        wire.decode_chunk,
        Chunk(text="\ud800\u2028", tokens=2, logprob=-1.5, usage=USAGE, finish=Finish.STOP_TEXT),
    ),
    "an empty chunk": (wire.decode_chunk, Chunk()),
    "a chunk of impossible probability": (wire.decode_chunk, Chunk(logprob=float("-inf"))),
    "facts with every field": (wire.decode_facts, FACTS),
    "facts with defaults": (
        wire.decode_facts,
        ModelFacts(name="", path="", architecture="", context_tokens=0),
    ),
    "a status": (
        wire.decode_status,
        EngineStatus(state=EngineState.LOADING, percent=5, message="m", memory_bytes=1, clients=2, pid=3),
    ),
}


def over_the_wire(values: wire.Frame) -> wire.Frame:
    line = wire.encode_frame({"type": "x", "value": values})
    assert line.count(b"\n") == 1
    assert line.isascii()
    value: wire.Frame = wire.decode_frame(line)["value"]
    return value


@pytest.mark.parametrize(("decode", "value"), VALUES.values(), ids=VALUES.keys())
def test_what_is_encoded_is_decoded_to_the_same(decode: Any, value: Any) -> None:
    assert decode(over_the_wire(wire.encode(value))) == value


@pytest.mark.parametrize(("decode", "value"), VALUES.values(), ids=VALUES.keys())
def test_a_field_that_is_missing_or_of_another_type_is_named(decode: Any, value: Any) -> None:
    sound = over_the_wire(wire.encode(value))
    for entry in fields(value):
        for broken in ({k: v for k, v in sound.items() if k != entry.name}, {**sound, entry.name: {"a": object}}):
            if isinstance(sound[entry.name], dict) and entry.name in broken:
                broken = {**sound, entry.name: 1.5}
            with pytest.raises(wire.FrameBroken):
                decode(broken)


# The same examples each time: a test that fails is a change, never chance.
SAME = settings(suppress_health_check=[HealthCheck.too_slow])


@SAME
@given(any_.text(any_.sampled_from('aé🙂\u2028\n\r\f\x00\x7f\ud800"\\')))
def test_any_text_arrives_unchanged(text: str) -> None:
    assert wire.decode_chunk(over_the_wire(wire.encode(Chunk(text=text)))).text == text


@pytest.mark.parametrize("kind", wire.ERRORS.values(), ids=wire.ERRORS.keys())
def test_an_error_arrives_as_its_own_kind(kind: type[errors.FimError]) -> None:
    error = wire.decode_error(over_the_wire(wire.encode_error(kind("what happened"))))
    assert type(error) is kind
    assert str(error) == "what happened"


def test_an_error_without_a_name_on_the_wire_arrives_as_refused() -> None:
    assert type(wire.decode_error(wire.encode_error(errors.FileUnsuitable("x")))) is errors.EngineRefused
    assert type(wire.decode_error({"kind": "of-tomorrow", "message": "x"})) is errors.EngineRefused


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\n", id="an empty line"),
        pytest.param(b"\xff\xfe\x00", id="bytes that are no text"),
        pytest.param(b"{", id="half an object"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b"7", id="a number"),
        pytest.param(b"{}", id="an object without a type"),
        pytest.param(b'{"type": 7}', id="a type that is no text"),
        pytest.param(b"[" * 100_000, id="brackets deeper than the stack"),
        pytest.param(b'{"type": ' + b"9" * 10_000 + b"}", id="a number longer than Python reads"),
    ],
)
def test_what_is_no_frame_is_broken(line: bytes) -> None:
    with pytest.raises(wire.FrameBroken):
        wire.decode_frame(line)


@SAME
@given(any_.binary() | any_.text('{}[]":,0ane').map(str.encode))
def test_random_bytes_are_broken_or_a_frame(line: bytes) -> None:
    with suppress(wire.FrameBroken):
        assert isinstance(wire.decode_frame(line)["type"], str)


JSON = any_.recursive(
    any_.none() | any_.booleans() | any_.integers() | any_.floats() | any_.text("ab", max_size=3),
    lambda inner: any_.lists(inner, max_size=3) | any_.dictionaries(any_.text("ab", max_size=3), inner, max_size=3),
    max_leaves=5,
)


@SAME
@given(any_.dictionaries(any_.sampled_from([entry.name for entry in fields(GenerateRequest)]), JSON))
def test_a_request_of_anything_is_broken_or_a_request(changes: dict[str, Any]) -> None:
    values = {**over_the_wire(wire.encode(REQUEST)), **json.loads(json.dumps(changes))}
    with suppress(wire.FrameBroken):
        assert isinstance(wire.decode_request(values), GenerateRequest)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_tokens", -1),
        ("max_tokens", True),
        ("priority", 9),
        ("first_choice", -1),
        ("stop_texts", ["a", 1]),
        ("prompt", {"segments": [1], "stop_controls": []}),
        (
            "prompt",
            {"segments": [{"text": "x", "control": 1, "keep": "all", "leading_space": False}], "stop_controls": []},
        ),
        (
            "prompt",
            {"segments": [{"text": "x", "control": True, "keep": "some", "leading_space": False}], "stop_controls": []},
        ),
    ],
)
def test_a_request_with_a_value_out_of_its_range_is_broken(name: str, value: Any) -> None:
    with pytest.raises(wire.FrameBroken):
        wire.decode_request({**over_the_wire(wire.encode(REQUEST)), name: value})


def test_a_new_field_of_the_interface_is_written_and_read() -> None:
    """Every field above differs from its default, so a decoder that forgets one fails the round trip."""
    for value in (REQUEST, FACTS, USAGE):
        for entry in fields(value):
            if entry.default is not entry.default_factory:
                assert getattr(value, entry.name) != entry.default, entry.name
    assert replace(REQUEST, max_tokens=8) != REQUEST
