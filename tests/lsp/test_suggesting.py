"""The whole server with its real completer: `fimserver serve`, answering from a script."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types

from tests.lsp.conftest import Start
from tests.lsp.window import Buffer

Script = Callable[..., tuple[str, ...]]

SURE = {"completion": {"confidence": "off"}}


async def test_a_suggestion_is_accepted_into_the_text(start: Start, script: Script) -> None:
    client = await start(script({"ends": "def add(a, b):\n    return", "text": " a + b\n"}), options=SURE)
    buffer = Buffer(client, "def add(a, b):\n    return‸\n")
    [item] = await buffer.ghost()
    buffer.accept(item)
    assert buffer.drawn == "def add(a, b):\n    return a + b‸\n"


async def test_typing_along_a_suggestion_keeps_it(start: Start, script: Script) -> None:
    client = await start(script({"ends": "return", "text": " a + b\n"}, {"text": "nothing like it\n"}), options=SURE)
    buffer = Buffer(client, "def add(a, b):\n    return‸\n")
    await buffer.ghost()
    for key in " a +":
        buffer.type(key)
        [item] = await buffer.ghost()
    buffer.accept(item)
    assert buffer.drawn == "def add(a, b):\n    return a + b‸\n"


async def test_an_auto_closed_bracket_is_replaced(start: Start, script: Script) -> None:
    client = await start(script({"ends": "print(", "text": "total)\n"}), options=SURE)
    buffer = Buffer(client, "total = 1\nprint(‸)\n")
    [item] = await buffer.ghost()
    buffer.accept(item)
    assert buffer.drawn == "total = 1\nprint(total)‸\n"


async def test_the_newer_request_of_a_document_displaces_the_older(
    start: Start, script: Script, tmp_path: Path
) -> None:
    go = tmp_path / "go"
    client = await start(
        script({"ends": "first =", "pieces": [{"wait_for": str(go)}, " 1\n"]}, {"text": " 2\n"}), options=SURE
    )
    buffer = Buffer(client, "first =‸\n")
    older = asyncio.ensure_future(buffer.ghost())
    await asyncio.sleep(0)
    buffer.type("\nsecond =")
    [item] = await buffer.ghost()
    assert item.insert_text == " 2"
    assert await older == []


async def test_the_menu_carries_the_suggestion_of_the_real_completer(start: Start, script: Script) -> None:
    client = await start(script({"ends": "return", "text": " a + b\n"}), options=SURE, ghost_text=False)
    [entry] = await Buffer(client, "def add(a, b):\n    return‸\n").menu()
    assert (entry.label, entry.filter_text) == ("return a + b", "return a + b")


async def test_the_journal_says_what_became_of_each_request(start: Start, script: Script) -> None:
    client = await start(script({"ends": "return", "text": " a + b\n"}), options=SURE)
    buffer = Buffer(client, "def add(a, b):\n    return‸\n")
    [item] = await buffer.ghost()
    [entry] = await _command(client, "fimserver.journal")
    assert (entry["uri"], entry["line"], entry["column"], entry["shown"]) == (buffer.uri, 2, 11, item.insert_text)


ODD = {
    "empty": "‸",
    "half a surrogate pair": "\ud83d‸",
    "a very long line": "x" * 100_000 + "‸",
    "control characters": "\0\1\2‸",
    "every kind of line end": "a\r\n\rb\n\f\u2028‸\r",
}


@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
async def test_odd_documents_are_answered(start: Start, script: Script, text: str) -> None:
    client = await start(script({"text": "x\n"}), options=SURE)
    assert len(await Buffer(client, text, uri="untitled:Untitled-1").ghost()) <= 1


async def _command(client: Any, name: str, *arguments: Any) -> Any:
    return await client.workspace_execute_command_async(types.ExecuteCommandParams(name, list(arguments) or None))
