"""Turn code into search terms: 32-bit numbers of its words and of their parts.

The index keeps numbers instead of words. They are smaller, and the index on disk cannot be read back as text.
"""

import re
from collections import Counter
from functools import lru_cache
from zlib import crc32

_WORD = re.compile(r"[^\W\d]\w{2,63}")
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\dA-Za-z_]+")

# A part shorter than this says little and costs as much.
_SHORTEST_PART = 3

# The commonest words of the eight languages: they stand in every chunk and tell none from another.
_COMMON = frozenset(
    _WORD.findall("""
    and any arg args assert async auto await bool boolean break case catch char class const continue crate def
    default del delete dict double elif else enum err error except export extends extern false final finally
    float fmt for from fun func function get global goto has impl implements import include inline instanceof
    int interface into isinstance key kwargs lambda len let list long map match mod module move mut name
    namespace new nil none not null number obj object out override package param pass print private protected
    pub public raise ref require result return self set short signed sizeof some static std str string struct
    super switch template text that the then this throw throws trait true try tuple type typedef typename typeof
    uint undefined union unsafe unsigned use using val value values var vec vector virtual void volatile where
    while with yield
    """)
)


def term_counts(text: str) -> Counter[int]:
    """Return how often each term stands in a text."""
    counts: Counter[int] = Counter()
    for word, times in Counter(_WORD.findall(text)).items():
        for term in terms_of_word(word):
            counts[term] += times
    return counts


@lru_cache(maxsize=32_768)
def terms_of_word(word: str) -> tuple[int, ...]:
    """Return the terms of an identifier: the whole first, then its parts.

    >>> terms_of_word("readLine") == (*terms_of_word("readline"), *terms_of_word("read"), *terms_of_word("line"))
    True
    """
    parts = [part for part in _PART.findall(word) if len(part) >= _SHORTEST_PART]
    names = dict.fromkeys(name.lower() for name in (word, *parts))
    return tuple(crc32(name.encode()) for name in names if name not in _COMMON)
