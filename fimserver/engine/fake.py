r"""Answer from a script instead of a model, so that whoever asks can be tested exactly: `--engine scripted:FILE`.

A script holds one JSON object per line, a reply; empty lines and lines that begin with `#` are skipped:

    {"text": "return a + b\n"}                             the next answer; the last such reply is given for ever
    {"when": "def sub", "text": "return a - b\n"}          each answer to a prompt that contains this text
    {"ends": "total =", "text": " 0"}                      … to a prompt that ends so, white space at its end apart
    {"pieces": ["ret", "urn"], "logprob": -0.5}            chunk by chunk; each is one token of this log-probability
    {"pieces": ["a\n", {"wait_for": "/tmp/go"}, "b\n"]}    the rest comes once this file exists: so long it is in flight
    {"error": "engine-loading", "message": "Ask again."}   an error, by its name in engine/wire.py

The first reply whose condition holds answers; else those without any come in order. Where there is none, the answer is
empty. Control texts are no part of what is searched, and what stands before the cursor ends the prompt, for the
scripted model is written to like the embedded one. Each word of a prompt counts as a token. Deadlines, stop texts,
forced text and the number of tokens are kept to as an engine does.
"""

import asyncio
import json
import re
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from fimserver.engine.interface import (
    Chunk,
    EngineState,
    EngineStatus,
    Finish,
    GenerateRequest,
    ModelFacts,
    Priority,
    Prompt,
    Usage,
)
from fimserver.engine.wire import ERRORS, FrameBroken, take
from fimserver.errors import FimError, SettingsError

_FIM = {
    "prefix": "<|fim_prefix|>",
    "suffix": "<|fim_suffix|>",
    "middle": "<|fim_middle|>",
    "pad": "<|fim_pad|>",
    "repo": "<|repo_name|>",
    "file": "<|file_sep|>",
}
_CHAT_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "<|im_start|>assistant\n"
)
SCRIPTED_MODEL = ModelFacts(
    name="scripted",
    path="",
    architecture="script",
    context_tokens=8192,
    metadata={"general.basename": "tiny-fim"},  # the family whose profile is chosen
    fim=_FIM,
    control_texts=frozenset({*_FIM.values(), "<|endoftext|>", "<|im_start|>", "<|im_end|>"}),
    chat_template=_CHAT_TEMPLATE,
)

_LOOK_AGAIN_S = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One line of a script. A Path among the pieces is a file to wait for."""

    pieces: Sequence[str | Path] = ()
    when: str = ""
    ends: str = ""
    logprob: float = -0.1
    error: FimError | None = None

    @property
    def conditional(self) -> bool:
        """Whether it answers certain prompts only, and those each time."""
        return bool(self.when or self.ends)

    def fits(self, text: str, code: str) -> bool:
        """Return whether it answers a prompt of this text, which is `code` without the white space at its end."""
        return code.endswith(self.ends) and self.when in text


class ScriptedEngine:
    """An `Engine` that reads its answers from a list."""

    def __init__(self, replies: Sequence[Reply]) -> None:
        """Make an engine that has given none of the replies yet."""
        self._conditional = [reply for reply in replies if reply.conditional]
        self._in_order = [reply for reply in replies if not reply.conditional] or [Reply()]
        self._given = 0

    @classmethod
    def from_file(cls, path: Path) -> "ScriptedEngine":
        """Return the engine a script describes. Raises SettingsError, which names the line that is wrong."""
        try:
            lines = path.read_text("utf-8").split("\n")
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"The script {path} cannot be read: {error}.") from error
        return cls(
            [
                _reply(line, f"{path}:{number}")
                for number, line in enumerate(lines, 1)
                if line.strip() and not line.startswith("#")
            ]
        )

    async def generate(self, request: GenerateRequest) -> AsyncGenerator[Chunk, None]:
        """Stream the next answer. Raises the error that stands in the script."""
        reply = self._next(_plain_text(request.prompt) + request.forced)
        if reply.error is not None:
            raise type(reply.error)(*reply.error.args)
        patience_s = float("inf") if request.deadline_ms is None else request.deadline_ms / 1000
        answer, tokens, usage = "", 0, _usage(request.prompt)
        for piece in [request.forced, *reply.pieces] if request.forced else reply.pieces:
            await asyncio.sleep(0)  # as between any two chunks, the reader may have gone
            if isinstance(piece, Path):
                if not await _appears(piece, patience_s):
                    yield Chunk(usage=usage, finish=Finish.DEADLINE)
                    return
                continue
            answer, tokens = answer + piece, tokens + 1
            usage, finish = replace(usage, generated_tokens=tokens), _finish(request, answer, tokens)
            yield Chunk(text=piece, tokens=1, logprob=reply.logprob, usage=usage, finish=finish)
            if finish is not None:
                return
        yield Chunk(usage=usage, finish=Finish.END_OF_TEXT)

    async def warm(self, prompt: Prompt, priority: Priority = Priority.WARM) -> Usage:  # noqa: ARG002
        """Return what evaluating the prompt would have cost."""
        return _usage(prompt)

    async def describe(self) -> ModelFacts:
        """Return the scripted model."""
        return SCRIPTED_MODEL

    def status(self) -> EngineStatus:
        """Return READY: a script needs no loading."""
        return EngineStatus(state=EngineState.READY, percent=100)

    async def close(self) -> None:
        """Do nothing; a script has nothing to let go of."""

    def _next(self, text: str) -> Reply:
        code = text.rstrip()
        fitting = next((reply for reply in self._conditional if reply.fits(text, code)), None)
        if fitting is not None:
            return fitting
        reply = self._in_order[min(self._given, len(self._in_order) - 1)]
        self._given += 1
        return reply


def _reply(line: str, where: str) -> Reply:
    """Return the reply a line describes. Raises SettingsError, which names the place."""
    try:
        values = json.loads(line)
        if not isinstance(values, dict):
            raise FrameBroken("It is not a JSON object.")
        if unknown := values.keys() - _TYPES.keys():
            raise FrameBroken(f"There is no field {min(unknown)!r}; there are {', '.join(_TYPES)}.")
        for name in values:
            take(values, name, *_TYPES[name])
        return Reply(
            pieces=[_piece(piece) for piece in values.get("pieces", _split(values.get("text", "")))],
            when=values.get("when", ""),
            ends=values.get("ends", "").rstrip(),
            logprob=values.get("logprob", -0.1),
            error=_error(values["error"], values.get("message", "")) if "error" in values else None,
        )
    except ValueError as error:
        raise SettingsError(f"{where} is no reply. {error}") from error


_TYPES: dict[str, tuple[type, ...]] = {
    "text": (str,),
    "pieces": (list,),
    "when": (str,),
    "ends": (str,),
    "logprob": (float, int),
    "error": (str,),
    "message": (str,),
}


def _piece(value: Any) -> str | Path:
    if isinstance(value, dict):
        return Path(take(value, "wait_for", str))
    if not isinstance(value, str):
        raise FrameBroken("A piece is a text or an object with the field 'wait_for'.")
    return value


def _split(text: str) -> list[str]:
    r"""Return a text in pieces as a model would write it.

    >>> _split("return a + b\n")
    ['return', ' a', ' +', ' b', '\n']
    """
    return re.findall(r"[^\S\n]*[^\s]+|[^\S\n]+|\n", text)


def _error(name: str, message: str) -> FimError:
    if name not in ERRORS:
        raise FrameBroken(f"There is no error {name!r}; there are {', '.join(ERRORS)}.")
    return ERRORS[name](message or f"The script says {name}.")


def _plain_text(prompt: Prompt) -> str:
    return "".join(segment.text for segment in prompt.segments if not segment.control)


def _usage(prompt: Prompt) -> Usage:
    words = sum(1 if segment.control else _words(segment.text) for segment in prompt.segments)
    return Usage(prompt_tokens=words, evaluated_tokens=words, generated_tokens=0, first_token_ms=0.0)


@lru_cache(maxsize=64)
def _words(text: str) -> int:
    """Return how many words a text has. Most of a prompt is the one before: a key must not pay for the counting."""
    return len(text.split())


def _finish(request: GenerateRequest, answer: str, tokens: int) -> Finish | None:
    if any(text in answer for text in request.stop_texts):
        return Finish.STOP_TEXT
    return Finish.MAX_TOKENS if tokens >= request.max_tokens else None


async def _appears(path: Path, patience_s: float) -> bool:
    """Wait for a file and return whether it came in time."""
    loop = asyncio.get_running_loop()
    until = loop.time() + patience_s
    while not path.exists():  # noqa: ASYNC240 - a test's own file
        if loop.time() >= until:
            return False
        await asyncio.sleep(_LOOK_AGAIN_S)
    return True
