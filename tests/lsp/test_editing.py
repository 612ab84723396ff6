"""What an ordinary editor sees: suggestions where the cursor is, in each encoding, settings, commands, status."""

import asyncio
from typing import Any

import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pytest_lsp import LanguageClient

from fimserver.lsp.client import Encoding
from tests.lsp.conftest import Start
from tests.lsp.window import Buffer

pytestmark = pytest.mark.asyncio(loop_scope="module")

ENCODINGS = ("utf-8", "utf-16", "utf-32")


async def command(client: LanguageClient, name: str, *arguments: Any) -> Any:
    return await client.workspace_execute_command_async(types.ExecuteCommandParams(name, list(arguments) or None))


@pytest.mark.parametrize("encoding", ENCODINGS)
async def test_a_suggestion_lands_at_the_cursor_in_every_encoding(start: Start, encoding: Encoding) -> None:
    client = await start(encodings=[types.PositionEncodingKind(encoding)])
    buffer = Buffer(client, "# 😀 é\r\n\f\nx = '漢😀'‸ # 😀\nrest\n", encoding=encoding)
    buffer.type("😀é")
    [item] = await buffer.ghost()
    buffer.accept(item)
    assert buffer.drawn == "# 😀 é\r\n\f\nx = '漢😀'😀é<x = '漢😀'😀é>‸ # 😀\nrest\n"
    buffer.type("\n")
    buffer.type("whole")
    [item] = await buffer.ghost()
    assert item.insert_text == repr(buffer.text), "the server's text is the editor's"


async def test_ghost_text_names_itself_and_has_a_range(start: Start) -> None:
    buffer = Buffer(await start(), "two lines‸)")
    [item] = await buffer.ghost()
    assert (item.insert_text, item.range) == ("(\n)", types.Range(types.Position(0, 9), types.Position(0, 10)))
    assert item.command is not None
    assert item.command.command == "fimserver.accepted"
    assert len(item.command.arguments or ()) == 1


async def test_a_suggestion_for_more_than_the_cursors_line_is_held_back(start: Start) -> None:
    assert await Buffer(await start(), "far‸\nrest").ghost() == []


async def test_a_rejection_is_an_empty_answer(start: Start) -> None:
    client = await start()
    assert await Buffer(client, "refuse‸").ghost() == []
    assert (await command(client, "fimserver.status"))["lastReason"] == "low-confidence"


async def test_the_completer_hears_of_the_editors_own_menu_and_of_a_request_by_hand(start: Start) -> None:
    buffer = Buffer(await start(), "settings‸")
    chosen = types.SelectedCompletionInfo(types.Range(types.Position(0, 0), types.Position(0, 8)), "settings_at")
    [item] = await buffer.ghost(invoked=True, selected=chosen)
    assert item.insert_text == "12  True (Span(start=0, end=8), 'settings_at')"


async def test_a_request_by_hand_offers_a_choice(start: Start) -> None:
    buffer = Buffer(await start(), "also‸")
    assert [item.insert_text for item in await buffer.ghost()] == ["<also>"]
    items = await buffer.ghost(invoked=True)
    assert [item.insert_text for item in items] == ["<also>", "not <also>"]
    assert len({item.command.arguments[0] for item in items if item.command and item.command.arguments}) == 2


async def test_the_completer_hears_where_the_cursor_has_come_to_rest(start: Start) -> None:
    buffer = Buffer(await start(), "😀 x\nrested‸")
    place = {"textDocument": {"uri": buffer.uri}, "position": {"line": 0, "character": 3}}
    buffer.client.protocol.notify("fimserver/didFocus", place)
    [item] = await buffer.ghost()
    assert item.insert_text == "2"


async def test_a_closed_document_gets_no_suggestions(start: Start) -> None:
    client = await start()
    buffer = Buffer(client, "x‸")
    client.text_document_did_close(types.DidCloseTextDocumentParams(types.TextDocumentIdentifier(buffer.uri)))
    assert await buffer.ghost() == []


async def test_without_ghost_text_the_menu_carries_the_suggestion(start: Start) -> None:
    buffer = Buffer(await start(ghost_text=False), "x = ab‸)")
    [entry] = await buffer.menu()
    assert (entry.label, entry.filter_text) == ("ab<x = ab>", "ab<x = ab>")
    assert entry.text_edit == types.TextEdit(types.Range(types.Position(0, 4), types.Position(0, 6)), "ab<x = ab>")
    assert entry.command is not None


async def test_with_ghost_text_the_menu_is_left_alone(start: Start) -> None:
    buffer = Buffer(await start(), "x‸")
    assert await buffer.menu() == []
    assert len(await buffer.ghost()) == 1


async def test_with_ghost_text_the_menu_is_filled_where_the_user_wants_it(start: Start) -> None:
    buffer = Buffer(await start(options={"completion": {"menu": "always"}}), "x‸")
    assert len(await buffer.menu()) == 1


async def test_a_cancelled_request_is_refused_and_the_next_is_answered(start: Start) -> None:
    client = await start()
    buffer = Buffer(client, "wait‸")
    params = types.InlineCompletionParams(
        types.InlineCompletionContext(types.InlineCompletionTriggerKind.Automatic),
        types.TextDocumentIdentifier(buffer.uri),
        buffer.position(),
    )
    asked = asyncio.ensure_future(
        client.protocol.send_request_async("textDocument/inlineCompletion", params, msg_id="77")
    )
    await asyncio.sleep(0)
    client.cancel_request(types.CancelParams("77"))
    with pytest.raises(JsonRpcException, match="cancelled"):
        await asked
    buffer.type("ed")
    assert len(await buffer.ghost()) == 1


# Settings.


async def test_settings_come_with_initialize(start: Start) -> None:
    client = await start(options={"completion": {"max_lines": 3}, "model": {"completion": "/m.gguf"}})
    [item] = await Buffer(client, "settings‸").ghost()
    assert item.insert_text == "3 /m.gguf False None"


async def test_settings_are_asked_for_where_the_client_answers(start: Start) -> None:
    client = await start(pulls_configuration=True, configuration={"completion": {"max_lines": 4}})
    buffer = Buffer(client, "settings‸")
    while (await buffer.ghost())[0].insert_text != "4  False None":
        pass
    client.set_configuration({"fimserver": {"completion": {"max_lines": 5}}})
    client.workspace_did_change_configuration(types.DidChangeConfigurationParams(None))
    while (await buffer.ghost())[0].insert_text != "5  False None":
        pass


async def test_settings_may_change_by_notification(start: Start) -> None:
    client = await start(fresh=True)
    buffer = Buffer(client, "settings‸")
    client.workspace_did_change_configuration(
        types.DidChangeConfigurationParams({"fimserver": {"completion": {"max_lines": 6}}})
    )
    [item] = await buffer.ghost()
    assert item.insert_text == "6  False None"


async def test_wrong_settings_are_shown_once_and_in_one_message(start: Start) -> None:
    wrong = {"completion": {"max_lines": 0, "shape": "round"}}
    client = await start(options=wrong)
    for _ in range(3):
        client.workspace_did_change_configuration(types.DidChangeConfigurationParams({"fimserver": wrong}))
    await command(client, "fimserver.why")
    [message] = client.messages
    assert message.type is types.MessageType.Warning
    assert message.message == (
        "fimserver settings: completion.max_lines must be at least 1, not 0; using 12. "
        "completion.shape must be one of auto, line, block, not 'round'; using 'auto'."
    )


async def test_a_workspace_cannot_choose_the_model_of_a_running_server(start: Start) -> None:
    client = await start(fresh=True)
    buffer = Buffer(client, "settings‸")
    client.workspace_did_change_configuration(
        types.DidChangeConfigurationParams({"fimserver": {"model": {"completion": "/canary.gguf"}}})
    )
    [item] = await buffer.ghost()
    assert item.insert_text == "12  False None"
    [message] = client.messages
    assert "model.completion is only taken when the server starts" in message.message


# Commands and status.


async def test_suggestions_can_be_switched_off_and_on(start: Start) -> None:
    client = await start()
    buffer = Buffer(client, "x‸")
    assert await command(client, "fimserver.setEnabled") is False
    assert await buffer.ghost() == []
    assert (await command(client, "fimserver.status"))["message"] == "Suggestions are switched off."
    assert await command(client, "fimserver.setEnabled", True) is True
    assert len(await buffer.ghost()) == 1


async def test_suggestions_can_be_snoozed_and_woken(start: Start) -> None:
    client = await start()
    buffer = Buffer(client, "x‸")
    await command(client, "fimserver.setSnooze", 5)
    assert await buffer.ghost() == []
    assert (await command(client, "fimserver.status"))["kind"] == "Inactive"
    await command(client, "fimserver.setSnooze", 0)
    assert len(await buffer.ghost()) == 1


async def test_a_snooze_ends_by_itself(start: Start) -> None:
    client = await start()
    buffer = Buffer(client, "x‸")
    await command(client, "fimserver.setSnooze", 0.001)
    while (await command(client, "fimserver.status"))["kind"] == "Inactive":
        pass
    assert len(await buffer.ghost()) == 1


@pytest.mark.parametrize("minutes", [-1, 1e9, "long"])
async def test_a_snooze_has_bounds(start: Start, minutes: Any) -> None:
    with pytest.raises(JsonRpcException, match="minutes"):
        await command(await start(), "fimserver.setSnooze", minutes)


async def test_what_becomes_of_suggestions_is_counted(start: Start) -> None:
    client = await start(fresh=True)
    buffer = Buffer(client, "x‸")
    [item] = await buffer.ghost()
    assert item.command is not None
    sent = client.protocol._converter.unstructure(item)
    client.protocol.notify("fimserver/didShowCompletion", {"item": sent})
    client.protocol.notify("fimserver/didPartiallyAcceptCompletion", {"item": sent, "acceptedLength": 2})
    for _ in range(2):
        await command(client, item.command.command, *(item.command.arguments or ()))
    await command(client, item.command.command, "c99")
    status = await command(client, "fimserver.status")
    assert status["counts"] == {"answered": 1, "empty": 0, "shown": 1, "accepted": 1, "accepted_partly": 1}


async def test_the_engine_can_be_replaced(start: Start) -> None:
    client = await start()
    buffer = Buffer(client, "x‸")
    await command(client, "fimserver.restartEngine")
    assert len(await buffer.ghost()) == 1


# The engine, as the user hears of it.


async def test_a_model_that_cannot_be_loaded_is_one_message_however_often_it_is_asked_for(start: Start) -> None:
    client = await start(options={"model": {"completion": "/missing.gguf"}})
    buffer = Buffer(client, "missing‸")
    for _ in range(5):
        assert await buffer.ghost() == []
    status = await command(client, "fimserver.status")
    assert [message.message for message in client.messages] == ["fimserver: There is no model /missing.gguf."]
    assert (status["kind"], status["message"]) == ("Error", "There is no model /missing.gguf.")
    assert status["command"] == {"title": "Restart the engine", "command": "fimserver.restartEngine"}
