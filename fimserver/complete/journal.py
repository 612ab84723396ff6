"""Remember the last requests, so that `fimserver why` can say what became of each.

It is kept in memory only and never logged: it holds source text. What leaves this process leaves `without_text`.
"""

import time
from collections import deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from fimserver.complete.filters import Step
from fimserver.values import Completion, Outcome, Rejection, Snippet

_MOST_ENTRIES = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One request. Line and column are 1-based, as people count."""

    number: int
    uri: str
    line: int
    column: int
    invoked: bool
    shape: str
    outcome: Outcome
    written: str = ""  # what the model wrote, before any filter
    stopped_by: str = ""
    steps: Sequence[Step] = ()
    snippets: Sequence[Snippet] = ()  # pieces of other files in the newest prompt
    at: float = field(default_factory=time.time)  # seconds since 1970

    def as_json(self) -> dict[str, Any]:
        """Return the entry as `fimserver why --json` prints it."""
        shown = self.outcome if isinstance(self.outcome, Completion) else None
        refused = self.outcome if isinstance(self.outcome, Rejection) else None
        return {
            "number": self.number,
            "uri": self.uri,
            "line": self.line,
            "column": self.column,
            "invoked": self.invoked,
            "shape": self.shape,
            "written": self.written,
            "stopped_by": self.stopped_by,
            "filters": [_step_as_json(step) for step in self.steps],
            "shown": shown.text if shown else None,
            "source": shown.source if shown else None,
            "mean_logprob": shown.mean_logprob if shown else None,
            "reason": refused.reason if refused else None,
            "detail": refused.detail if refused else "",
            "timings": asdict(self.outcome.timings),
            "other_files": [
                {"path": snippet.path, "source": snippet.source, "score": snippet.score} for snippet in self.snippets
            ],
        }

    def without_text(self) -> dict[str, Any]:
        """Return where and when this was, and what became of it, without a word of anybody's source."""
        shown = self.outcome if isinstance(self.outcome, Completion) else None
        refused = self.outcome if isinstance(self.outcome, Rejection) else None
        return {
            "at": self.at,
            "uri": self.uri,
            "line": self.line,
            "column": self.column,
            "invoked": self.invoked,
            "shown_characters": len(shown.text) if shown else 0,
            "source": shown.source if shown else "",
            "reason": refused.reason if refused else "",
            "detail": refused.detail if refused else "",
            "total_ms": self.outcome.timings.total_ms,
        }


class Journal:
    """The last requests of this server, oldest first."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque(maxlen=_MOST_ENTRIES)
        self._number = 0

    def next_number(self) -> int:
        """Return the number of the request that begins."""
        self._number += 1
        return self._number

    def add(self, entry: Entry) -> None:
        """Keep a request that is over."""
        self._entries.append(entry)

    def entries(self) -> list[Entry]:
        """Return the last requests, oldest first."""
        return list(self._entries)


def _step_as_json(step: Step) -> dict[str, Any]:
    refused = isinstance(step.after, Rejection)
    return {
        "filter": step.filter,
        "before": step.before,
        "after": None if refused else step.after,
        "reason": step.after.reason if isinstance(step.after, Rejection) else None,
        "detail": step.after.detail if isinstance(step.after, Rejection) else "",
    }
