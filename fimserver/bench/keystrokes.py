"""Turn held-out code, typed key by key, into the share of keys that suggestions save.

The typist looks at every suggestion and accepts it exactly when it is right, with one key; else the next character is
typed. Enter brings the next line's indentation along, as editors do.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from fimserver.bench.cases import Case
from fimserver.bench.metrics import right_as_far_as_it_goes
from fimserver.text import leading_blanks

# What stands at the cursor in a text → what a suggestion adds there; empty where nothing is suggested.
Suggest = Callable[[Case, str], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Typed:
    """How many keys some code took, and how many it would have taken without suggestions."""

    keys: int
    keys_alone: int

    @property
    def saved(self) -> float:
        """The share of keys that was saved."""
        return 1 - self.keys / self.keys_alone if self.keys_alone else 0.0


async def keystrokes(cases: Sequence[Case], suggest: Suggest) -> Typed:
    """Type the middle of every case. Raises EngineError."""
    typed = [await _type(case, suggest) for case in cases]
    return Typed(sum(one.keys for one in typed), sum(one.keys_alone for one in typed))


async def _type(case: Case, suggest: Suggest) -> Typed:
    done = keys = 0
    while done < len(case.middle):
        suggestion = await suggest(case, case.middle[:done])
        right = right_as_far_as_it_goes(suggestion, case.middle[done:])
        done += len(suggestion.rstrip()) if right else len(next_key(case.middle, done))
        keys += 1
    return Typed(keys, _keys_alone(case.middle))


def _keys_alone(text: str) -> int:
    done = keys = 0
    while done < len(text):
        done += len(next_key(text, done))
        keys += 1
    return keys


def next_key(text: str, done: int) -> str:
    r"""Return what the next key adds: a character, or a line's end with the next line's indentation.

    >>> next_key("a\n    b", 1)
    '\n    '
    """
    if text[done] != "\n":
        return text[done]
    return "\n" + leading_blanks(text[done + 1 :].split("\n", 1)[0])
