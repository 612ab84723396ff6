"""Turn a conversation into a chat model's answer, piece by piece.

The conversation is written by the template that came with the model (prompt/chat.py): what was said is tokenised as
text, whatever control tokens it names. A model that is still being read is waited for, since nobody types meanwhile.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from fimserver.engine.interface import Engine, Finish, GenerateRequest, ModelFacts, Priority
from fimserver.errors import AnswerCut, EngineLoading
from fimserver.prompt.chat import ChatMessage, chat_prompt

_LOOK_AGAIN_S = 0.1

# How an answer may end that is all of it.
_WHOLE = frozenset({Finish.END_OF_TEXT, Finish.STOP_TEXT})


async def answer(
    engine: Engine,
    messages: Sequence[ChatMessage],
    *,
    grammar: str = "",
    max_tokens: int,
    priority: Priority = Priority.COMMAND,
) -> AsyncGenerator[str, None]:
    """Stream the assistant's next answer. Closing the iterator cancels: use `contextlib.aclosing`.

    `grammar` is GBNF. Raises EngineError and ModelError; and AnswerCut, once all there is has been yielded, where the
    answer did not come to its end within `max_tokens` or the model's context.
    """
    facts = await loaded(engine)
    prompt = await asyncio.to_thread(chat_prompt, messages, facts)  # a new sequence of roles is rendered by a process
    request = GenerateRequest(prompt=prompt, max_tokens=max_tokens, priority=priority, grammar=grammar or None)
    finish = None
    async with aclosing(engine.generate(request)) as chunks:
        async for chunk in chunks:
            finish = chunk.finish or finish
            if chunk.text:
                yield chunk.text
    if finish not in _WHOLE:
        raise AnswerCut(_why_cut(finish, max_tokens))


async def whole_answer(engine: Engine, messages: Sequence[ChatMessage], *, max_tokens: int) -> str:
    """Return the assistant's next answer in one piece. Raises as `answer` does."""
    async with aclosing(answer(engine, messages, max_tokens=max_tokens)) as pieces:
        return "".join([piece async for piece in pieces])


async def loaded(engine: Engine) -> ModelFacts:
    """Return the model's facts once it is loaded, however long that takes. Raises EngineError or ModelError."""
    while True:
        try:
            return await engine.describe()
        except EngineLoading:
            await asyncio.sleep(_LOOK_AGAIN_S)


def _why_cut(finish: Finish | None, max_tokens: int) -> str:
    if finish is Finish.MAX_TOKENS:
        return f"The model's answer was cut off after {max_tokens} tokens. Ask about less at a time."
    if finish is Finish.CONTEXT_FULL:
        return "The model's context is full. Ask about less at a time, or raise engine.context_tokens."
    if finish is Finish.REPETITION:
        return "The model began to repeat itself and was stopped. Ask again in other words, or choose a larger model."
    return "The model's answer broke off. Ask again."
