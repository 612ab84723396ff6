"""What a client says of itself is read leniently, and decides what it is told the server can do."""

from typing import Any

import pytest

from fimserver.lsp.client import Client, read_client
from fimserver.lsp.commands import COMMANDS
from fimserver.lsp.greeting import initialize_result
from fimserver.lsp.names import COMMAND_NAMES
from fimserver.settings import Settings, read_settings

NOTHING = Client()

CLIENTS: dict[str, tuple[Any, Client]] = {
    "no params": (None, NOTHING),
    "params of another kind": ([1], NOTHING),
    "capabilities of another kind": ({"capabilities": "all", "processId": "1", "clientInfo": 5}, NOTHING),
    "a name and a process": ({"clientInfo": {"name": "nvim"}, "processId": 7}, Client(name="nvim", process_id=7)),
    "the first encoding that is known": (
        {"capabilities": {"general": {"positionEncodings": ["utf-7", 5, "utf-32", "utf-8"]}}},
        Client(encoding="utf-32"),
    ),
    "no encoding that is known": ({"capabilities": {"general": {"positionEncodings": ["utf-7"]}}}, NOTHING),
    "ghost text": (
        {"capabilities": {"textDocument": {"inlineCompletion": {"dynamicRegistration": False}}}},
        Client(inline_completion=True),
    ),
    "ghost text, empty": (
        {"capabilities": {"textDocument": {"inlineCompletion": {}}}},
        Client(inline_completion=True),
    ),
    "ghost text, null": ({"capabilities": {"textDocument": {"inlineCompletion": None}}}, NOTHING),
    "lsp-mode has ghost text and does not say so": (
        {"clientInfo": {"name": "emacs"}},
        Client(name="emacs", inline_completion=True),
    ),
    "it answers workspace/configuration": (
        {"capabilities": {"workspace": {"configuration": True}}},
        Client(pulls_configuration=True),
    ),
    "it wants the status": (
        {"capabilities": {"experimental": {"fimserver": {"status": True}}}},
        Client(wants_status=True),
    ),
    "workspace folders": (
        {"workspaceFolders": [{"uri": "file:///a", "name": "a"}, {"uri": 5}], "rootUri": "file:///b"},
        Client(roots=("file:///a",)),
    ),
    "a root only": ({"workspaceFolders": None, "rootUri": "file:///b"}, Client(roots=("file:///b",))),
    "options": ({"initializationOptions": {"completion": {}}}, Client(options={"completion": {}})),
    "options of another kind": ({"initializationOptions": "fast"}, NOTHING),
}


@pytest.mark.parametrize(("params", "client"), CLIENTS.values(), ids=CLIENTS)
def test_clients_are_read_leniently(params: Any, client: Client) -> None:
    assert read_client(params) == client


def test_everything_is_announced_statically_and_with_options() -> None:
    capabilities = initialize_result(Client(encoding="utf-8"), Settings())["capabilities"]
    assert capabilities["inlineCompletionProvider"] == {}
    assert capabilities["textDocumentSync"] == {"openClose": True, "change": 2}
    assert capabilities["positionEncoding"] == "utf-8"
    assert capabilities["executeCommandProvider"]["commands"] == list(COMMAND_NAMES)


def test_every_command_that_is_announced_exists() -> None:
    assert set(COMMAND_NAMES) == set(COMMANDS)


@pytest.mark.parametrize(
    ("menu", "ghost_text", "offered"),
    [
        ("auto", False, True),
        ("auto", True, False),
        ("always", True, True),
        ("never", False, False),
    ],
)
def test_the_menu_is_offered_where_there_is_no_ghost_text_or_the_user_wants_it(
    menu: str, ghost_text: bool, offered: bool
) -> None:
    settings, _ = read_settings({"completion": {"menu": menu}})
    result = initialize_result(Client(inline_completion=ghost_text), settings)
    assert ("completionProvider" in result["capabilities"]) is offered
