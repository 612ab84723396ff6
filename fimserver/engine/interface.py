"""The one seam: what may be asked of a model, and what comes back.

The completer, the reviewer and the tests see this module only. `engine/client.py` speaks it to our own engine process,
`engine/remote.py` to other servers, `engine/fake.py` answers from a script.
Closing the iterator that `Engine.generate` returns is cancelling: use `contextlib.aclosing`.
"""

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Protocol


class Keep(StrEnum):
    """Which end of a segment survives when the engine must trim the prompt to its context."""

    ALL = "all"
    HEAD = "head"
    TAIL = "tail"
    DROP = "drop"  # goes whole, before anything else is cut; of several, the first one goes first


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of a prompt. Only `control=True` text becomes control tokens; all else stays text, whatever it says."""

    text: str
    control: bool = False
    keep: Keep = Keep.ALL
    # SentencePiece models put a space before the first word of a text. Ours never do, unless the model was trained so.
    leading_space: bool = False


@dataclass(frozen=True, slots=True)
class Turn:
    """Something said in a conversation: `role` is system, user or assistant."""

    role: str
    text: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """What the model reads, in order. Text that changes least stands first.

    `turns` say the same as the segments, for servers that write a conversation by a template of their own.
    """

    segments: tuple[Segment, ...]
    stop_controls: tuple[str, ...] = ()  # control texts that end the answer, beside the model's own end tokens
    turns: tuple[Turn, ...] = ()


class Priority(IntEnum):
    """Who goes first. A lower number pre-empts a higher one within one small batch."""

    TYPING = 0
    COMMAND = 1  # review, edit, chat
    RESTING = 2  # the small prompt for a cursor that has come to rest: the next key needs it
    AHEAD = 3  # what follows if the shown suggestion is accepted
    WARM = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerateRequest:
    """One answer wanted. Times count from the moment the engine receives the request."""

    prompt: Prompt
    max_tokens: int = 128
    deadline_ms: float | None = None  # the engine stops by itself then
    priority: Priority = Priority.TYPING
    forced: str = ""  # text the answer must begin with (token healing); it is part of the answer's chunks
    stop_texts: tuple[str, ...] = ()  # the engine stops once the answer contains one; that text is still delivered
    temperature: float = 0.0  # 0 is greedy
    grammar: str | None = None  # GBNF
    first_choice: int = 0  # begin with the likeliest first token (0), the next (1), … : alternatives without sampling


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Running totals of one request."""

    prompt_tokens: int = 0
    reused_tokens: int = 0
    evaluated_tokens: int = 0
    generated_tokens: int = 0
    queued_ms: float = 0.0
    prefill_ms: float = 0.0
    first_token_ms: float | None = None
    total_ms: float = 0.0


class Finish(StrEnum):
    """Why an answer ended."""

    END_OF_TEXT = "end-of-text"  # the model said so
    STOP_TEXT = "stop-text"
    MAX_TOKENS = "max-tokens"
    DEADLINE = "deadline"
    CONTEXT_FULL = "context-full"
    REPETITION = "repetition"
    PREEMPTED = "preempted"  # background work that gave way


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """A piece of an answer. The last one of an answer has a `finish`; its text may be empty.

    `text` is whole characters: bytes of a character that is not complete yet wait for the next chunk.
    `logprob` is the sum of the natural-log probabilities of its `tokens` tokens.
    """

    text: str = ""
    tokens: int = 0
    logprob: float = 0.0
    usage: Usage = Usage()
    finish: Finish | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFacts:
    """What is known of the loaded model. `fim` maps a role (prefix, suffix, middle, repo, file) to its control text."""

    name: str
    path: str
    architecture: str
    context_tokens: int
    file_bytes: int = 0
    parameters: int = 0
    metadata: Mapping[str, str] = field(default_factory=dict)  # the GGUF's short string values
    fim: Mapping[str, str] = field(default_factory=dict)
    control_texts: frozenset[str] = frozenset()  # every control and user-defined token's text
    chat_template: str | None = None
    prefill_tokens_per_s: float = 0.0  # 0 where not measured yet
    decode_tokens_per_s: float = 0.0
    remote: bool = False  # true where text leaves this process's machine or user


class EngineState(StrEnum):
    """Where an engine is in its life."""

    ABSENT = "absent"
    STARTING = "starting"
    LOADING = "loading"
    READY = "ready"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineStatus:
    """The engine's state for people: `percent` while loading, `message` when failed.

    `evaluated_tokens` counts every token that went through the model, read or written, for whomever, since it started;
    `prompt_tokens` those of them that were read as prompts.
    """

    state: EngineState
    percent: int = 0
    message: str = ""
    memory_bytes: int = 0
    clients: int = 0
    pid: int = 0
    evaluated_tokens: int = 0
    prompt_tokens: int = 0


class Engine(Protocol):
    """A model that answers."""

    def generate(self, request: GenerateRequest) -> AsyncGenerator[Chunk, None]:
        """Stream an answer. Raises EngineError; closing the iterator cancels."""
        ...

    async def warm(self, prompt: Prompt, priority: Priority = Priority.WARM) -> Usage:
        """Evaluate a prompt so that the next request that begins with it finds it done. Typing work pre-empts it."""
        ...

    async def describe(self) -> ModelFacts:
        """Return the model's facts, starting the engine if need be. Raises EngineError or ModelError."""
        ...

    def status(self) -> EngineStatus:
        """Return the state as last heard, without waiting."""
        ...

    async def close(self) -> None:
        """Let go of the engine. It goes on for its other clients."""
        ...
