"""Reviews with a real model, the embedded one, in the engine that answers typing, too.

What it writes is worthless; that it parses, that typing goes first and that cancelling frees the engine is not.
"""

import asyncio
import sys
from typing import Any

import pytest
from lsprotocol import types
from pytest_lsp import LanguageClient

from tests.engine.worker_rig import MODEL
from tests.lsp.conftest import Start
from tests.lsp.window import Buffer

pytestmark = pytest.mark.asyncio(loop_scope="module")

SERVE = (sys.executable, "-m", "fimserver", "serve")
OPTIONS = {"model": {"chat": str(MODEL)}, "completion": {"confidence": "off"}}

LONG = "\n\n".join(f"def total_{n}(prices):\n    return sum(price + {n} for price in prices)\n" for n in range(30))
TYPED = "class Till:\n    def __init__(self):\n        self.prices = []\n\n    def total(self):\n        return‸\n"


async def run(client: LanguageClient, name: str, *arguments: Any) -> Any:
    params = types.ExecuteCommandParams(f"fimserver.{name}", list(arguments))
    return await client.workspace_execute_command_async(params)


async def typed(buffer: Buffer, text: str) -> dict[str, Any]:
    """Type a text, ask for a suggestion, and return what the journal says of it."""
    buffer.type(text)
    await buffer.ghost(invoked=True)
    entry: dict[str, Any] = (await run(buffer.client, "journal"))[-1]
    return entry


async def test_typing_goes_first_and_stays_cheap_while_a_review_runs(start: Start) -> None:
    client = await start(SERVE, options=OPTIONS)
    buffer, reviewed = Buffer(client, TYPED), Buffer(client, f"{LONG}‸")
    await run(client, "status")
    await buffer.ghost(invoked=True)
    reviewing = asyncio.ensure_future(run(client, "review", "file", reviewed.uri))
    for key in (" ", "s", "e", "l", "f"):
        entry = await typed(buffer, key)
        assert entry["timings"]["evaluated_tokens"] <= 4, entry
    assert not reviewing.done(), "the review is longer than five keys"
    await run(client, "review.cancel", reviewed.uri)
    answer = await reviewing
    assert answer["dropped"].get("unreadable", 0) == 0


async def test_after_cancelling_the_engine_is_free(start: Start) -> None:
    client = await start(SERVE, options=OPTIONS)
    reviewed = Buffer(client, f"{LONG}‸")
    params = types.ExecuteCommandParams("fimserver.review", ["file", reviewed.uri])
    reviewing = asyncio.ensure_future(
        client.protocol.send_request_async("workspace/executeCommand", params, msg_id="a-review")
    )
    await run(client, "status")
    client.cancel_request(types.CancelParams("a-review"))
    with pytest.raises(Exception, match="cancelled"):
        await reviewing
    again = asyncio.ensure_future(run(client, "review", "selection", reviewed.uri, _lines(0, 2)))
    assert (await again)["dropped"].get("unreadable", 0) == 0


def _lines(first: int, last: int) -> types.Range:
    return types.Range(types.Position(first, 0), types.Position(last, 0))
