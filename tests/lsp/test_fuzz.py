"""Sessions of sound, damaged and absurd frames: the server lives, and answers each well-formed request once."""

from collections import Counter
from typing import Any

import pytest

from tests.lsp.fuzz import Session
from tests.lsp.raw_client import RawClient

STEPS = 2_000


@pytest.mark.parametrize("seed", range(2))
def test_every_well_formed_request_is_answered_once(session: RawClient, seed: int) -> None:
    expected: Counter[Any] = Counter({"last": 1})
    for step in Session(seed).steps(STEPS):
        session.send_bytes(step.data)
        expected.update(step.ids)
    session.send_bytes(b"\r\n")
    session.send({"id": "last", "method": "shutdown"})
    answered = Counter(message["id"] for message in _until_last(session) if "method" not in message)
    assert {number: answered[number] for number in expected} == expected


def _until_last(client: RawClient) -> list[dict[str, Any]]:
    messages = [client.receive()]
    while messages[-1].get("id") != "last":
        messages.append(client.receive())
    return messages
