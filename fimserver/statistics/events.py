"""What may be noted of a suggestion: counts and names, never text."""

from dataclasses import dataclass
from enum import IntEnum

# A suggestion that stands after five minutes is mostly there to stay; the first half minute is for second thoughts.
KEPT_AFTER_S = (30, 120, 300)


class Taken(IntEnum):
    """How much of a suggestion was taken at once. Of several the greatest counts."""

    NOTHING = 0
    WORD = 1
    LINE = 2
    WHOLE = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A suggestion was shown. `key` is its number in this process."""

    key: int
    day: str  # of the local calendar, as 2026-01-31
    language: str
    model: str
    characters: int  # beyond the cursor
    waited_ms: float | None  # from the request to the answer; None where it came from memory


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """Some or all of it was taken: so many characters more that nobody had to type."""

    key: int
    taken: Taken
    saved_characters: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """After so many seconds, what was taken stood in the document, or did not."""

    key: int
    after_s: int  # one of KEPT_AFTER_S
    kept: bool


Event = Shown | Accepted | Looked
