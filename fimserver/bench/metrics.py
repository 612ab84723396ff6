"""Turn pairs of what was suggested and what belonged there into figures, and two runs into a verdict.

Shares come with the half-width of their 95 % interval (normal approximation), paired differences with the exact
two-sided probability of McNemar's test.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from math import comb, sqrt


@dataclass(frozen=True, slots=True)
class Share:
    """How many of how many, with the half-width of its 95 % interval."""

    hits: int
    of: int

    @property
    def value(self) -> float:
        """The share; 0 of nothing is 0."""
        return self.hits / self.of if self.of else 0.0

    @property
    def plus_minus(self) -> float:
        """The half-width of the 95 % interval."""
        return 1.96 * sqrt(self.value * (1 - self.value) / self.of) if self.of else 0.0


def exact(suggested: str, wanted: str) -> bool:
    """Say whether the texts are the same, white space at their ends apart."""
    return suggested.rstrip() == wanted.rstrip()


def right_as_far_as_it_goes(suggested: str, wanted: str) -> bool:
    r"""Say whether accepting leaves nothing to delete: the suggestion is the wanted text, or its first whole lines.

    >>> right_as_far_as_it_goes("\n    a = 1", "\n    a = 1\n    b = 2")
    True
    >>> right_as_far_as_it_goes("a =", "a = 1")
    False
    """
    shown, truth = suggested.rstrip(), wanted.rstrip()
    return bool(shown) and truth.startswith(shown) and not truth[len(shown) :].split("\n", 1)[0].strip()


def first_lines_equal(suggested: str, wanted: str) -> bool:
    """Compare the first lines that hold anything."""
    return suggested.lstrip("\n").split("\n", 1)[0].rstrip() == wanted.lstrip("\n").split("\n", 1)[0].rstrip()


def edit_similarity(suggested: str, wanted: str) -> float:
    """Return the share of characters the two have in common, in order: 1 for equal texts."""
    return SequenceMatcher(None, suggested.strip(), wanted.strip(), autojunk=False).ratio()


def mcnemar(only_first: int, only_second: int) -> float:
    """Return the probability of a difference this large or larger if neither run were better.

    >>> mcnemar(5, 5)
    1.0
    >>> round(mcnemar(1, 9), 4)
    0.0215
    """
    total, smaller = only_first + only_second, min(only_first, only_second)
    if not total:
        return 1.0
    tail: float = sum(comb(total, count) for count in range(smaller + 1)) / 2**total
    return min(1.0, 2 * tail)


def mean(values: Sequence[float]) -> float:
    """Return the mean; 0 of nothing."""
    return sum(values) / len(values) if values else 0.0


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which that share lies (nearest rank); 0 of nothing."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0
