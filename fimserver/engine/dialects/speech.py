"""Turn prompts into what servers of other makers take: the parts all dialects share.

A server that takes one text parses control texts in it, so there every control text in a file is cut by an invisible
character; and it puts the model's first token in front by itself.
"""

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Protocol

from fimserver.engine.encoding import trim
from fimserver.engine.interface import Finish, GenerateRequest, Keep, ModelFacts, Prompt, Segment

Json = Mapping[str, Any]

# Asks the server: method, path, what to send. Returns its JSON. Raises EngineError.
Call = Callable[[str, str, Json | None], Awaitable[Json]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A part of an answer. `tokens` is 0 where the server does not say how sure it was of them."""

    text: str = ""
    tokens: int = 0
    logprob: float = 0.0
    token_ids: tuple[int, ...] = ()
    finish: Finish | None = None
    counts: Mapping[str, Any] | None = None  # fields of Usage that the server knows, with the last piece


class Dialect(Protocol):
    """How one kind of server is spoken to."""

    framing: str  # "events": server-sent events; "lines": one JSON object per line

    async def describe(self, call: Call) -> ModelFacts:
        """Return what the server says of its model."""
        ...

    async def question(self, request: GenerateRequest, call: Call) -> tuple[str, Json]:
        """Return the path to post to, and what to post, for a streamed answer."""
        ...

    def piece(self, event: Json) -> Piece:
        """Read one event of the answer. Raises KeyError, TypeError or ValueError where it is none."""
        ...

    def simplify(self) -> bool:
        """Ask for less from now on; False where nothing can be done without."""
        ...

    async def stop_ids(self, prompt: Prompt, call: Call) -> frozenset[int]:
        """Return the ids of tokens that end the answer, where pieces tell theirs."""
        ...


# First tokens of prompts, which servers that take a text put there themselves.
_FIRST_TOKENS = frozenset({"<s>", "<bos>", "<|begin_of_text|>", "<｜begin▁of▁sentence｜>"})  # noqa: RUF001

# Source code has 3.4 characters a token under the vocabularies of code models; less is assumed, to be safe.
_CHARACTERS_PER_TOKEN = 3

# Shows nothing and joins nothing: U+200C, zero width non-joiner.
CUT = "\u200c"


def sampling(request: GenerateRequest) -> dict[str, Any]:
    """Return how tokens are chosen. Another first choice is drawn: these servers cannot be told which."""
    if request.first_choice:
        return {"temperature": max(request.temperature, 0.6), "seed": request.first_choice}
    return {"temperature": request.temperature}


def as_text(request: GenerateRequest, context_tokens: int) -> str:
    """Return the prompt as one text, trimmed by an estimate of its tokens, in which files name no control token."""
    controls = control_texts(request.prompt)
    segments = request.prompt.segments
    if segments and segments[0].control and segments[0].text in _FIRST_TOKENS:
        segments = segments[1:]
    parts: list[tuple[Keep, Sequence[int]]] = []
    for segment in (*segments, Segment(request.forced)):
        text = segment.text if segment.control else CUT.join(cut_inside(segment.text, controls))
        parts.append((segment.keep, list(map(ord, text))))
    return "".join(map(chr, trim(parts, context_tokens * _CHARACTERS_PER_TOKEN)))


def control_texts(prompt: Prompt) -> frozenset[str]:
    """Return the control texts that mean something in this prompt."""
    return frozenset({*prompt.stop_controls, *(segment.text for segment in prompt.segments if segment.control)})


def cut_inside(text: str, names: Iterable[str]) -> list[str]:
    """Cut a text after the first character of every name in it.

    >>> cut_inside("a<s>b", ["<s>"])
    ['a<', 's>b']
    """
    either = "|".join(f"{re.escape(name[0])}(?={re.escape(name[1:])})" for name in sorted(names) if len(name) > 1)
    if not either or not text:
        return [text]
    cuts = [0, *(match.end() for match in re.finditer(either, text)), len(text)]
    return [text[start:end] for start, end in pairwise(cuts) if start < end]
