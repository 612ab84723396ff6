"""Answer `initialize` before anything else is loaded, and refuse whatever comes sooner.

The protocol's types take a third of a second to import, on a fast machine; the editor does not wait for that.
"""

import json
from dataclasses import dataclass
from typing import Any

from fimserver import __version__
from fimserver.lsp.client import Client, read_client
from fimserver.lsp.configuration import offers_menu, settings_at_start
from fimserver.lsp.envelope import (
    SERVER_NOT_INITIALIZED,
    Message,
    Notification,
    Refusal,
    Request,
    error_response,
    read_message,
    response,
)
from fimserver.lsp.frames import FrameReader
from fimserver.lsp.names import COMMAND_NAMES
from fimserver.lsp.transport import Channel, read_some
from fimserver.lsp.writer import Writer
from fimserver.settings import Problem, Settings

# What a client without ghost text asks after, beside the letters of words.
_TRIGGERS = ".([{,=: "


@dataclass(frozen=True, slots=True)
class Greeted:
    """A client that has been answered, its settings, and what it sent in the same breath."""

    client: Client
    settings: Settings
    problems: tuple[Problem, ...]
    early: tuple[Message, ...]


def greet(channel: Channel, frames: FrameReader, writer: Writer, settings: Settings) -> Greeted | None:
    """Read until `initialize` has been answered; return None where the client leaves before."""
    while received := read_some(channel.read):
        messages = [read_message(body) for body in frames.feed(received)]
        for position, message in enumerate(messages):
            if isinstance(message, Request) and message.method == "initialize":
                client = read_client(message.params)
                taken, problems = settings_at_start(settings, client.options)
                _send(writer, response(message.id, initialize_result(client, taken)))
                return Greeted(client, taken, tuple(problems), tuple(messages[position + 1 :]))
            if isinstance(message, Notification) and message.method == "exit":
                return None
            if (refusal := _refusal(message)) is not None:
                _send(writer, error_response(refusal))
    return None


def initialize_result(client: Client, settings: Settings) -> dict[str, Any]:
    """Return what the server can do, for this client.

    Everything is announced statically, whatever the client says it supports: some that ask for inline completions
    announce nothing, and some cannot register later.
    """
    capabilities: dict[str, Any] = {
        "positionEncoding": client.encoding,
        "textDocumentSync": {"openClose": True, "change": 2},  # incremental
        "notebookDocumentSync": {"notebookSelector": [{"notebook": "*", "cells": [{"language": "*"}]}]},
        "inlineCompletionProvider": {},
        "executeCommandProvider": {"commands": list(COMMAND_NAMES)},
        "codeActionProvider": {"codeActionKinds": ["", "quickfix", "refactor.rewrite"]},
        "workspace": {"workspaceFolders": {"supported": True, "changeNotifications": True}},
    }
    if offers_menu(client, settings):
        capabilities["completionProvider"] = {"triggerCharacters": list(_TRIGGERS), "resolveProvider": False}
    return {"capabilities": capabilities, "serverInfo": {"name": "fimserver", "version": __version__}}


def _refusal(message: Message) -> Refusal | None:
    """Return the error for what came too soon; notifications, and answers nobody asked for, are dropped."""
    if isinstance(message, Request):
        return Refusal(message.id, SERVER_NOT_INITIALIZED, "The first request must be `initialize`.")
    return message if isinstance(message, Refusal) else None


def _send(writer: Writer, message: dict[str, Any]) -> None:
    writer.send(json.dumps(message).encode())
