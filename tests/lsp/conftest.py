"""Servers over real pipes: `raw` and `session` for bytes of any kind, `start` for well-behaved editors (pytest-lsp)."""

import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from lsprotocol import types
from pytest_lsp import ClientServerConfig, LanguageClient, make_test_lsp_client

from tests.lsp.raw_client import STAND_IN, RawClient

Start = Callable[..., Awaitable[LanguageClient]]


@pytest.fixture
def raw(tmp_path: Path) -> Iterator[RawClient]:
    """A server that nobody has initialized yet."""
    with RawClient(tmp_path) as client:
        yield client


@pytest.fixture
def session(raw: RawClient) -> RawClient:
    """A server that is initialized."""
    raw.initialize()
    return raw


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RawClient]:
    """One initialized server for a whole table of messages: what one row does must not harm the next."""
    with RawClient(tmp_path_factory.mktemp("shared")) as client:
        client.initialize()
        client.open("abc\n")
        yield client


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., tuple[str, ...]]:
    """Return the command of a server that answers from a script, given as replies (see engine/fake.py)."""

    def command(*replies: dict[str, Any]) -> tuple[str, ...]:
        path = tmp_path_factory.mktemp("script") / "replies.jsonl"
        path.write_text("\n".join(map(json.dumps, replies)), encoding="utf-8")
        return (sys.executable, "-m", "fimserver", "--engine", f"scripted:{path}", "serve")

    return command


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def start(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Start]:
    """Start servers, each with an initialized client; all are shut down at the end.

    A start takes most of a second, so tests of a module that ask for the same server get the same, unless it has to be
    `fresh`. Documents do not meet: each Buffer has a name of its own.
    """
    clients: dict[str, LanguageClient] = {}

    async def start_one(
        command: Sequence[str] = STAND_IN,
        *,
        encodings: Sequence[types.PositionEncodingKind] = (),
        ghost_text: bool = True,
        pulls_configuration: bool = False,
        options: dict[str, Any] | None = None,
        configuration: dict[str, Any] | None = None,
        home: Path | None = None,
        fresh: bool = False,
    ) -> LanguageClient:
        key = repr((command, encodings, ghost_text, options, configuration, home, len(clients) if fresh else None))
        if key in clients:
            return clients[key]
        home = home or tmp_path_factory.mktemp("home")
        environment = {**os.environ, "FIMSERVER_HOME": str(home), "FIMSERVER_STRICT": "1"}
        config = ClientServerConfig(
            server_command=list(command), server_env=environment, client_factory=make_test_lsp_client
        )
        client = clients[key] = await config.start()
        client.set_configuration({"fimserver": configuration})
        ghost = types.InlineCompletionClientCapabilities() if ghost_text else None
        capabilities = types.ClientCapabilities(
            general=types.GeneralClientCapabilities(position_encodings=tuple(encodings) or None),
            text_document=types.TextDocumentClientCapabilities(inline_completion=ghost),
            workspace=types.WorkspaceClientCapabilities(configuration=pulls_configuration),
        )
        await client.initialize_session(
            types.InitializeParams(capabilities=capabilities, initialization_options=options)
        )
        return client

    yield start_one
    for client in clients.values():
        await client.shutdown_session()
        await client.stop()
