"""The whole server with its real completer: `fimserver serve`, answering from a script."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pytest_lsp import LanguageClient

from tests.lsp.conftest import Start
from tests.lsp.window import Buffer

pytestmark = pytest.mark.asyncio(loop_scope="module")

SURE = {"completion": {"confidence": "off"}}


@pytest.fixture(scope="module")
def go(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that the answer to `slow =` waits for."""
    return tmp_path_factory.mktemp("go") / "go"


@pytest.fixture(scope="module")
def command(script: Callable[..., tuple[str, ...]], go: Path) -> tuple[str, ...]:
    """The command of a server that answers these tests."""
    return script(
        {"ends": "def add(a, b):\n    return", "text": " a + b\n"},
        {"ends": "public int Count(", "text": ")\n"},
        {
            "ends": "public int Count()",
            "text": "\n    {\n        return books.Count;\n    }\n\n    public int Most()\n",
        },
        {"ends": "print(", "text": "total)\n"},
        {"ends": "slow =", "pieces": [{"wait_for": str(go)}, " 1\n"]},
        {"ends": "quick =", "text": " 2\n"},
        {"ends": "canary_4f1d =", "text": "canary_4f1d\n"},
        {"text": "x\n"},
    )


async def test_a_suggestion_is_accepted_into_the_text(start: Start, command: tuple[str, ...]) -> None:
    buffer = Buffer(await start(command, options=SURE), "def add(a, b):\n    return‸\n")
    [item] = await buffer.ghost()
    buffer.accept(item)
    assert buffer.drawn == "def add(a, b):\n    return a + b‸\n"


@pytest.mark.parametrize("name", ["csharp", "cs", "c-sharp"])
async def test_a_language_is_known_by_whatever_name_the_editor_has_for_it(
    start: Start, command: tuple[str, ...], name: str
) -> None:
    """Without its syntax the suggestion would end with its first line."""
    shelf = "class Shelf\n{\n    public int Count(‸)\n}\n"
    buffer = Buffer(await start(command, options=SURE), shelf, uri=f"file:///{name}/Shelf.cs", language=name)
    [item] = await buffer.ghost()
    buffer.accept(item)
    assert buffer.drawn == shelf.replace("‸)", ")\n    {\n        return books.Count;\n    }‸")


async def test_typing_along_a_suggestion_keeps_it(start: Start, command: tuple[str, ...]) -> None:
    buffer = Buffer(await start(command, options=SURE), "def add(a, b):\n    return‸\n")
    await buffer.ghost()
    for key in " a +":
        buffer.type(key)
        [item] = await buffer.ghost()
    buffer.accept(item)
    assert buffer.drawn == "def add(a, b):\n    return a + b‸\n"


async def test_an_auto_closed_bracket_is_replaced(start: Start, command: tuple[str, ...]) -> None:
    buffer = Buffer(await start(command, options=SURE), "total = 1\nprint(‸)\n")
    [item] = await buffer.ghost()
    buffer.accept(item)
    assert buffer.drawn == "total = 1\nprint(total)‸\n"


async def test_p29_the_newer_request_of_a_document_displaces_the_older(start: Start, command: tuple[str, ...]) -> None:
    buffer = Buffer(await start(command, options=SURE), "slow =‸\nquick =\n")
    older = asyncio.ensure_future(buffer.ghost())
    await asyncio.sleep(0)
    buffer.offset = buffer.text.rindex("\n")
    [item] = await buffer.ghost()
    assert item.insert_text == " 2"
    assert await older == []


async def test_p26_a_request_is_cancelled_while_its_text_is_generated(start: Start, command: tuple[str, ...]) -> None:
    client = await start(command, options=SURE)
    buffer = Buffer(client, "slow =‸\nquick =\n")
    params = types.InlineCompletionParams(
        types.InlineCompletionContext(types.InlineCompletionTriggerKind.Automatic),
        types.TextDocumentIdentifier(buffer.uri),
        buffer.position(),
    )
    asked = asyncio.ensure_future(
        client.protocol.send_request_async("textDocument/inlineCompletion", params, msg_id="26")
    )
    await asyncio.sleep(0)
    client.cancel_request(types.CancelParams("26"))
    with pytest.raises(JsonRpcException, match="cancelled"):
        await asked
    buffer.offset = buffer.text.rindex("\n")
    [item] = await buffer.ghost()
    assert item.insert_text == " 2"


async def test_the_menu_carries_the_suggestion_of_the_real_completer(start: Start, command: tuple[str, ...]) -> None:
    client = await start(command, options=SURE, ghost_text=False)
    [entry] = await Buffer(client, "def add(a, b):\n    return‸\n").menu()
    assert (entry.label, entry.filter_text) == ("return a + b", "return a + b")


async def test_the_journal_says_what_became_of_each_request(start: Start, command: tuple[str, ...]) -> None:
    client = await start(command, options=SURE)
    buffer = Buffer(client, "def add(a, b):\n    return‸\n")
    [item] = await buffer.ghost()
    *_, entry = await _command(client, "fimserver.journal")
    assert (entry["uri"], entry["line"], entry["column"], entry["shown"]) == (buffer.uri, 2, 11, item.insert_text)


ODD = {
    "empty": "‸",
    "half a surrogate pair": "\ud83d‸",
    "a very long line": "x" * 100_000 + "‸",
    "control characters": "\0\1\2‸",
    "every kind of line end": "a\r\n\rb\n\f\u2028‸\r",
}


@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
async def test_odd_documents_are_answered(start: Start, command: tuple[str, ...], text: str) -> None:
    buffer = Buffer(await start(command, options=SURE), text, uri=f"untitled:{len(text)}")
    assert len(await buffer.ghost()) <= 1


async def test_the_log_holds_no_source_text(start: Start, command: tuple[str, ...], tmp_path: Path) -> None:
    canary = "canary_4f1d"
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "settings.toml").write_text('[privacy]\nlog_level = "info"\n')
    client = await start(command, options=SURE, home=tmp_path)
    buffer = Buffer(client, f"{canary} =‸")
    assert len(await buffer.ghost()) == 1
    unopened = types.VersionedTextDocumentIdentifier(2, "file:///unopened.py")
    there = types.Range(types.Position(0, 1), types.Position(0, 0))
    inverted = types.TextDocumentContentChangePartial(there, canary)
    client.text_document_did_change(types.DidChangeTextDocumentParams(unopened, [inverted]))
    await _command(client, "fimserver.why")
    written = _logs(tmp_path)
    assert "unopened.py" in written, "that a change could not be applied is noted"
    assert canary not in written


def _logs(home: Path) -> str:
    return "".join(path.read_text(errors="replace") for path in home.rglob("*.log"))


async def _command(client: LanguageClient, name: str) -> Any:
    return await client.workspace_execute_command_async(types.ExecuteCommandParams(name))
