"""The status item says how the server is, why the last answer was empty, and which command helps."""

import asyncio
from contextlib import suppress
from typing import Any

import pytest

from fimserver.engine.interface import EngineState, EngineStatus
from fimserver.lsp.status import Kind, Status, StatusReporter, describe
from fimserver.values import Reason, Rejection
from tests.lsp.raw_client import RawClient

READY = EngineStatus(state=EngineState.READY)
EMPTY = Rejection(reason=Reason.INSIDE_STRING)

STATUSES = {
    "ready": (READY, {}, Status(kind=Kind.NORMAL, busy=False, message="Ready.")),
    "text goes to another machine": (
        EngineStatus(state=EngineState.READY, message="Ready. Your text goes to https://team.example."),
        {},
        Status(kind=Kind.NORMAL, busy=False, message="Ready. Your text goes to https://team.example."),
    ),
    "a suggestion is being made": (READY, {"asking": True}, Status(kind=Kind.NORMAL, busy=True, message="Ready.")),
    "the last answer was empty": (
        READY,
        {"last": EMPTY},
        Status(kind=Kind.NORMAL, busy=False, message="Ready.", reason=Reason.INSIDE_STRING, command="fimserver.why"),
    ),
    "the model is being loaded": (
        EngineStatus(state=EngineState.LOADING, percent=40),
        {},
        Status(kind=Kind.NORMAL, busy=True, message="The model is being loaded: 40 %."),
    ),
    "the engine has failed, with its last words": (
        EngineStatus(state=EngineState.FAILED, message="It is broken."),
        {"last": EMPTY},
        Status(kind=Kind.ERROR, busy=False, message="It is broken.", command="fimserver.restartEngine"),
    ),
    "switched off": (
        EngineStatus(state=EngineState.FAILED),
        {"off": "Off."},
        Status(kind=Kind.INACTIVE, busy=False, message="Off.", command="fimserver.setEnabled"),
    ),
}


@pytest.mark.parametrize(("engine", "more", "status"), STATUSES.values(), ids=STATUSES)
def test_the_status_in_one_line(engine: EngineStatus, more: dict[str, Any], status: Status) -> None:
    assert describe(engine, **{"asking": False, "off": "", "last": None, **more}) == status


def test_a_command_is_sent_with_its_title() -> None:
    status = describe(READY, asking=False, off="", last=EMPTY)
    assert status.as_json() == {
        "kind": "Normal",
        "busy": False,
        "message": "Ready.",
        "reason": "inside-string",
        "command": {"title": "Why?", "command": "fimserver.why"},
    }


async def test_it_is_busy_while_a_suggestion_takes_a_while_even_if_that_fails() -> None:
    sent: list[Status] = []
    told = asyncio.Event()

    def tell(status: Status) -> None:
        sent.append(status)
        told.set()

    reporter = StatusReporter(lambda: READY, tell, wanted=True)
    with suppress(ValueError), reporter.asking():
        await told.wait()
        raise ValueError
    reporter.note(EMPTY)
    reporter.note(None)
    assert [(status.busy, status.reason) for status in sent] == [
        (True, None),
        (False, None),
        (False, Reason.INSIDE_STRING),
        (False, None),
    ]


async def test_a_suggestion_that_comes_at_once_is_nobodys_news() -> None:
    sent: list[Status] = []
    reporter = StatusReporter(lambda: READY, sent.append)
    reporter.want()
    with reporter.asking():
        pass
    assert [status.busy for status in sent] == [False]


def test_nothing_is_sent_twice_and_nothing_before_it_is_wanted() -> None:
    sent: list[Status] = []
    reporter = StatusReporter(lambda: READY, sent.append)
    reporter.report()
    reporter.want()
    reporter.report()
    assert [status.message for status in sent] == ["Ready."]


# Over the wire.

ASKED = {
    "textDocument": {"uri": "file:///a.py"},
    "position": {"line": 0, "character": 1},
    "context": {"triggerKind": 2},
}
STATUS = "fimserver/didChangeStatus"


def statuses(client: RawClient, last_id: Any) -> list[dict[str, Any]]:
    """Return the statuses that were sent before the answer to a request."""
    found = []
    while (message := client.receive()).get("id") != last_id:
        assert message["method"] == STATUS
        found.append(message["params"])
    return found


def test_a_client_gets_no_status_before_it_has_sent_a_notification_of_ours(session: RawClient) -> None:
    session.open("x")
    session.send({"id": 1, "method": "textDocument/inlineCompletion", "params": ASKED})
    assert statuses(session, 1) == []
    session.send({"method": "fimserver/didFocus", "params": {"textDocument": {"uri": "file:///a.py"}}})
    assert session.receive()["method"] == STATUS


def test_a_client_that_announces_it_gets_the_status(raw: RawClient) -> None:
    raw.initialize(capabilities={"experimental": {"fimserver": {"status": True}}})
    raw.open("x")
    raw.send({"id": 1, "method": "textDocument/inlineCompletion", "params": ASKED})
    sent = [(status["busy"], status["message"]) for status in statuses(raw, 1)]
    # On a busy machine the answer may take long enough to be worth a sign of life.
    assert sent in ([(False, "Ready.")], [(busy, "Ready.") for busy in (False, True, False)])


def test_the_status_says_how_far_a_model_is_loaded(raw: RawClient) -> None:
    raw.initialize(initializationOptions={"model": {"completion": "/slow.gguf"}})
    raw.send({"method": "fimserver/didFocus"})
    raw.open("x")
    messages = []
    while not messages or messages[-1] != "Ready.":
        messages.append(raw.receive()["params"]["message"])
    assert "The model is being loaded: 50 %." in messages


def test_a_client_that_registers_configuration_is_asked_to(raw: RawClient) -> None:
    raw.initialize(capabilities={"workspace": {"didChangeConfiguration": {"dynamicRegistration": True}}})
    request = raw.receive()
    assert request["method"] == "client/registerCapability"
    [registration] = request["params"]["registrations"]
    assert registration["method"] == "workspace/didChangeConfiguration"
    assert registration["registerOptions"] == {"section": "fimserver"}
    raw.send({"id": request["id"], "error": {"code": -32601, "message": "not here"}})
    assert "result" in raw.request(1, "workspace/executeCommand", {"command": "fimserver.why"})
