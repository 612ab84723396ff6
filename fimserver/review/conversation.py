r"""Turn a buffer in which user and assistant speak in turn into a conversation, and back.

    >>> system
    Be brief.

    >>> user
    What is a till?

    <<< assistant
    A place for money.

A turn is what stands below its heading; the headings are those of vim-ai. A text without any heading is one question.
"""

import re
from collections.abc import Sequence
from dataclasses import replace

from fimserver.engine.interface import Keep
from fimserver.errors import FimError
from fimserver.prompt.chat import ChatMessage
from fimserver.review.prompts import asked, prompt_named

_HEADINGS = {">>> system": "system", ">>> user": "user", "<<< assistant": "assistant"}
_HEADING = re.compile(r"^(>>> system|>>> user|<<< assistant)[ \t]*\r?$", re.MULTILINE)


def turns_of(text: str) -> tuple[ChatMessage, ...]:
    """Return the turns of a buffer. Raises FimError where it is not the user who has spoken last."""
    parts = _HEADING.split(text)
    said = [
        ("user", parts[0]),
        *((_HEADINGS[heading], body) for heading, body in zip(parts[1::2], parts[2::2], strict=True)),
    ]
    turns = [ChatMessage(role, body.strip()) for role, body in said if body.strip()]
    if not turns or turns[-1].role != "user" or not parts[-1].strip():
        raise FimError("Nothing is asked: the last turn must be yours, below a line `>>> user`.")
    return tuple(turns)


def with_answer(text: str, answer: str) -> str:
    r"""Return a buffer with the assistant's turn and the heading of the user's next.

    >>> with_answer("Why?\n", "Because.")
    '>>> user\n\nWhy?\n\n<<< assistant\n\nBecause.\n\n>>> user\n\n'
    """
    return f"{before_answer(text)}{answer.strip()}{AFTER_ANSWER}"


def before_answer(text: str) -> str:
    """Return a buffer up to where the assistant's answer begins."""
    heading = "" if _HEADING.search(text) else ">>> user\n\n"
    return f"{heading}{text.rstrip()}\n\n<<< assistant\n\n"


AFTER_ANSWER = "\n\n>>> user\n\n"


def conversation_of(turns: Sequence[ChatMessage]) -> tuple[ChatMessage, ...]:
    """Return what is said to the model: the prompt `chat` before the turns, unless they begin with one of their own.

    Turns of one role in a row are joined, for templates refuse them. Where the context is too small the oldest go
    first, never the last.
    """
    system, question = asked(prompt_named("chat"), {"question": turns[-1].text})
    said = [turn for turn in turns if turn.role != "system"]
    own = "\n\n".join(turn.text for turn in turns if turn.role == "system")
    joined: list[ChatMessage] = []
    for turn in [*said[:-1], question]:
        if joined and joined[-1].role == turn.role:
            joined[-1] = replace(turn, text=f"{joined[-1].text}\n\n{turn.text}")
        else:
            joined.append(turn)
    *older, last = joined
    return (replace(system, text=own or system.text), *(replace(turn, keep=Keep.DROP) for turn in older), last)
