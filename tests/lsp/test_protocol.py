"""Whatever a client sends, every request gets the answer the protocol asks for, once, and the server lives on.

The names P1 … P30 and S9 … S14 are rows of docs/protocol-faults.md.
"""

import itertools
import json
from typing import Any

import pytest

from tests.lsp.raw_client import RawClient, frame

UNKNOWN_COMMAND = {"command": "fimserver.nothing"}
HERE = {"textDocument": {"uri": "file:///a.py"}, "position": {"line": 0, "character": 3}}
ASKED = {**HERE, "context": {"triggerKind": 2}}

_numbers = itertools.count(1000)


def body(method: str, params: Any = None, message_id: Any = "row") -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": message_id, "method": method, "params": params}).encode()


def sound(message_id: Any = "row") -> bytes:
    """A sound request, which is answered whatever state the documents are in."""
    return body("workspace/executeCommand", {"command": "fimserver.why"}, message_id)


def answers(client: RawClient, data: bytes) -> list[tuple[Any, int | None]]:
    """Send bytes and a sound request behind them; return id and error code of every answer up to that one's."""
    last = next(_numbers)
    client.send_bytes(data + frame(sound(last)))
    found: list[tuple[Any, int | None]] = []
    while not found or found[-1][0] != last:
        message = client.receive()
        assert "method" not in message, f"no popups: {message}"
        found.append((message["id"], message.get("error", {}).get("code")))
    assert found.pop() == (last, None)
    return found


OK = None
PARSE_ERROR, INVALID_REQUEST, NOT_FOUND, INVALID_PARAMS, FAILED, CANCELLED = (
    -32700,
    -32600,
    -32601,
    -32602,
    -32603,
    -32800,
)

ROWS: dict[str, tuple[bytes, list[tuple[Any, int | None]]]] = {
    "P1 lower-case header": (frame(sound()).lower().replace(b"executecommand", b"executeCommand"), [("row", OK)]),
    "P1 header without a space": (frame(sound()).replace(b": ", b":", 1), [("row", OK)]),
    "P2 a line of rubbish": (b"some log line\r\n" + frame(sound()), [("row", OK)]),
    "P3 rubbish without a line break": (b"some log line" + frame(sound()), [("row", OK)]),
    "P4 a negative length": (b"Content-Length: -5\r\n\r\n" + frame(sound()), [("row", OK)]),
    "P4 a length of 0": (b"Content-Length: 0\r\n\r\n" + frame(sound()), [("row", OK)]),
    "P4 no length": (b"Content-Type: x\r\n\r\n" + frame(sound()), [("row", OK)]),
    "P5 a length of 10^14": (frame(b"", 10**14) + frame(sound()), [(None, INVALID_REQUEST), ("row", OK)]),
    "P5 a length of 10^26": (frame(b"", 10**26) + frame(sound()), [(None, INVALID_REQUEST), ("row", OK)]),
    "P6 two lengths": (b"Content-Length: 7\r\n" + frame(sound()), [("row", OK)]),
    "P8 bad JSON": (frame(b"{]"), [(None, PARSE_ERROR)]),
    "P9 bad UTF-8": (frame(b'{"jsonrpc":"2.0","id":"row","method":"\xff"}'), [(None, PARSE_ERROR)]),
    "P9 UTF-16": (frame(sound().decode().encode("utf-16")), [(None, PARSE_ERROR)]),
    "P10 100,000 nested lists": (frame(b"[" * 100_000 + b"]" * 100_000), [(None, PARSE_ERROR)]),
    "P10 nested lists in params": (
        frame(b'{"jsonrpc":"2.0","id":"row","method":"shutdown","params":' + b"[" * 50_000 + b"]" * 50_000 + b"}"),
        [(None, PARSE_ERROR)],
    ),
    "P11 a batch": (frame(b"[" + sound() + b"]"), [(None, INVALID_REQUEST)]),
    "P12 id null": (frame(sound(None)), [(None, INVALID_REQUEST)]),
    "P12 id true": (frame(sound(True)), [(None, INVALID_REQUEST)]),
    "P12 id an object": (frame(sound({})), [(None, INVALID_REQUEST)]),
    "ids may be texts, numbers, empty, large, negative": (
        b"".join(frame(sound(number)) for number in ("", "\ud800", 0, -1, 2**70)),
        [("", OK), ("\ud800", OK), (0, OK), (-1, OK), (2**70, OK)],
    ),
    "P13 params without a context": (frame(body("textDocument/inlineCompletion", HERE)), [("row", INVALID_PARAMS)]),
    "P13 no params": (frame(body("textDocument/inlineCompletion")), [("row", INVALID_PARAMS)]),
    "P13 params that are a list": (frame(body("textDocument/inlineCompletion", [1])), [("row", INVALID_PARAMS)]),
    "P13 params that are a number": (frame(body("textDocument/inlineCompletion", 5)), [("row", INVALID_PARAMS)]),
    "P13 a text for a number": (
        frame(body("textDocument/inlineCompletion", {**ASKED, "position": {"line": "0", "character": 0}})),
        [("row", INVALID_PARAMS)],
    ),
    "P13 true for a number": (
        frame(body("textDocument/inlineCompletion", {**ASKED, "position": {"line": True, "character": 0}})),
        [("row", INVALID_PARAMS)],
    ),
    "P13 a negative position": (
        frame(body("textDocument/inlineCompletion", {**ASKED, "position": {"line": -1, "character": 0}})),
        [("row", INVALID_PARAMS)],
    ),
    "P13 a position beyond 32 bits": (
        frame(body("textDocument/inlineCompletion", {**ASKED, "position": {"line": 2**40, "character": 0}})),
        [("row", INVALID_PARAMS)],
    ),
    "P13 a whole number with a point": (
        frame(body("textDocument/inlineCompletion", {**ASKED, "position": {"line": 0.0, "character": 3.0}})),
        [("row", OK)],
    ),
    "P13 an unknown command": (frame(body("workspace/executeCommand", UNKNOWN_COMMAND)), [("row", INVALID_PARAMS)]),
    "P13 a command with the wrong argument": (
        frame(body("workspace/executeCommand", {"command": "fimserver.accepted", "arguments": [5]})),
        [("row", INVALID_PARAMS)],
    ),
    "P13 a command with too many arguments": (
        frame(body("workspace/executeCommand", {"command": "fimserver.status", "arguments": [1]})),
        [("row", INVALID_PARAMS)],
    ),
    **{
        f"trigger kind {kind} is tolerated": (
            frame(body("textDocument/inlineCompletion", {**HERE, "context": {"triggerKind": kind}})),
            [("row", OK)],
        )
        for kind in (0, 1, 2, 3)
    },
    "P14 the key jsonrpc nested in params": (
        frame(body("textDocument/inlineCompletion", {**ASKED, "x": {"jsonrpc": "2.0", "id": 5, "method": "y"}})),
        [("row", OK)],
    ),
    "P15 an unknown request": (frame(body("textDocument/hover", HERE)), [("row", NOT_FOUND)]),
    "P15 an unknown $/ request": (frame(body("$/nothing")), [("row", NOT_FOUND)]),
    "P15 a notification's name as a request": (frame(body("textDocument/didOpen", {})), [("row", NOT_FOUND)]),
    "P15 exit as a request ends nothing": (frame(body("exit")), [("row", NOT_FOUND)]),
    "P16 an unknown notification": (frame(b'{"jsonrpc":"2.0","method":"$/nothing","params":{}}'), []),
    "P16 a request's name as a notification": (
        frame(b'{"jsonrpc":"2.0","method":"textDocument/inlineCompletion","params":{}}'),
        [],
    ),
    "P19 a second initialize": (frame(body("initialize", {"capabilities": {}})), [("row", INVALID_REQUEST)]),
    "P27 a cancel of an unknown id": (frame(b'{"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":77}}'), []),
    "P27 a cancel without an id": (frame(b'{"jsonrpc":"2.0","method":"$/cancelRequest"}'), []),
    "an answer nobody asked for": (frame(b'{"jsonrpc":"2.0","id":99,"result":{}}'), []),
    "an answer with a live request's id": (
        frame(body("textDocument/inlineCompletion", ASKED)) + frame(b'{"jsonrpc":"2.0","id":"row","result":5}'),
        [("row", OK)],
    ),
    "an error for no request": (frame(b'{"jsonrpc":"2.0","id":null,"error":{"code":1,"message":"x"}}'), []),
    "a wrong jsonrpc": (frame(b'{"jsonrpc":"1.0","id":"row","method":"shutdown"}'), [("row", INVALID_REQUEST)]),
}


@pytest.mark.parametrize(("data", "expected"), ROWS.values(), ids=ROWS)
def test_every_request_is_answered_once(shared: RawClient, data: bytes, expected: list[tuple[Any, int | None]]) -> None:
    assert answers(shared, data) == expected


def test_p13_the_answer_says_what_is_wrong_and_where(shared: RawClient) -> None:
    answer = shared.request("where", "textDocument/inlineCompletion", {"position": {"line": 0, "character": "x"}})
    assert answer["error"]["code"] == INVALID_PARAMS
    assert "params.position" in answer["error"]["message"]


def test_p19_documents_survive_a_second_initialize(shared: RawClient) -> None:
    shared.request("again", "initialize", {"capabilities": {}})
    answer = shared.request("after", "textDocument/inlineCompletion", ASKED)
    assert answer["result"]["items"][0]["insertText"] == "<abc>"


def test_p17_requests_before_initialize_are_refused(raw: RawClient) -> None:
    assert raw.request(1, "textDocument/inlineCompletion", ASKED)["error"]["code"] == -32002
    assert raw.request(2, "shutdown")["error"]["code"] == -32002
    raw.send_bytes(frame(b"{"))
    assert raw.answer_to(None)["error"]["code"] == PARSE_ERROR
    assert raw.initialize()["result"]["serverInfo"]["name"] == "fimserver"


def test_p18_notifications_before_initialize_are_dropped(raw: RawClient) -> None:
    raw.open("abc")
    raw.initialize()
    assert raw.request(1, "textDocument/inlineCompletion", ASKED)["result"]["items"] == []


def test_what_follows_initialize_in_the_same_breath_is_handled(raw: RawClient) -> None:
    document = {"uri": "file:///a.py", "languageId": "python", "version": 1, "text": "abc"}
    raw.send(
        {"id": 1, "method": "initialize", "params": {"capabilities": {}}},
        {"method": "initialized", "params": {}},
        {"method": "textDocument/didOpen", "params": {"textDocument": document}},
        {"id": 2, "method": "textDocument/inlineCompletion", "params": ASKED},
    )
    assert raw.answer_to(2)["result"]["items"][0]["insertText"] == "<abc>"


def test_p20_requests_after_shutdown_are_refused(session: RawClient) -> None:
    assert session.request(1, "shutdown")["result"] is None
    assert session.request(2, "textDocument/inlineCompletion", ASKED)["error"]["code"] == INVALID_REQUEST
    assert session.request(3, "shutdown")["error"]["code"] == INVALID_REQUEST


def test_p22_shutdown_cancels_what_is_live_and_is_answered(session: RawClient) -> None:
    session.open("wait")
    session.send(*({"id": number, "method": "textDocument/inlineCompletion", "params": WAIT} for number in range(1, 6)))
    session.send({"id": 9, "method": "shutdown"})
    found = [session.receive() for _ in range(6)]
    assert {message["id"]: message.get("error", {}).get("code") for message in found} == {
        **dict.fromkeys(range(1, 6), CANCELLED),
        9: OK,
    }


WAIT = {**ASKED, "position": {"line": 0, "character": 4}}


def waiting(client: RawClient, number: str) -> dict[str, Any]:
    """Return a request, with this id, that is answered by nothing but its cancelling."""
    uri = f"file:///{number}.py"
    client.open("wait", uri)
    params = {**WAIT, "textDocument": {"uri": uri}}
    return {"id": number, "method": "textDocument/inlineCompletion", "params": params}


def cancel(number: str) -> dict[str, Any]:
    return {"method": "$/cancelRequest", "params": {"id": number}}


def test_p25_a_cancelled_request_is_answered_at_once(shared: RawClient) -> None:
    shared.send(waiting(shared, "cancelled"), cancel("cancelled"))
    assert shared.answer_to("cancelled")["error"]["code"] == CANCELLED


def test_p25_the_id_of_a_cancelled_request_may_be_used_again(shared: RawClient) -> None:
    sound_one = {"id": "used", "method": "textDocument/inlineCompletion", "params": ASKED}
    shared.send(waiting(shared, "used"), cancel("used"), sound_one)
    assert shared.answer_to("used")["error"]["code"] == CANCELLED
    assert shared.answer_to("used")["result"]["items"][0]["insertText"] == "<abc>"


def test_p28_a_second_request_with_a_live_id_is_refused_and_the_first_goes_on(shared: RawClient) -> None:
    request = waiting(shared, "twice")
    shared.send(request, request)
    assert shared.answer_to("twice")["error"]["code"] == INVALID_REQUEST
    shared.send(cancel("twice"))
    assert shared.answer_to("twice")["error"]["code"] == CANCELLED


def test_p30_ten_thousand_requests_are_all_answered(shared: RawClient) -> None:
    numbers = range(20_001, 30_001)
    shared.send(*({"id": number, "method": "textDocument/inlineCompletion", "params": ASKED} for number in numbers))
    found = [shared.receive() for _ in numbers]
    assert sorted(message["id"] for message in found) == list(numbers)
    assert all("result" in message for message in found)


def test_faults_reach_the_client_as_one_sentence(session: RawClient) -> None:
    """Neither a traceback, nor a path of ours, nor the user's text; the log has no text either."""
    session.open("fail secret-canary")
    answer = session.request(1, "textDocument/inlineCompletion", {**ASKED, "position": {"line": 0, "character": 99}})
    assert answer["error"] == {
        "code": FAILED,
        "message": "textDocument/inlineCompletion failed; `fimserver doctor` names the log.",
    }
    assert "RuntimeError" in session.stderr
    assert "secret-canary" not in session.stderr
    assert session.request(2, "shutdown")["result"] is None


# Documents: rows S9, S11, S13, S14 of the table, which only a process shows.

CHANGES = {
    "S9 a negative position": {
        "range": {"start": {"line": -1, "character": 0}, "end": {"line": 0, "character": 0}},
        "text": "X",
    },
    "S13 a change whose text is null": {"text": None},
    "S13 a change whose text is a number": {"text": 5},
    "S13 a change that is a list": [],
    "S13 a range without an end": {"range": {"start": {"line": 0, "character": 0}}, "text": "X"},
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_malformed_change_stops_suggestions_until_the_whole_text_comes(shared: RawClient, change: object) -> None:
    uri = f"file:///{next(_numbers)}.py"
    asked = {**ASKED, "textDocument": {"uri": uri}}
    shared.open("abc", uri)
    sound = {
        "range": {"start": {"line": 0, "character": 0}, "end": {"line": 0, "character": 0}},
        "text": "X",
    }
    _edit(shared, uri, 2, [sound, change])
    assert shared.request("lost", "textDocument/inlineCompletion", asked)["result"]["items"] == []
    _edit(shared, uri, 3, [{"text": "new"}])
    [item] = shared.request("found", "textDocument/inlineCompletion", asked)["result"]["items"]
    assert item["insertText"] == "<new>"


def test_a_position_means_the_document_as_it_was_when_the_request_came(shared: RawClient) -> None:
    """An editor sends the next key's change right behind a request: the answer is still for the text before it."""
    uri = f"file:///{next(_numbers)}.py"
    shared.open("abc", uri)
    asked = {"id": "then", "method": "textDocument/inlineCompletion", "params": {**ASKED, "textDocument": {"uri": uri}}}
    params = {"textDocument": {"uri": uri, "version": 2}, "contentChanges": [{"text": "xyz"}]}
    shared.send(asked, {"method": "textDocument/didChange", "params": params})
    assert shared.answer_to("then")["result"]["items"][0]["insertText"] == "<abc>"


def test_s14_a_file_that_was_not_opened_is_not_read(shared: RawClient) -> None:
    asked = {**ASKED, "textDocument": {"uri": f"file://{__file__}"}}
    assert shared.request("unread", "textDocument/inlineCompletion", asked)["result"]["items"] == []
    answer = shared.request("why", "workspace/executeCommand", {"command": "fimserver.status"})
    assert answer["result"]["lastReason"] == "unknown-document"


@pytest.mark.parametrize(
    "uri",
    [
        "untitled:Untitled-1",
        "vscode-notebook-cell:/a.ipynb#X1",
        "git:/a.py?ref=HEAD",
        "",
        "file://%zz",
        "\ud800",
        "x" * 9999,
        "vscode-remote://ssh-remote+box/home/a.py",
        "file://server/share/a.py",
        "file:///c%3A/Users/a.py",
        "file:///%E6%BC%A2/%F0%9F%98%80.py",
        "file:///a%00b.py",
        "inmemory://model/1",
    ],
    ids=[
        "untitled",
        "notebook cell",
        "git",
        "empty",
        "bad percent sign",
        "half a surrogate pair",
        "very long",
        "of another machine",
        "of a share",
        "with a drive",
        "with characters of all kinds",
        "with a zero byte",
        "of a web editor",
    ],
)
def test_documents_of_every_name_are_served(shared: RawClient, uri: str) -> None:
    shared.open("abc", uri)
    asked = {**ASKED, "textDocument": {"uri": uri}}
    [item] = shared.request(f"uri {uri[:40]}", "textDocument/inlineCompletion", asked)["result"]["items"]
    assert item["insertText"] == "<abc>"


def _edit(client: RawClient, uri: str, version: int, changes: list[object]) -> None:
    params = {"textDocument": {"uri": uri, "version": version}, "contentChanges": changes}
    client.send({"method": "textDocument/didChange", "params": params})
