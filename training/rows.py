"""Fill rows of a fixed length with examples: prompts with holes in a mixture of orders, and plain text.

Everything follows from a seed: the row with the same seed is the same row, in any process.
"""

import math
import random
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from training.corpus import Source
from training.holes import cut_hole
from training.layouts import ORDERS, PADDING, READ, Example, pieces_of, plain
from training.vocabulary import Vocabulary

# Python under a vocabulary of some thousand tokens; only decides how much text is looked at.
_CHARACTERS_PER_TOKEN = 3.4
_SHORTEST_EXAMPLE_TOKENS = 64
# Of a large package less than its share is read, of a small one more.
_PACKAGE_EXPONENT = 0.6
_LONGEST_FILE_CHARACTERS = 60_000
# Of a window, the text before the cursor gets three quarters in the product.
_PREFIX_SHARE = 0.75


@dataclass(frozen=True, slots=True, kw_only=True)
class Mixture:
    """Which share of the examples has which form; the README says which measurement chose it."""

    holes: float = 0.9  # the rest is plain text
    orders: Mapping[str, float] = field(default_factory=lambda: {"SPM-adjacent": 1.0})
    other_files: float = 0.0  # with another file of the package before the prompt
    short: float = 0.35  # of a length between the shortest and the row's, evenly in its logarithm


class Files:
    """Draws files: first a package, by its size to a power, then a file of it, by its size."""

    def __init__(self, sources: Iterable[Source]) -> None:
        by_package: dict[str, list[Source]] = defaultdict(list)
        for source in sources:
            by_package[source.package].append(source)
        self._packages = list(by_package.values())
        self._sizes = [[min(len(source.text), _LONGEST_FILE_CHARACTERS) for source in own] for own in self._packages]
        self._weights = [sum(len(source.text) for source in own) ** _PACKAGE_EXPONENT for own in self._packages]

    def draw(self, chance: random.Random, count: int) -> list[Source]:
        """Return so many files of one package."""
        number = chance.choices(range(len(self._packages)), self._weights)[0]
        return chance.choices(self._packages[number], self._sizes[number], k=count)


def row(seed: str, files: Files, vocabulary: Vocabulary, mixture: Mixture, length: int) -> Example:
    """Return a row of exactly `length + 1` tokens: each is predicted from those before it."""
    chance = random.Random(seed)
    tokens: list[int] = []
    roles: list[int] = []
    while (room := length + 1 - len(tokens)) >= _SHORTEST_EXAMPLE_TOKENS:
        example = _example(chance, files, vocabulary, mixture, room)
        tokens += example.tokens
        roles += example.roles
    missing = length + 1 - len(tokens)
    return Example(tokens + [vocabulary.padding] * missing, roles + [PADDING] * missing)


def _example(chance: random.Random, files: Files, vocabulary: Vocabulary, mixture: Mixture, room: int) -> Example:
    most = room
    if chance.random() < mixture.short:
        most = int(_SHORTEST_EXAMPLE_TOKENS * math.exp(chance.random() * math.log(room / _SHORTEST_EXAMPLE_TOKENS)))
    if chance.random() < mixture.other_files and most >= 4 * _SHORTEST_EXAMPLE_TOKENS:
        current, other = files.draw(chance, 2)
        header = _header(chance, current, other, vocabulary, int(most * chance.uniform(0.2, 0.5)))
    else:
        (current,), header = files.draw(chance, 1), []
    example = _one_file(chance, current.text, vocabulary, mixture, most - len(header))
    return Example((header + example.tokens)[:room], ([READ] * len(header) + example.roles)[:room])


def _one_file(chance: random.Random, text: str, vocabulary: Vocabulary, mixture: Mixture, most: int) -> Example:
    window, is_end = window_of(chance, text, int(most * _CHARACTERS_PER_TOKEN))
    hole = cut_hole(chance, window, _PREFIX_SHARE) if chance.random() < mixture.holes else None
    if hole is None:
        return plain((vocabulary.encode(window) + [vocabulary.end] * is_end)[:most])
    order = chance.choices(list(mixture.orders), list(mixture.orders.values()))[0]
    pieces = pieces_of(chance, window, hole, vocabulary, most)
    return ORDERS[order](pieces, vocabulary)


def window_of(chance: random.Random, text: str, characters: int) -> tuple[str, bool]:
    """Return a part of the text from the start of a line on, and whether it reaches the text's end."""
    start = 0
    if len(text) > characters and chance.random() > 0.15:
        start = text.rfind("\n", 0, chance.randint(0, len(text) - characters // 2)) + 1
    return text[start : start + characters], start + characters >= len(text)


def _header(chance: random.Random, current: Source, other: Source, vocabulary: Vocabulary, most: int) -> list[int]:
    """Return what stands before the prompt in the multi-file form of Qwen2.5-Coder."""
    window, _ = window_of(chance, other.text, int(most * _CHARACTERS_PER_TOKEN))
    repository, content, path = vocabulary.encode_all(
        [f"{current.package}\n", f"{other.path}\n{window.rstrip()}\n", f"{current.path}\n"]
    )
    return [vocabulary.repository, *repository, vocabulary.file, *content[:most], vocabulary.file, *path]
