"""Speak of a conversation as servers take it that write it by their model's own template: a list of messages.

Such a server reads control texts wherever they stand, so those that usual templates spell are cut in what was said.
"""

import re

from fimserver.engine.dialects.speech import CUT, Json, Piece
from fimserver.engine.interface import Finish, Prompt

# What chat templates of the usual families write around a turn.
_SPELLED = re.compile(
    r"<(?=\|[^|<>\s]{1,40}\|>|/?s>|/?think>|(?:start|end)_of_turn>|bos>|eos>|[\uff5c][^<>\s]{1,40}>)|\[(?=/?INST\])"
)


def messages(prompt: Prompt) -> list[Json]:
    """Return the turns of a prompt, for `/v1/chat/completions` and `/api/chat`."""
    return [{"role": turn.role, "content": _SPELLED.sub(rf"\g<0>{CUT}", turn.text)} for turn in prompt.turns]


def chat_piece(choice: Json) -> Piece:
    """Read a choice of an event of `/v1/chat/completions`."""
    reason = choice.get("finish_reason")
    finish = None if not reason else Finish.MAX_TOKENS if reason == "length" else Finish.END_OF_TEXT
    return Piece(text=str(choice["delta"].get("content") or ""), finish=finish)
