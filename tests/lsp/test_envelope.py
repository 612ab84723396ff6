"""A body is a request, a notification, a response, or an error that says what is wrong with it."""

import pytest

from fimserver.lsp.envelope import (
    INVALID_REQUEST,
    PARSE_ERROR,
    Notification,
    Refusal,
    Request,
    Response,
    error_response,
    read_message,
    response,
)
from fimserver.lsp.frames import TooLarge

GOOD = {
    "a request": (b'{"jsonrpc":"2.0","id":1,"method":"m","params":{"a":1}}', Request(1, "m", {"a": 1})),
    "a request without params": (b'{"jsonrpc":"2.0","id":"x","method":"m"}', Request("x", "m")),
    "a notification": (b'{"jsonrpc":"2.0","method":"m","params":[]}', Notification("m", [])),
    "a response": (b'{"jsonrpc":"2.0","id":1,"result":{"a":null}}', Response(1, {"a": None})),
    "a response that lacks its null": (b'{"jsonrpc":"2.0","id":1}', Response(1)),
    "an error": (b'{"jsonrpc":"2.0","id":1,"error":{"code":1}}', Response(1, None, {"code": 1})),
    "an error for no request is not answered": (
        b'{"jsonrpc":"2.0","id":null,"error":{"code":1}}',
        Response(None, None, {"code": 1}),
    ),
    "P14: the key jsonrpc inside params is the sender's": (
        b'{"jsonrpc":"2.0","id":1,"method":"m","params":{"jsonrpc":"2.0","id":5,"method":"x"}}',
        Request(1, "m", {"jsonrpc": "2.0", "id": 5, "method": "x"}),
    ),
    "unknown keys are ignored": (b'{"jsonrpc":"2.0","method":"m","x":1}', Notification("m")),
}

BAD = {
    "P8: no JSON": (b"{", None, PARSE_ERROR),
    "P8: NaN is no JSON": (b'{"jsonrpc":"2.0","id":1,"method":"m","params":NaN}', None, PARSE_ERROR),
    "P8: a number of 5000 digits": (b"1" * 5000, None, PARSE_ERROR),
    "P9: no UTF-8": (b'{"jsonrpc":"2.0","id":1,"method":"\xff"}', None, PARSE_ERROR),
    "P9: UTF-16 is not guessed": ('{"jsonrpc":"2.0","id":1,"method":"m"}'.encode("utf-16"), None, PARSE_ERROR),
    "P9: a byte order mark": (b'\xef\xbb\xbf{"jsonrpc":"2.0","id":1,"method":"m"}', None, PARSE_ERROR),
    "P10: 100,000 nested lists": (b"[" * 100_000, None, PARSE_ERROR),
    "P11: a batch": (b'[{"jsonrpc":"2.0","id":1,"method":"m"}]', None, INVALID_REQUEST),
    "P12: id null": (b'{"jsonrpc":"2.0","id":null,"method":"m"}', None, INVALID_REQUEST),
    "P12: id true": (b'{"jsonrpc":"2.0","id":true,"method":"m"}', None, INVALID_REQUEST),
    "P12: id 1.5": (b'{"jsonrpc":"2.0","id":1.5,"method":"m"}', None, INVALID_REQUEST),
    "P12: id a list": (b'{"jsonrpc":"2.0","id":[],"method":"m"}', None, INVALID_REQUEST),
    "no object": (b"1", None, INVALID_REQUEST),
    "no jsonrpc": (b'{"id":1,"method":"m"}', 1, INVALID_REQUEST),
    "another jsonrpc": (b'{"jsonrpc":"1.0","id":1,"method":"m"}', 1, INVALID_REQUEST),
    "a method that is no text": (b'{"jsonrpc":"2.0","id":1,"method":5}', 1, INVALID_REQUEST),
    "nothing but jsonrpc": (b'{"jsonrpc":"2.0"}', None, INVALID_REQUEST),
    "P5: a body too large to read": (TooLarge(10**14), None, INVALID_REQUEST),
}


@pytest.mark.parametrize(("body", "message"), GOOD.values(), ids=GOOD)
def test_sound_bodies_are_taken_apart(body: bytes, message: object) -> None:
    assert read_message(body) == message


@pytest.mark.parametrize(("body", "message_id", "code"), BAD.values(), ids=BAD)
def test_unsound_bodies_are_refused_with_the_id_where_it_is_known(
    body: bytes | TooLarge, message_id: int | None, code: int
) -> None:
    refusal = read_message(body)
    assert isinstance(refusal, Refusal)
    assert (refusal.id, refusal.code) == (message_id, code)
    assert refusal.message.endswith(".")


def test_answers_are_plain_json() -> None:
    assert response(1, None) == {"jsonrpc": "2.0", "id": 1, "result": None}
    refused = error_response(Refusal(None, PARSE_ERROR, "No."))
    assert refused == {"jsonrpc": "2.0", "id": None, "error": {"code": PARSE_ERROR, "message": "No."}}
