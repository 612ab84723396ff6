"""Remember the suggestions on offer by name, so that what becomes of each is counted once.

An editor says that it shows a suggestion, or has taken a part or all of it, by the name in the item's command.
"""

from collections import Counter, OrderedDict
from enum import StrEnum

# An editor that names one older than these is not counted.
_MOST_REMEMBERED = 200


class Event(StrEnum):
    """What may become of a request and of its suggestion. The names are public: `fimserver.status` returns them."""

    ANSWERED = "answered"
    EMPTY = "empty"
    SHOWN = "shown"
    ACCEPTED = "accepted"
    ACCEPTED_PARTLY = "accepted_partly"


class Offers:
    """The latest suggestions and what was heard of them, and the counts of all."""

    def __init__(self) -> None:
        self._counts: Counter[Event] = Counter()
        self._heard: OrderedDict[str, set[Event]] = OrderedDict()

    def counts(self) -> dict[str, int]:
        """Return how often each event happened."""
        return {event.value: self._counts[event] for event in Event}

    def note_empty(self) -> None:
        """Count an answer without a suggestion."""
        self._counts[Event.EMPTY] += 1

    def new_name(self) -> str:
        """Count a suggestion and return its name."""
        self._counts[Event.ANSWERED] += 1
        name = f"c{self._counts[Event.ANSWERED]}"
        self._heard[name] = set()
        if len(self._heard) > _MOST_REMEMBERED:
            self._heard.popitem(last=False)
        return name

    def note(self, name: str, event: Event) -> None:
        """Count what became of a suggestion: each event once, and nothing of a name that is unknown."""
        heard = self._heard.get(name)
        if heard is not None and event not in heard:
            heard.add(event)
            self._counts[event] += 1
