"""Talk with the chat model: line by line in the terminal, or with a buffer as a text filter.

fimserver chat till.py                   a conversation that begins with a file
:%!fimserver chat --whole -              in Vim: the buffer, with the assistant's next turn at its end
"""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing

import click

from fimserver.cli.chat_model import chat_engine, chat_model_option
from fimserver.cli.choice import Choice
from fimserver.cli.filter import read_text, write
from fimserver.cli.progress import at_work
from fimserver.engine.interface import Engine
from fimserver.prompt.chat import ChatMessage
from fimserver.review.asking import answer
from fimserver.review.conversation import AFTER_ANSWER, before_answer, conversation_of, turns_of


@click.command("chat")
@click.argument("source", metavar="[FILE|-]", required=False)
@click.option("--whole", is_flag=True, help="With -: write the buffer too, and the heading of your next turn.")
@click.option("--max-tokens", default=1024, show_default=True, help="Longest answer, in tokens.")
@chat_model_option
@click.pass_obj
def chat_command(choice: Choice, source: str | None, whole: bool, max_tokens: int, model: str | None) -> None:
    """Talk with the chat model, about FILE if one is named.

    With - a buffer is read in which turns stand below lines `>>> user` and `<<< assistant`, and the next turn is
    written. Without, /help lists what can be done.
    """
    if source == "-":
        asyncio.run(_next_turn(chat_engine(choice, model), read_text(source), max_tokens, whole=whole))
        return
    from fimserver.cli.talk import talk

    talk(choice, model, max_tokens, source)


async def _next_turn(engine: Engine, buffer: str, max_tokens: int, *, whole: bool) -> None:
    try:
        turns = turns_of(buffer)
        if whole:
            write(before_answer(buffer))
        with at_work(engine, streams=True):
            await say(engine, turns, max_tokens)
        write(AFTER_ANSWER if whole else "\n")
    finally:
        await engine.close()


async def say(engine: Engine, turns: Sequence[ChatMessage], max_tokens: int) -> str:
    """Write the assistant's next turn while it comes, and return it. Raises as `review.asking.answer` does."""
    text = ""
    async with aclosing(answer(engine, conversation_of(turns), max_tokens=max_tokens)) as pieces:
        async for piece in pieces:
            shown = piece if text else piece.lstrip()
            text += shown
            write(shown)
    return text
