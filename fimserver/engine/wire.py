"""Turn requests and answers into lines of JSON, and back.

A frame is one JSON object on one line of ASCII; `type` says what it is and `id` which request it belongs to.

    client                                          engine
    {"type": "hello", "version": 1, "token": …} →
                                                  ← {"type": "welcome", "status": …}
                                                  ← {"type": "status", "status": …}           (with every change)
    {"type": "generate", "id": 1, "request": …} →
                                                  ← {"type": "chunk", "id": 1, "chunk": …}   (the last has a finish)
                                                  ← {"type": "error", "id": 1, "error": …}   (or this, and no more)
    {"type": "cancel", "id": 1}                 →   (nothing more comes for 1)
    {"type": "describe", "id": 2, "wait": true} →
                                                  ← {"type": "facts", "id": 2, "facts": …}   (once the model is loaded)
    {"type": "ping", "id": 3}                   →
                                                  ← {"type": "pong", "id": 3}
    {"type": "stop"}                            →
                                                  ← {"type": "goodbye"}                      (also when idle for long)

What arrives is checked field by field: whatever is wrong with it is a FrameBroken, never another exception.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeVar

from fimserver import errors
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
    Turn,
    Usage,
)

# Raised whenever a frame changes its meaning. Engines of another version are never met: it is part of their name.
PROTOCOL_VERSION = 4

# A prompt of a million characters, each escaped, fits; nothing an honest client sends is longer.
MAX_FRAME_BYTES = 16 * 1024 * 1024

Frame = dict[str, Any]

_AS_JSON = json.JSONEncoder(separators=(",", ":")).encode  # `json.dumps` would make such an encoder for every frame

_Member = TypeVar("_Member", bound=Enum)


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineOptions:
    """How an engine is to run, as the settings of the same names explain. What is 0 or `auto` the engine chooses."""

    model_path: str
    context_tokens: int = 4096
    threads: int = 0
    gpu_layers: int = -1
    kv_type: str = "f16"
    flash_attention: str = "auto"
    drafting: str = "auto"
    save_state: bool = True
    idle_s: float = 600


class FrameBroken(ValueError):
    """What arrived is not a frame of this protocol; the text says what is wrong with it, without quoting it."""


def encode_frame(frame: Frame) -> bytes:
    r"""Return the frame as one line.

    >>> encode_frame({"type": "ping", "id": 7})
    b'{"type":"ping","id":7}\n'
    """
    return _AS_JSON(frame).encode("ascii") + b"\n"


def decode_frame(line: bytes) -> Frame:
    """Return the frame a line holds."""
    try:
        frame = json.loads(line)
    except (ValueError, RecursionError) as error:  # RecursionError: ten thousand opening brackets
        raise FrameBroken("The frame is not JSON.") from error
    if not isinstance(frame, dict) or type(frame.get("type")) is not str:
        raise FrameBroken("The frame is not a JSON object with a type.")
    return frame


def take(values: Mapping[str, Any], name: str, *kinds: type) -> Any:
    """Return a field of what was received. Raises FrameBroken where it is missing or of another type."""
    if name not in values:
        raise FrameBroken(f"The field {name!r} is missing.")
    if type(values[name]) not in kinds:
        raise FrameBroken(f"The field {name!r} has the wrong type.")
    return values[name]


def encode(value: EngineOptions | Prompt | GenerateRequest | Chunk | ModelFacts | EngineStatus) -> Frame:
    """Return a value as a JSON object of its fields; `decode_…` turns it back. Every token passes here: it is quick."""
    return {name: _plain(getattr(value, name)) for name in value.__dataclass_fields__}


def _plain(value: Any) -> Any:
    if hasattr(value, "__dataclass_fields__"):
        return encode(value)
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return sorted(value) if isinstance(value, frozenset) else value


def decode_options(values: Mapping[str, Any]) -> EngineOptions:
    """Return the options of which a JSON object came."""
    return EngineOptions(
        model_path=take(values, "model_path", str),
        context_tokens=_count(values, "context_tokens"),
        threads=_count(values, "threads"),
        gpu_layers=take(values, "gpu_layers", int),
        kv_type=take(values, "kv_type", str),
        flash_attention=take(values, "flash_attention", str),
        drafting=take(values, "drafting", str),
        save_state=take(values, "save_state", bool),
        idle_s=take(values, "idle_s", float, int),
    )


def decode_prompt(values: Mapping[str, Any]) -> Prompt:
    """Return the prompt of which a JSON object came."""
    return Prompt(
        segments=tuple(_decode_segment(segment) for segment in _objects(take(values, "segments", list))),
        stop_controls=_texts(take(values, "stop_controls", list)),
        turns=tuple(
            Turn(take(turn, "role", str), take(turn, "text", str)) for turn in _objects(take(values, "turns", list))
        ),
    )


def decode_request(values: Mapping[str, Any]) -> GenerateRequest:
    """Return the request of which a JSON object came."""
    return GenerateRequest(
        prompt=decode_prompt(take(values, "prompt", dict)),
        max_tokens=_count(values, "max_tokens"),
        deadline_ms=take(values, "deadline_ms", float, int, type(None)),
        priority=_member(Priority, take(values, "priority", int)),
        forced=take(values, "forced", str),
        stop_texts=_texts(take(values, "stop_texts", list)),
        temperature=take(values, "temperature", float, int),
        grammar=take(values, "grammar", str, type(None)),
        first_choice=_count(values, "first_choice"),
    )


def decode_chunk(values: Mapping[str, Any]) -> Chunk:
    """Return the chunk of which a JSON object came."""
    finish = take(values, "finish", str, type(None))
    return Chunk(
        text=take(values, "text", str),
        tokens=_count(values, "tokens"),
        logprob=take(values, "logprob", float, int),
        usage=_decode_usage(take(values, "usage", dict)),
        finish=None if finish is None else _member(Finish, finish),
    )


def decode_facts(values: Mapping[str, Any]) -> ModelFacts:
    """Return the facts of which a JSON object came."""
    return ModelFacts(
        name=take(values, "name", str),
        path=take(values, "path", str),
        architecture=take(values, "architecture", str),
        context_tokens=_count(values, "context_tokens"),
        file_bytes=_count(values, "file_bytes"),
        parameters=_count(values, "parameters"),
        metadata=_text_table(take(values, "metadata", dict)),
        fim=_text_table(take(values, "fim", dict)),
        control_texts=frozenset(_texts(take(values, "control_texts", list))),
        chat_template=take(values, "chat_template", str, type(None)),
        prefill_tokens_per_s=take(values, "prefill_tokens_per_s", float, int),
        decode_tokens_per_s=take(values, "decode_tokens_per_s", float, int),
        remote=take(values, "remote", bool),
    )


def decode_status(values: Mapping[str, Any]) -> EngineStatus:
    """Return the status of which a JSON object came."""
    return EngineStatus(
        state=_member(EngineState, take(values, "state", str)),
        percent=_count(values, "percent"),
        message=take(values, "message", str),
        memory_bytes=_count(values, "memory_bytes"),
        clients=_count(values, "clients"),
        pid=_count(values, "pid"),
        evaluated_tokens=_count(values, "evaluated_tokens"),
        prompt_tokens=_count(values, "prompt_tokens"),
    )


# The errors an engine may answer with, by the name they have on the wire and in scripts.
ERRORS: Mapping[str, type[errors.FimError]] = {
    "engine-loading": errors.EngineLoading,
    "engine-missing": errors.EngineMissing,
    "engine-refused": errors.EngineRefused,
    "engine-unavailable": errors.EngineUnavailable,
    "model-broken": errors.ModelBroken,
    "model-missing": errors.ModelMissing,
    "prompt-too-long": errors.PromptTooLong,
}


def encode_error(error: errors.FimError) -> Frame:
    """Return an error as JSON values; one that has no name of its own is an EngineRefused."""
    kind = next((name for name, kind in ERRORS.items() if type(error) is kind), "engine-refused")
    return {"kind": kind, "message": str(error)}


def decode_error(values: Mapping[str, Any]) -> errors.FimError:
    """Return the error that `encode_error` wrote, to be raised."""
    kind = ERRORS.get(take(values, "kind", str), errors.EngineRefused)
    return kind(take(values, "message", str))


def _decode_segment(values: Mapping[str, Any]) -> Segment:
    return Segment(
        text=take(values, "text", str),
        control=take(values, "control", bool),
        keep=_member(Keep, take(values, "keep", str)),
        leading_space=take(values, "leading_space", bool),
    )


def _decode_usage(values: Mapping[str, Any]) -> Usage:
    return Usage(
        prompt_tokens=_count(values, "prompt_tokens"),
        reused_tokens=_count(values, "reused_tokens"),
        evaluated_tokens=_count(values, "evaluated_tokens"),
        generated_tokens=_count(values, "generated_tokens"),
        queued_ms=take(values, "queued_ms", float, int),
        prefill_ms=take(values, "prefill_ms", float, int),
        first_token_ms=take(values, "first_token_ms", float, int, type(None)),
        total_ms=take(values, "total_ms", float, int),
    )


def _count(values: Mapping[str, Any], name: str) -> int:
    count: int = take(values, name, int)
    if count < 0:
        raise FrameBroken(f"The field {name!r} is negative.")
    return count


def _member(kind: type[_Member], value: Any) -> _Member:
    try:
        return kind(value)
    except ValueError as error:
        raise FrameBroken(f"There is no such {kind.__name__}.") from error


def _texts(values: list[Any]) -> tuple[str, ...]:
    if not all(isinstance(value, str) for value in values):
        raise FrameBroken("A list of texts holds something else.")
    return tuple(values)


def _text_table(values: dict[str, Any]) -> dict[str, str]:
    _texts(list(values.values()))
    return values


def _objects(values: list[Any]) -> list[dict[str, Any]]:
    if not all(isinstance(value, dict) for value in values):
        raise FrameBroken("A list of objects holds something else.")
    return values
