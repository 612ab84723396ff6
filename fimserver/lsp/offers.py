"""Remember the suggestions on offer by name, so that what becomes of each is counted once.

An editor says that it shows a suggestion, or has taken a part or all of it, by the name in the item's command. A
suggestion that the user types along is offered anew at each key, under a new name; for the statistics it stays the one
it was.
"""

import time
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from fimserver.lsp.convert import column_of
from fimserver.settings import Settings
from fimserver.statistics import events
from fimserver.statistics.events import Taken
from fimserver.text import with_line_ending
from fimserver.values import Completion

# An editor that names one older than these is not counted.
_MOST_REMEMBERED = 200


class Event(StrEnum):
    """What may become of a request and of its suggestion. The names are public: `fimserver.status` returns them."""

    ANSWERED = "answered"
    EMPTY = "empty"
    SHOWN = "shown"
    ACCEPTED = "accepted"
    ACCEPTED_PARTLY = "accepted_partly"


@dataclass(frozen=True, slots=True)
class Offered:
    """A suggestion that is offered, where, and what answers. The document's text is not kept: it may be megabytes."""

    completion: Completion
    uri: str
    language: str
    cursor: int
    model: str

    @property
    def text(self) -> str:
        """The text as the editor gets it."""
        return with_line_ending(self.completion.text, "\n")

    @property
    def replaced(self) -> int:
        """How many characters that stand in the document already the suggestion begins and ends with."""
        return self.completion.replaces.end - self.completion.replaces.start

    @property
    def typed(self) -> int:
        """How many characters of it stand before the cursor."""
        return self.cursor - self.completion.replaces.start


def model_name(settings: Settings) -> str:
    """Return the name of what answers, without the folder it is in."""
    if settings.engine.kind != "local":
        return settings.engine.remote_model or settings.engine.kind
    chosen = settings.model.completion
    return Path(chosen).stem if chosen.endswith(".gguf") else chosen or "embedded"


@dataclass(slots=True)
class Record:
    """What the statistics take for one suggestion. `pieces` is what was accepted of it; it is never written."""

    key: int
    uri: str
    shown: bool = False
    pieces: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Heard:
    """A suggestion under one of its names, and what was heard of it."""

    offered: Offered
    record: Record
    events: set[Event] = field(default_factory=set)
    taken: int = 0  # characters of its text, what was typed among them


class Offers:
    """The latest suggestions and what was heard of them, and the counts of all."""

    def __init__(self, tell: Callable[[events.Event], None]) -> None:
        self._tell = tell
        self._counts: Counter[Event] = Counter()
        self._heard: OrderedDict[str, _Heard] = OrderedDict()
        self._editor_says_shown = False
        self._records = 0

    def counts(self) -> dict[str, int]:
        """Return how often each event happened."""
        return {event.value: self._counts[event] for event in Event}

    def note_empty(self) -> None:
        """Count an answer without a suggestion."""
        self._counts[Event.EMPTY] += 1

    def new_name(self, offered: Offered, *, on_top: bool = True) -> str:
        """Count a suggestion and return its name. Of several to choose from, one is on top."""
        self._counts[Event.ANSWERED] += 1
        name = f"c{self._counts[Event.ANSWERED]}"
        self._heard[name] = heard = _Heard(offered, self._record_of(offered))
        if len(self._heard) > _MOST_REMEMBERED:
            self._heard.popitem(last=False)
        if on_top and not self._editor_says_shown:  # most do not: what they were given counts
            self._tell_shown(heard)
        return name

    def note_shown(self, name: str) -> None:
        """Count that a suggestion is on the screen."""
        self._editor_says_shown = True
        if (heard := self._note(name, Event.SHOWN)) is not None:
            self._tell_shown(heard)

    def note_partly(self, name: str, utf16_units: int) -> Record | None:
        """Count that a suggestion was taken up to so many UTF-16 units of its text; return what to look after."""
        heard = self._note(name, Event.ACCEPTED_PARTLY)
        if heard is None:
            return None
        text = heard.offered.text
        end = column_of(text, max(0, utf16_units), "utf-16")
        at_line_end = text[end : end + 1] in ("", "\n") or text[end - 1 : end] == "\n"
        return self._tell_taken(heard, end, Taken.LINE if at_line_end else Taken.WORD)

    def note_accepted(self, name: str) -> Record | None:
        """Count that a suggestion was taken whole; return what to look after."""
        known = self._heard.get(name)
        if known is None or Event.ACCEPTED in known.events:
            return None
        self._note(name, Event.ACCEPTED)
        return self._tell_taken(known, len(known.offered.text), Taken.WHOLE)

    def _note(self, name: str, event: Event) -> _Heard | None:
        """Count what became of a suggestion: each event once, and nothing of a name that is unknown."""
        heard = self._heard.get(name)
        if heard is not None and event not in heard.events:
            heard.events.add(event)
            self._counts[event] += 1
        return heard

    def _record_of(self, offered: Offered) -> Record:
        """Return the record of the suggestion that this one goes on with, or a new one."""
        uri = offered.uri
        if offered.completion.source == "cache":
            for heard in reversed(self._heard.values()):
                if heard.record.uri == uri:
                    return heard.record
        self._records += 1
        return Record(self._records, uri)

    def _tell_shown(self, heard: _Heard) -> None:
        if heard.record.shown:
            return
        heard.record.shown = True
        offered, completion = heard.offered, heard.offered.completion
        self._tell(
            events.Shown(
                key=heard.record.key,
                day=time.strftime("%Y-%m-%d"),
                language=offered.language,
                model=offered.model,
                characters=max(0, len(offered.text) - offered.replaced),
                waited_ms=completion.timings.total_ms if completion.source == "model" else None,
            )
        )

    def _tell_taken(self, heard: _Heard, end: int, taken: Taken) -> Record:
        """Tell of the characters that were taken up to `end` and have not been told of."""
        self._tell_shown(heard)
        text, already = heard.offered.text, max(heard.taken, heard.offered.typed)
        heard.taken = max(end, already)
        closing = heard.offered.replaced - heard.offered.typed if taken is Taken.WHOLE else 0
        saved = max(0, heard.taken - already - closing)
        heard.record.pieces.append(text[already : heard.taken])
        self._tell(events.Accepted(key=heard.record.key, taken=taken, saved_characters=saved))
        return heard.record
