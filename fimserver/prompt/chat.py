"""Turn a conversation into the prompt of a chat model, by the template that came with the model.

The template never sees what was said: it is rendered with a mark in place of each text, and what it wrote around the
marks is cut into control tokens and plain text. So a file that contains `<|im_end|>` stays text here too, and a
template cannot act on what it reads. Where it knows no system role, instructions stand before the first question.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from fimserver.engine.interface import Keep, ModelFacts, Prompt, Segment, Turn
from fimserver.prompt.profile import bos_text


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """Something said: `role` is system, user or assistant. `keep` says which end survives too small a context."""

    role: str
    text: str
    keep: Keep = Keep.ALL


def chat_prompt(messages: Sequence[ChatMessage], facts: ModelFacts) -> Prompt:
    """Return the prompt that asks for the assistant's next answer.

    The template is rendered in a process of its own, once for each sequence of roles (about a tenth of a second). Where
    it is missing, too long, endless or refuses, ChatML is written if the model has its tokens, else plain headings.
    """
    bos, eos = bos_text(facts), _first_of(_ENDS, facts)
    text = _templated(facts.chat_template or "", messages, bos, eos) or _built_in(messages, facts)
    segments = tuple(_joined(_segments(text, messages, facts)))
    if bos and segments[0] != Segment(bos, control=True):
        segments = (Segment(bos, control=True), *segments)
    return Prompt(
        segments,
        stop_controls=tuple(end for end in _ENDS if end in facts.control_texts),
        # A model whose tokens are not known is another server's, which knows its template better.
        turns=() if facts.control_texts else tuple(Turn(message.role, message.text) for message in messages),
    )


# Texts that end a turn or an answer, in the spellings of the usual families.
_ENDS = ("<|im_end|>", "<|eot_id|>", "<end_of_turn>", "<|end|>", "<|end_of_text|>", "<|endoftext|>", "</s>", "<eos>")

# Characters of the private use area: no template holds them.
_MARK = re.compile("\ue0f0(\\d+)\ue0f1")


def _mark(number: int) -> str:
    return f"\ue0f0{number}\ue0f1"


def _templated(template: str, messages: Sequence[ChatMessage], bos: str, eos: str) -> str:
    """Return the template's text around marks, empty where the template cannot be used."""
    if not template or len(template) > _LONGEST_TEMPLATE or "\ue0f0" in template:
        return ""
    roles = [message.role for message in messages]
    marks = [_mark(number) for number in range(len(messages))]
    for tried_roles, tried_marks in ((roles, marks), _folded(roles, marks)):
        text = _rendered(template, tuple(tried_roles), tuple(tried_marks), bos, eos)
        if all(mark in text for mark in marks):
            return text
    return ""


def _folded(roles: Sequence[str], contents: Sequence[str]) -> tuple[list[str], list[str]]:
    """Put what the system says in front of what the user says first, for templates that know no system role."""
    system = [content for role, content in zip(roles, contents, strict=True) if role == "system"]
    said = [(role, content) for role, content in zip(roles, contents, strict=True) if role != "system"]
    first = next((index for index, (role, _) in enumerate(said) if role == "user"), 0)
    return [role for role, _ in said], [
        "\n\n".join([*system, content]) if index == first else content for index, (_, content) in enumerate(said)
    ]


# The longest of the usual families has 9 kB.
_LONGEST_TEMPLATE = 64 * 1024

# More than the limit on computing, for a machine that is busy.
_RENDERING_S = 20.0


@lru_cache(maxsize=64)
def _rendered(template: str, roles: tuple[str, ...], contents: tuple[str, ...], bos: str, eos: str) -> str:
    """Return what a template writes, empty where it refuses, breaks, or takes too long."""
    request = {"template": template, "roles": roles, "contents": contents, "bos": bos, "eos": eos}
    try:
        answer = subprocess.run(
            [sys.executable, "-I", "-m", "fimserver.prompt.chat_template"],
            input=json.dumps(request).encode(),
            capture_output=True,
            timeout=_RENDERING_S,
            env=bare_environment(),
            check=True,
        )
        return str(json.loads(answer.stdout).get("text", ""))
    except (OSError, subprocess.SubprocessError, ValueError):
        return ""


def bare_environment() -> Mapping[str, str]:
    """Return the least that Python starts with: a template's process is told nothing."""
    return {name: os.environ[name] for name in ("SYSTEMROOT", "LD_LIBRARY_PATH") if name in os.environ}


_CHATML = "<|im_start|>"
_HEADINGS = {"system": "", "user": "### Instruction:\n", "assistant": "### Response:\n"}


def _built_in(messages: Sequence[ChatMessage], facts: ModelFacts) -> str:
    """Return the text around marks by ChatML, or by headings that need no token."""
    said = [(message.role, _mark(number)) for number, message in enumerate(messages)]
    if _CHATML in facts.control_texts:
        turns = [f"<|im_start|>{role}\n{mark}<|im_end|>\n" for role, mark in said]
        return "".join([*turns, "<|im_start|>assistant\n"])
    turns = [f"{_HEADINGS.get(role, '')}{mark}\n\n" for role, mark in said]
    return "".join([*turns, _HEADINGS["assistant"]])


def _segments(text: str, messages: Sequence[ChatMessage], facts: ModelFacts) -> Iterator[Segment]:
    """Put the texts back in place of their marks; what stands between is the template's."""
    controls = _control_pattern(facts.control_texts)
    for index, part in enumerate(_MARK.split(text)):
        if index % 2:
            message = messages[int(part)]
            yield Segment(message.text, keep=message.keep)
        else:
            yield from (Segment(piece, control=odd % 2 == 1) for odd, piece in enumerate(controls.split(part)))


@lru_cache(maxsize=8)
def _control_pattern(controls: frozenset[str]) -> "re.Pattern[str]":
    """Return a pattern of control texts. Vocabularies list runs of blanks and single letters among them: not those."""
    named = sorted((text for text in controls if len(text) > 2 and not text.isspace()), key=len, reverse=True)
    return re.compile("(" + "|".join(map(re.escape, named)) + ")" if named else "(?!)()")


def _joined(segments: Iterator[Segment]) -> Iterator[Segment]:
    """Join neighbouring plain texts that are kept whole: tokens may reach over their border. Leave out empty ones."""
    held = Segment("")
    for segment in segments:
        if not segment.text:
            continue
        if segment.control or segment.keep is not Keep.ALL:
            yield from (held,) if held.text else ()
            yield segment
            held = Segment("")
        else:
            held = replace(held, text=held.text + segment.text)
    yield from (held,) if held.text else ()


def _first_of(texts: Sequence[str], facts: ModelFacts) -> str:
    return next((text for text in texts if text in facts.control_texts), "")
