"""Turn a command on a part of a file into the model's answer: write its prompt, within the context, and ask.

What becomes of the answer is decided elsewhere: edits.py, docstrings.py, and whoever shows a text.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

from fimserver.context.window import window_end, window_start
from fimserver.engine.interface import Engine
from fimserver.errors import EditRefused
from fimserver.prompt.chat import ChatMessage
from fimserver.review.actions import ACTIONS, Becomes
from fimserver.review.asking import answer, loaded
from fimserver.review.docstrings import convention_of
from fimserver.review.prompts import asked, fenced, prompt_named
from fimserver.values import Document, Span

# Source code has 3.4 characters a token under the vocabularies of code models; less is assumed, to be safe.
_CHARACTERS_PER_TOKEN = 3

# Of the text around the part no more is shown: a CPU reads a few hundred tokens a second at best.
_MOST_AROUND_CHARACTERS = 6000
_BEFORE_SHARE = 2 / 3

# What a chat template writes between the messages.
_TEMPLATE_TOKENS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What is wanted of which part of which file. `part` is whole lines, `path` the file as the model is to know it.

    `test_path` and `framework` are for new tests, `diagnostics` are sentences with their line.
    """

    action: str
    document: Document
    part: Span
    path: str
    instruction: str = ""
    diagnostics: tuple[str, ...] = ()
    test_path: str = ""
    framework: str = ""

    @property
    def text(self) -> str:
        """The part's text."""
        return self.document.text[self.part.start : self.part.end]


async def answered(engine: Engine, ask: Ask) -> AsyncGenerator[str, None]:
    """Stream what the model answers; closing the iterator cancels.

    Raises EditRefused, AnswerCut, EngineError and ModelError; SettingsError where the user's own prompt is wrong.
    """
    facts = await loaded(engine)
    messages = conversation(ask, facts.context_tokens)
    async with aclosing(answer(engine, messages, max_tokens=_answer_tokens(ask, facts.context_tokens))) as pieces:
        async for piece in pieces:
            yield piece


def conversation(ask: Ask, context_tokens: int) -> tuple[ChatMessage, ...]:
    """Return what is said to the model. As much of the text around the part is shown as the context has room for.

    Raises EditRefused where the part itself has no room, SettingsError where the user's own prompt is wrong.
    """
    prompt = prompt_named(ask.action)
    fixed = _tokens(prompt.system + prompt.user + ask.text + ask.instruction + "\n".join(ask.diagnostics))
    room = context_tokens - _TEMPLATE_TOKENS - fixed - _answer_tokens(ask, context_tokens)
    if room < 0:
        raise EditRefused(
            f"The {ask.text.count(chr(10)) + 1} lines are too many for the model's context of {context_tokens} tokens. "
            "Select less, or raise engine.context_tokens."
        )
    before, after = surroundings(ask.document, ask.part, min(room * _CHARACTERS_PER_TOKEN, _MOST_AROUND_CHARACTERS))
    language = ask.document.language
    values = {
        "path": ask.path,
        "code": fenced(ask.text, language),
        "before": fenced(before, language),
        "after": fenced(after, language),
        "instruction": ask.instruction,
        "diagnostics": fenced("\n".join(ask.diagnostics)),
        "test_path": ask.test_path,
        "framework": ask.framework,
    }
    if ACTIONS[ask.action].becomes is Becomes.COMMENT:
        convention = convention_of(ask.document)
        values |= {"convention": convention.name, "example": fenced(convention.example)}
    return asked(prompt, values)


def surroundings(document: Document, part: Span, characters: int) -> tuple[str, str]:
    """Return the text before and after a part, together at most so many characters, cut at line ends."""
    most_before = int(characters * _BEFORE_SHARE)
    before = document.text[window_start(document.text, part.start, most_before) : part.start] if most_before else ""
    most_after = characters - len(before)
    after = document.text[part.end : window_end(document.text, part.end, most_after)] if most_after > 0 else ""
    return before, after.lstrip("\r\n")


def _answer_tokens(ask: Ask, context_tokens: int) -> int:
    """Return how long the answer may become: what is written anew, and the part where it is written again."""
    action = ACTIONS[ask.action]
    anew = min(action.answer_tokens, context_tokens // 3)
    again = int(_tokens(ask.text) * 1.25) if action.becomes is Becomes.PART else 0
    return anew + again


def _tokens(text: str) -> int:
    return len(text) // _CHARACTERS_PER_TOKEN + 1
