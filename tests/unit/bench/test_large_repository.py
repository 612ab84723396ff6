"""A large repository is indexed within bounded memory and answers quickly: a small one, and one of 100,000 files."""

import json
import subprocess
import sys
from typing import Any

import pytest

from fimserver.retrieval.bm25 import MOST_POSTINGS

LARGEST_MEMORY_BYTES = 300_000_000


def indexed(files: int, questions: int, timeout_s: float) -> dict[str, Any]:
    options = ("--files", str(files), "--questions", str(questions), "--json")
    command = (sys.executable, "-m", "fimserver", "bench", "index", *options)
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=timeout_s)
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures


def test_a_small_one_is_indexed_whole() -> None:
    figures = indexed(120, 10, 60)
    assert (figures["files"], figures["lines"]) == (120, 120 * 101)
    assert 0 < figures["memory_bytes"] < LARGEST_MEMORY_BYTES
    assert figures["index_bytes"] > 10_000
    assert 0 < figures["most_postings_read"] <= MOST_POSTINGS


@pytest.mark.soak
@pytest.mark.timeout(5_400)
def test_one_of_ten_million_lines_stays_within_its_memory_and_answers_in_ten_milliseconds() -> None:
    figures = indexed(100_000, 1_000, 5_000)
    assert figures["lines"] >= 10_000_000
    assert figures["memory_bytes"] <= LARGEST_MEMORY_BYTES
    assert figures["most_postings_read"] <= MOST_POSTINGS
    assert figures["similar_p99_ms"] <= 10
    assert figures["defining_p99_ms"] <= 10
