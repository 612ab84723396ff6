"""Which postings a query reads, and what it makes of them."""

import pytest

from fimserver.retrieval.bm25 import MOST_POSTINGS, affordable, best_chunks, posting

READ: dict[str, tuple[dict[int, float], dict[int, int], list[int]]] = {
    "all where they are few": ({1: 1.0, 2: 1.0}, {1: 5, 2: 3}, [2, 1]),
    "the rarest first": ({1: 1.0, 2: 1.0, 3: 1.0}, {1: 80, 2: 1, 3: 15}, [2, 3, 1]),
    "of a word nearer to the cursor before a rarer one": ({1: 1.0, 2: 0.1}, {1: 50, 2: 20}, [1, 2]),
    "up to the budget itself": ({1: 1.0, 2: 1.0}, {1: 40, 2: 60}, [1, 2]),
    "not of what is everywhere": ({1: 1.0, 2: 1.0}, {1: 40, 2: 61}, [1]),
    "of none where all are everywhere": ({1: 1.0, 2: 1.0}, {1: 101, 2: 500_000}, []),
    "of what fits behind one that never does": ({1: 1.0, 2: 0.1}, {1: 101, 2: 90}, [2]),
    "not behind one that did not fit any more": ({1: 1.0, 2: 1.0, 3: 0.1}, {1: 40, 2: 61, 3: 50}, [1]),
    "of nothing that stands nowhere": ({1: 1.0, 2: 1.0}, {2: 7}, [2]),
}


@pytest.mark.parametrize(("weights", "frequencies", "expected"), READ.values(), ids=READ)
def test_postings_are_read(weights: dict[int, float], frequencies: dict[int, int], expected: list[int]) -> None:
    assert affordable(weights, frequencies, most=100) == expected


@pytest.mark.parametrize("chunks", [100, 10_000, 1_000_000])
def test_no_query_reads_more_however_large_the_index_is(chunks: int) -> None:
    frequencies = {term: 1 + chunks * term // 200 for term in range(180)}
    chosen = affordable(dict.fromkeys(frequencies, 1.0), frequencies)
    assert 0 < sum(frequencies[term] for term in chosen) <= MOST_POSTINGS


def test_the_chunk_with_the_rarer_word_is_better_and_both_words_best() -> None:
    rare = [posting(chunk, 1, 80) for chunk in (1, 3)]
    common = [posting(chunk, 1, 80) for chunk in (2, 3, 4, 5, 6)]
    found = best_chunks([(1.0, rare), (1.0, common)], 100, 3)
    assert [chunk for chunk, _ in found] == [3, 1, 6]
