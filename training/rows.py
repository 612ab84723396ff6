"""Fill rows of a fixed length with examples: prompts with holes in a mixture of orders, and plain text.

Everything follows from a seed: the row with the same seed is the same row, in any process.
"""

import math
import random
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from training.corpus import Source
from training.holes import cut_hole
from training.layouts import NOT_LEARNT, ORDERS, READ, Example, pieces_of, plain
from training.vocabulary import Vocabulary

# Python under a vocabulary of some thousand tokens; only decides how much text is looked at.
_CHARACTERS_PER_TOKEN = 3.4
_SHORTEST_EXAMPLE_TOKENS = 64
# Of a large package less than its share is read, of a small one more.
_PACKAGE_EXPONENT = 0.6
_LONGEST_FILE_CHARACTERS = 60_000
_OTHER_FILES_LOOKED_AT = 6
_OTHER_FILES_SHARES = (0.2, 0.45)  # of an example's tokens
_SHORTEST_PART_CHARACTERS = 60
# Of a window, the text before the cursor gets three quarters in the product.
_PREFIX_SHARE = 0.75


@dataclass(frozen=True, slots=True, kw_only=True)
class Mixture:
    """Which share of the examples has which form; the README says which measurement chose it."""

    holes: float = 0.9  # the rest is plain text
    orders: Mapping[str, float] = field(default_factory=lambda: {"SPM-adjacent": 1.0})
    headers: float = 0.0  # with the package's name and the file's path before the prompt
    other_files: float = 0.0  # with these, and parts of other files of the package between them
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
    return Example(tokens + [vocabulary.padding] * missing, roles + [NOT_LEARNT] * missing)


def _example(chance: random.Random, files: Files, vocabulary: Vocabulary, mixture: Mixture, room: int) -> Example:
    most = room
    if chance.random() < mixture.short:
        most = int(_SHORTEST_EXAMPLE_TOKENS * math.exp(chance.random() * math.log(room / _SHORTEST_EXAMPLE_TOKENS)))
    current, *others = files.draw(chance, 1 + _OTHER_FILES_LOOKED_AT)
    form = chance.random()
    of_others = int(most * chance.uniform(*_OTHER_FILES_SHARES)) if form < mixture.other_files else 0
    window, is_end = window_of(chance, current.text, int((most - of_others) * _CHARACTERS_PER_TOKEN))
    header: list[int] = []
    if form < mixture.other_files + mixture.headers:
        shown = related_parts(chance, window, current, others, int(of_others * _CHARACTERS_PER_TOKEN))
        header = _header(current, shown, vocabulary, of_others)
    example = _one_file(chance, window, is_end, vocabulary, mixture, most - len(header))
    return Example((header + example.tokens)[:room], ([READ] * len(header) + example.roles)[:room])


def _one_file(
    chance: random.Random, window: str, is_end: bool, vocabulary: Vocabulary, mixture: Mixture, most: int
) -> Example:
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


def related_parts(
    chance: random.Random, window: str, current: Source, others: Iterable[Source], characters: int
) -> list[tuple[str, str]]:
    """Return paths and parts of other files that share the most words with the window: what retrieval would show.

    They are up to three, together of so many characters, the one that shares most last, next to the prompt.
    """
    count = chance.randint(1, 3)
    wanted, each = _words(window), characters // count
    parts = [
        (len(wanted & _words(part)), other.path, part)
        for other in others
        if other.path != current.path
        for part in _parts(other.text, each)
    ]
    return [(path, part) for _, path, part in sorted(parts)[-count:]] if each > _SHORTEST_PART_CHARACTERS else []


def _parts(text: str, characters: int) -> list[str]:
    """Cut a text into parts of about so many characters, at line ends."""
    parts = [""]
    for line in text.splitlines(keepends=True):
        if len(parts[-1]) + len(line) > characters:
            parts.append("")
        parts[-1] += line
    return [part for part in parts if part.strip()]


def _words(text: str) -> set[str]:
    return set(re.findall(r"[^\W\d]\w{4,}", text))


def _header(current: Source, shown: Sequence[tuple[str, str]], vocabulary: Vocabulary, most: int) -> list[int]:
    """Return what stands before the prompt in the multi-file form of Qwen2.5-Coder; the parts have so many tokens."""
    texts = [f"{current.package}\n", *(f"{path}\n{part.rstrip()}\n" for path, part in shown), f"{current.path}\n"]
    repository, *parts, own = vocabulary.encode_all(texts)
    cut = [part[: most // len(shown)] for part in parts]
    return [vocabulary.repository, *repository, *(token for part in [*cut, own] for token in (vocabulary.file, *part))]
