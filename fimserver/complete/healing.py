"""Back up to the beginning of the token that the cursor stands in, and have the model say it again.

A text that ends at the cursor is cut into other tokens there than where it goes on: `.pri` may be two tokens and
`.prices` one, and a space belongs to the word behind it. So the prompt ends before the last token, and the engine lets
only tokens through that agree with what is typed of it (`engine/healing.py`).
"""

import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

from fimserver.engine.interface import Chunk, Usage

# Tokens begin with a space, a dot or an underscore more often than they end with one: `.p`, ` (`, `_id`.
_BEGUN_TOKEN = re.compile(r"(?: ?[^\w\s]| |_)?[^\W_]+\Z| ?[^\w\s]{1,3}\Z| \Z")

# What is said again costs a step of the model per token; of a longer word the last tokens are likely whole.
_LONGEST_CHARACTERS = 12


def backed_up(typed: str) -> tuple[str, str]:
    """Return the typed text before the token that the cursor stands in, and what is typed of that token.

    >>> backed_up("total = self.pri"), backed_up("return tot"), backed_up("x = ")
    (('total = self', '.pri'), ('return', ' tot'), ('x =', ' '))
    """
    found = _BEGUN_TOKEN.search(typed, max(0, len(typed) - _LONGEST_CHARACTERS - 1))
    cut = found.start() if found and len(found[0]) <= _LONGEST_CHARACTERS else len(typed)
    return typed[:cut], typed[cut:]


async def without(said: str, chunks: AsyncGenerator[Chunk, None]) -> AsyncGenerator[Chunk, None]:
    """Yield an answer's chunks without the text it had to begin with.

    The tokens that only say that were evaluated, as the prompt was; nothing new was written. Where the answer begins
    otherwise, the engine forces nothing, and the answer is left as it is.
    """
    left, tokens = said, 0
    async with aclosing(chunks) as stream:
        async for chunk in stream:
            agrees = chunk.text.startswith(left) or left.startswith(chunk.text)
            skipped = min(len(left), len(chunk.text)) if agrees else 0
            left = left[skipped:] if agrees else ""
            only_says_that = skipped > 0 and skipped == len(chunk.text)
            tokens += chunk.tokens if only_says_that else 0
            usage = _with_read(chunk.usage, tokens) if tokens else chunk.usage
            if only_says_that:
                yield replace(chunk, text="", tokens=0, logprob=0.0, usage=usage)
            else:
                yield replace(chunk, text=chunk.text[skipped:], usage=usage) if skipped or tokens else chunk


def _with_read(usage: Usage, tokens: int) -> Usage:
    """Return the usage with some of the written tokens counted among the evaluated ones."""
    evaluated, generated = usage.evaluated_tokens + tokens, usage.generated_tokens - tokens
    return replace(usage, evaluated_tokens=evaluated, generated_tokens=max(0, generated))
