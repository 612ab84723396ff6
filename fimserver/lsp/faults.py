"""Turn an error into what may be told of it: one sentence for the client, and where it happened for the log.

An error's own text may hold the user's, so it is told to nobody unless it was written for people.
"""

import asyncio
import logging
import os
import traceback
from typing import Any

from pygls.exceptions import JsonRpcException

from fimserver.errors import FimError
from fimserver.lsp.envelope import INTERNAL_ERROR, REQUEST_FAILED, Notification, Refusal, Request
from fimserver.lsp.transport import leave

_log = logging.getLogger(__name__)

# Under test what must never happen ends the server, so that it is not overlooked.
STRICT = os.environ.get("FIMSERVER_STRICT") == "1"

_EXIT_FAULT = 70


def refusal_for(error: BaseException, message: Request | Notification) -> Refusal:
    """Return what a client may know of an error: a sentence, and no path of ours and no line of code."""
    message_id = message.id if isinstance(message, Request) else None
    if isinstance(error, JsonRpcException):
        return Refusal(message_id, error.code, str(error.message))
    if isinstance(error, FimError):
        return Refusal(message_id, REQUEST_FAILED, str(error))
    _log.error("%s failed with %s:\n%s", message.method, type(error).__name__, _where(error))
    return Refusal(message_id, INTERNAL_ERROR, f"{message.method} failed; `fimserver doctor` names the log.")


def report_fault(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Log what failed where nobody waits for it; under test it ends the server, so that it is not overlooked."""
    error = context.get("exception")
    what = context["message"].partition(":")[0]  # what follows may be the repr of somebody's text
    _log.error("%s: %s\n%s", what, type(error).__name__, _where(error) if error else "")
    if STRICT:
        leave(_EXIT_FAULT)


def _where(error: BaseException) -> str:
    return "".join(traceback.format_tb(error.__traceback__))
