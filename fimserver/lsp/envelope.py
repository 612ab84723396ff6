"""Turn one frame's body into a request, a notification, a response, or the error that answers it.

Params and results stay plain JSON: whatever they hold, the key `jsonrpc` included, is the sender's.
"""

import json
from dataclasses import dataclass
from typing import Any

from fimserver.lsp.frames import LARGEST_BODY_BYTES, TooLarge

MessageId = int | str

# JSON-RPC 2.0, section 5.1, and LSP 3.18, "ErrorCodes".
PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603
SERVER_NOT_INITIALIZED = -32002
REQUEST_FAILED = -32803
REQUEST_CANCELLED = -32800


@dataclass(frozen=True, slots=True)
class Request:
    """A call that must be answered exactly once."""

    id: MessageId
    method: str
    params: Any = None


@dataclass(frozen=True, slots=True)
class Notification:
    """A call that must not be answered."""

    method: str
    params: Any = None


@dataclass(frozen=True, slots=True)
class Response:
    """The answer to a request of ours; `error` is None where it went well."""

    id: MessageId | None
    result: Any = None
    error: Any = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error to answer with; `id` is None where the request's own cannot be known."""

    id: MessageId | None
    code: int
    message: str


Message = Request | Notification | Response | Refusal


def read_message(body: bytes | TooLarge) -> Message:
    """Return what a body says, or the error that answers it.

    >>> read_message(b'{"jsonrpc": "2.0", "id": null, "method": "shutdown"}')
    Refusal(id=None, code=-32600, message='The id of a request must be a number or a text.')
    """
    if isinstance(body, TooLarge):
        return Refusal(None, INVALID_REQUEST, f"A message of {body:d} bytes; at most {LARGEST_BODY_BYTES} are read.")
    try:
        content = json.loads(body.decode("utf-8"), parse_constant=_no_number)
    except UnicodeDecodeError:
        return Refusal(None, PARSE_ERROR, "The message is not UTF-8.")
    except RecursionError:
        return Refusal(None, PARSE_ERROR, "The message is nested too deeply.")
    except ValueError:
        return Refusal(None, PARSE_ERROR, "The message is not JSON.")
    if isinstance(content, list):
        return Refusal(None, INVALID_REQUEST, "Batches of messages are not part of the protocol.")
    if not isinstance(content, dict):
        return Refusal(None, INVALID_REQUEST, "A message must be an object.")
    return _of_object(content)


def response(message_id: MessageId | None, result: Any) -> dict[str, Any]:
    """Return the message that answers a request."""
    return {"jsonrpc": "2.0", "id": message_id, "result": result}


def error_response(refusal: Refusal) -> dict[str, Any]:
    """Return the message that refuses a request."""
    return {"jsonrpc": "2.0", "id": refusal.id, "error": {"code": refusal.code, "message": refusal.message}}


def _of_object(content: dict[str, Any]) -> Message:
    given, method = content.get("id"), content.get("method")
    sound = isinstance(given, int | str) and not isinstance(given, bool)
    message_id: MessageId | None = given if sound else None
    if content.get("jsonrpc") != "2.0":
        return Refusal(message_id, INVALID_REQUEST, 'A message must have "jsonrpc": "2.0".')
    if method is None and ("error" in content or message_id is not None):
        return Response(message_id, content.get("result"), content.get("error"))
    if "id" in content and message_id is None:
        return Refusal(None, INVALID_REQUEST, "The id of a request must be a number or a text.")
    if not isinstance(method, str):
        return Refusal(message_id, INVALID_REQUEST, "The method of a message must be a text.")
    params = content.get("params")
    return Notification(method, params) if message_id is None else Request(message_id, method, params)


def _no_number(literal: str) -> float:
    raise ValueError(literal)  # NaN and Infinity are JavaScript, not JSON
