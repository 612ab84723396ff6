"""Turn lists of postings into a ranking, by BM25.

A posting is one 32-bit number: the chunk's number, and in its lowest four bits the part of BM25 that depends on the
chunk alone (how often the term stands in it, set against its length). It is computed when the chunk is indexed, so that
a query needs the lists of its terms and nothing else.

    score(chunk) = Σ over the query's terms of weight · idf(term) · impact(term, chunk)

Robertson and Zaragoza, "The Probabilistic Relevance Framework", 2009, equations 3.15 and 3.19.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from heapq import nlargest
from itertools import accumulate, dropwhile

_SATURATION = 1.2
_LENGTH_SHARE = 0.75

# The length to which others are compared. The mean over all chunks changes with every file; this one stays.
_TYPICAL_TERMS = 80

_IMPACT_BITS = 4
_MOST_IMPACT = (1 << _IMPACT_BITS) - 1

# A query reads at most so many postings, which takes some 3 ms, however large the index is.
MOST_POSTINGS = 3_000

Postings = Sequence[int]


def posting(chunk: int, times: int, length: int) -> int:
    """Return the posting of a term that stands `times` times in a chunk of `length` terms."""
    return chunk << _IMPACT_BITS | _impact(times, length)


@lru_cache(maxsize=16_384)
def _impact(times: int, length: int) -> int:
    relative = 1 - _LENGTH_SHARE + _LENGTH_SHARE * length / _TYPICAL_TERMS
    return max(1, round(_MOST_IMPACT * times / (times + _SATURATION * relative)))


def chunk_of(number: int) -> int:
    """Return the chunk a posting speaks of."""
    return number >> _IMPACT_BITS


def inverse_document_frequency(found: int, chunks: int) -> float:
    """Return how much a term says that stands in `found` of all chunks; never below zero."""
    return math.log1p(max(0.0, chunks - found + 0.5) / (found + 0.5))


def affordable(weights: Mapping[int, float], frequencies: Mapping[int, int], most: int = MOST_POSTINGS) -> list[int]:
    """Return the terms of a query whose postings are read: no more than `most` of them, and the rarest terms first.

    A term that is passed over stands in so many chunks that it tells few of them from another.

    >>> affordable({7: 1.0, 8: 1.0, 9: 1.0}, {7: 500, 8: 90_000, 9: 2}, most=1_000)
    [9, 7]
    """
    rarest = sorted(frequencies, key=lambda term: frequencies[term] / weights[term])
    readable = list(dropwhile(lambda term: frequencies[term] > most, rarest))
    spent = accumulate(frequencies[term] for term in readable)
    return [term for term, postings in zip(readable, spent, strict=True) if postings <= most]


def best_chunks(terms: Iterable[tuple[float, Postings]], chunks: int, limit: int) -> list[tuple[int, float]]:
    """Return the best chunks and their scores, best first, for terms given as (weight, postings)."""
    scores: dict[int, float] = {}
    score_before = scores.get
    for weight, postings in terms:
        unit = weight * inverse_document_frequency(len(postings), chunks) / _MOST_IMPACT
        for number in postings:
            chunk = number >> _IMPACT_BITS
            scores[chunk] = score_before(chunk, 0.0) + unit * (number & _MOST_IMPACT)
    best = nlargest(limit, zip(scores.values(), scores, strict=True))
    return [(chunk, score) for score, chunk in best]
