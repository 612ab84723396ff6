"""Turn what went wrong into messages the user reads, and into none where they were told already."""

import logging
import time
from collections.abc import Sequence

from lsprotocol import types

from fimserver.lsp.seams import Connection
from fimserver.settings import Problem

_log = logging.getLogger(__name__)

# A user who does not mend it at once is not told again and again.
_BETWEEN_TROUBLES_S = 300.0


class Warnings:
    """What the user of one window was told."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._told: set[Problem] = set()
        self._told_trouble_s = -_BETWEEN_TROUBLES_S

    def tell_problems(self, problems: Sequence[Problem]) -> None:
        """Show, in one message, what of the settings was not taken; each sentence once."""
        fresh = [problem for problem in problems if problem not in self._told]
        self._told.update(fresh)
        for problem in fresh:
            _log.warning("settings: %s", problem)
        if fresh:
            self.show("fimserver settings: " + " ".join(fresh))

    def tell_trouble(self, sentence: str) -> None:
        """Show why there are no suggestions at all: at most once in five minutes."""
        now_s = time.monotonic()
        if sentence and now_s - self._told_trouble_s >= _BETWEEN_TROUBLES_S:
            self._told_trouble_s = now_s
            self.show(f"fimserver: {sentence}")

    def show(self, text: str) -> None:
        """Show a message."""
        message = types.ShowMessageParams(type=types.MessageType.Warning, message=text)
        self._connection.notify(types.WINDOW_SHOW_MESSAGE, message)
