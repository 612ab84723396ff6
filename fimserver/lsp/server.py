"""Turn messages into calls of handlers, and their results into exactly one answer per request.

pygls sends (its types, its outgoing requests); receiving is ours, because every request must be answered whatever is
wrong with it, and nothing of a failure but one sentence may reach the client.
"""

import asyncio
import json
import logging
from collections.abc import Coroutine, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer
from pygls.protocol import LanguageServerProtocol

from fimserver import __version__
from fimserver.lsp.envelope import (
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    REQUEST_CANCELLED,
    Message,
    MessageId,
    Notification,
    Refusal,
    Request,
    Response,
    error_response,
    response,
)
from fimserver.lsp.faults import STRICT, refusal_for
from fimserver.lsp.handlers import NOTIFICATIONS, REQUESTS, Row
from fimserver.lsp.messages import strict_converter, structured
from fimserver.lsp.session import Session
from fimserver.lsp.transport import leave_soon
from fimserver.lsp.writer import Writer

_log = logging.getLogger(__name__)


class AnsweredTwice(AssertionError):
    """A request was about to get a second answer."""


class Protocol(LanguageServerProtocol):
    """One connection: the requests that are live, and whether the client has shut us down."""

    session: Session
    outlet: Writer

    def __init__(self, server: LanguageServer, converter: Any) -> None:
        super().__init__(server, converter)
        self.gone = asyncio.Event()
        self._live: dict[MessageId, asyncio.Task[Any] | None] = {}
        self._is_shut_down = False

    def _register_builtin_features(self) -> None:
        """Register none of pygls's own handlers: handlers.py lists all that is answered."""

    @property
    def exit_code(self) -> int:
        """The code the process is to end with: only a client that said goodbye gets 0."""
        return 0 if self._is_shut_down else 1

    # What a session may do: fimserver.lsp.seams.Connection.

    async def ask(self, method: str, params: Any) -> Any:
        """Send a request and return its result. Raises JsonRpcException where the client refuses."""
        return await self.send_request_async(method, params)

    def cancel(self, message_id: MessageId) -> None:
        """Answer a live request as cancelled at once, and stop its work; any other is ignored."""
        task = self._live.get(message_id)
        if task is not None:
            self._refuse(Refusal(message_id, REQUEST_CANCELLED, "The request was cancelled."))
            task.cancel()

    def shut_down(self) -> None:
        """Cancel all live requests and refuse new ones."""
        self._is_shut_down = True
        for message_id in list(self._live):
            self.cancel(message_id)

    def leave(self) -> None:
        """End the process soon."""
        leave_soon(self.exit_code)
        self.gone.set()

    # Receiving.

    def receive(self, message: Message) -> None:
        """Handle one message, whatever it is."""
        match message:
            case Request():
                self._receive_request(message)
            case Notification():
                self._receive_notification(message)
            case Response():
                self._receive_response(message)
            case Refusal():
                self._send_data(error_response(message))

    def _receive_request(self, request: Request) -> None:
        if (refusal := self._refusal(request)) is not None:
            self._send_data(error_response(refusal))
            return
        self._live[request.id] = None
        try:
            result = _call(REQUESTS, self.session, request)
        except Exception as error:  # noqa: BLE001 - whatever happened, the client waits for an answer
            self._refuse(refusal_for(error, request))
            return
        if isinstance(result, Coroutine):
            task = self._live[request.id] = asyncio.ensure_future(result)
            task.add_done_callback(partial(self._finish, replace(request, params=None)))  # which would wait with it
        else:
            self._answer(request, result)

    def _refusal(self, request: Request) -> Refusal | None:
        """Return why a request cannot even be tried, if so."""
        if self._is_shut_down:
            return Refusal(request.id, INVALID_REQUEST, "The server is shutting down.")
        if request.method == types.INITIALIZE:
            return Refusal(request.id, INVALID_REQUEST, "The server is initialized already.")
        if request.id in self._live:
            return Refusal(request.id, INVALID_REQUEST, f"The id {request.id!r} is that of a live request.")
        if request.method not in REQUESTS:
            return Refusal(request.id, METHOD_NOT_FOUND, f"There is no request {request.method!r}.")
        return None

    def _finish(self, request: Request, task: asyncio.Task[Any]) -> None:
        """Answer with what a task came to, unless it was answered as cancelled before."""
        error = None if task.cancelled() else task.exception()
        if self._live.get(request.id) is not task:
            return
        if task.cancelled():
            self._refuse(Refusal(request.id, REQUEST_CANCELLED, "The request was cancelled."))
        elif error is not None:
            self._refuse(refusal_for(error, request))
        else:
            self._answer(request, task.result())

    def _receive_notification(self, notification: Notification) -> None:
        if notification.method not in NOTIFICATIONS or (self._is_shut_down and notification.method != types.EXIT):
            return
        try:
            _call(NOTIFICATIONS, self.session, notification)
        except Exception as error:  # noqa: BLE001 - there is nobody to tell but the log
            why = refusal_for(error, notification).message
            _log.warning("A notification was ignored: %s: %s", notification.method, why)
            if notification.method in _CARRY_TEXT and (uri := _uri(notification)) is not None:
                self.session.documents.lose_step(uri, why)

    def _receive_response(self, answer: Response) -> None:
        """Resolve a request of ours; an answer to none of ours is ignored."""
        if answer.id is None:
            return
        self._result_types.pop(answer.id, None)
        future = self._request_futures.pop(answer.id, None)
        if future is None or future.done():
            return
        if answer.error is None:
            future.set_result(answer.result)
        else:
            future.set_exception(JsonRpcException("The client refused a request."))

    # Sending.

    def _answer(self, request: Request, result: Any) -> None:
        try:
            body = self._encoded(response(request.id, self._converter.unstructure(result)))
        except Exception as error:  # noqa: BLE001 - a result of ours that is no JSON
            body = self._encoded(error_response(refusal_for(error, request)))
        self._send_once(request.id, body)

    def _refuse(self, refusal: Refusal) -> None:
        self._send_once(refusal.id, self._encoded(error_response(refusal)))

    def _send_once(self, message_id: MessageId | None, body: bytes) -> None:
        if message_id in self._live:
            del self._live[message_id]
            self.outlet.send(body)
        elif STRICT:
            raise AnsweredTwice(f"request {message_id!r}")
        else:
            _log.error("A second answer to request %r was held back.", message_id)

    def _send_data(self, data: Any) -> None:
        self.outlet.send(self._encoded(data))

    def _encoded(self, data: Any) -> bytes:
        return json.dumps(data, default=self._serialize_message, allow_nan=False).encode()


class Server(LanguageServer):
    """pygls's server, which tells its own troubles to the log and not to the user."""

    protocol: Protocol

    def __init__(self) -> None:
        super().__init__("fimserver", __version__, protocol_cls=Protocol, converter_factory=strict_converter)

    def report_server_error(self, error: Exception, source: Any) -> None:
        """Log what went wrong inside pygls: its kind only, since its text may hold the user's."""
        _log.error("%s in %s", type(error).__name__, getattr(source, "__name__", source))


# A lost one of these leaves us with another text than the editor's.
_CARRY_TEXT = frozenset(
    {
        *(types.TEXT_DOCUMENT_DID_OPEN, types.TEXT_DOCUMENT_DID_CHANGE),
        *(types.NOTEBOOK_DOCUMENT_DID_OPEN, types.NOTEBOOK_DOCUMENT_DID_CHANGE),
    }
)


def _call(table: Mapping[str, Row], session: Session, message: Request | Notification) -> Any:
    row = table[message.method]
    params = message.params if row.params is None else structured(message.params, row.params)
    return row.run(session, params)


def _uri(notification: Notification) -> str | None:
    params = notification.params
    named = (params.get("textDocument") or params.get("notebookDocument")) if isinstance(params, dict) else None
    uri = named.get("uri") if isinstance(named, dict) else None
    return uri if isinstance(uri, str) else None
