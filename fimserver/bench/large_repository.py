"""Write a large repository, index it as the language server does, and measure memory, time and queries.

The files look like code to whoever counts words: each has some dozens of names, common and rare ones, which it uses
again and again; it defines functions of its own and calls one of another file.
"""

import random
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from fimserver.bench.metrics import percentile
from fimserver.retrieval.bm25 import affordable
from fimserver.retrieval.exclude import Exclusions
from fimserver.retrieval.index import Index
from fimserver.retrieval.terms import term_counts
from fimserver.settings import ContextSettings

_FILES_PER_FOLDER = 100
_LINES_PER_FUNCTION = 10

# Names and the parts they are made of. The first names are everywhere, the last in a few files of a hundred thousand.
_NAMES = 60_000
_PARTS = 4_000
_NAMES_PER_FILE = 60

# A question is as large as the language server's.
_WORDS_PER_QUESTION = 60
_MOST_HITS = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What indexing a repository cost, and what a question costs then. Memory is the whole process's, at its peak."""

    files: int
    lines: int
    chunks: int
    index_bytes: int
    indexed_s: float
    looked_again_s: float
    memory_bytes: int
    most_postings_read: int  # for a question after similar chunks
    similar_p50_ms: float
    similar_p99_ms: float
    similar_p99_processor_ms: float  # of this process alone, whatever else the machine does
    defining_p50_ms: float
    defining_p99_ms: float


def write_repository(root: Path, files: int, lines_per_file: int, *, seed: int = 0) -> int:
    """Write so many files of so many lines, and return the number of lines in all."""
    chance = random.Random(seed)  # noqa: S311 - repeatable, not secret
    lines = 0
    for number in range(files):
        path = root / _name_of(number)
        if number % _FILES_PER_FOLDER == 0:
            path.parent.mkdir(parents=True, exist_ok=True)
        text = "\n".join(_lines(number, files, lines_per_file, chance)) + "\n"
        path.write_text(text, "utf-8")
        lines += text.count("\n")
    return lines


def measure(root: Path, lines: int, questions: int, *, seed: int = 0) -> Figures:
    """Index a repository and ask so many questions of each kind; `lines` is how many it has."""
    began_s = time.monotonic()
    index = _refreshed(root)
    indexed_s = time.monotonic() - began_s
    files, chunks = index.totals()
    index.close()
    began_s = time.monotonic()
    index = _refreshed(root)  # as after a restart: the index is on disk, and nothing has changed
    looked_again_s = time.monotonic() - began_s
    chance = random.Random(seed + 1)  # noqa: S311
    texts = [_question(chance) for _ in range(questions)]
    similar_ms = [_timed(partial(index.similar, text, _MOST_HITS)) for text in texts]
    processor_ms = [_timed(partial(index.similar, text, _MOST_HITS), time.thread_time) for text in texts]
    defining_ms = [_timed(lambda: index.defining(_function(chance.randrange(files), 0))) for _ in range(questions)]
    memory_bytes, size = _peak_memory_bytes(), index.size_bytes()
    most_postings_read = max(_postings_read(index, text) for text in texts)
    index.close()
    return Figures(
        files=files,
        lines=lines,
        chunks=chunks,
        index_bytes=size,
        indexed_s=indexed_s,
        looked_again_s=looked_again_s,
        memory_bytes=memory_bytes,
        most_postings_read=most_postings_read,
        similar_p50_ms=percentile(similar_ms, 0.5),
        similar_p99_ms=percentile(similar_ms, 0.99),
        similar_p99_processor_ms=percentile(processor_ms, 0.99),
        defining_p50_ms=percentile(defining_ms, 0.5),
        defining_p99_ms=percentile(defining_ms, 0.99),
    )


def _refreshed(root: Path) -> Index:
    index = Index(root, Exclusions((root,), ContextSettings()))
    for _ in index.refresh():
        pass
    return index


def _question(chance: random.Random) -> dict[int, float]:
    """Return the terms of a text and their weights."""
    words = " ".join(_word(chance) for _ in range(_WORDS_PER_QUESTION))
    return dict.fromkeys(term_counts(words), 1.0)


def _postings_read(index: Index, text: Mapping[int, float]) -> int:
    frequencies = index.frequencies(list(text))
    return sum(frequencies[term] for term in affordable(text, frequencies))


def _timed(question: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    began_s = clock()
    question()
    return (clock() - began_s) * 1_000


def _name_of(number: int) -> str:
    return f"part_{number // _FILES_PER_FOLDER}/module_{number}.py"


def _function(number: int, nth: int) -> str:
    return f"handle_{number}_{nth}"


def _lines(number: int, files: int, count: int, chance: random.Random) -> Iterator[str]:
    """Yield the lines of one file."""
    other, names = chance.randrange(files), [_word(chance) for _ in range(_NAMES_PER_FILE)]
    yield f"from {_name_of(other).removesuffix('.py').replace('/', '.')} import {_function(other, 0)}"
    for nth in range((count - 1) // _LINES_PER_FUNCTION):
        first, second = chance.choice(names), chance.choice(names)
        yield f"def {_function(number, nth)}({first}, {second}=None):"
        for _ in range(_LINES_PER_FUNCTION - 2):
            yield f"    {chance.choice(names)} = {chance.choice(names)}({first}) + {chance.randrange(1000)}"
        yield f"    return {_function(other, 0)}({second})"


def _word(chance: random.Random) -> str:
    """Return a name; of small numbers much likelier than of large ones."""
    number = int(_NAMES * chance.random() ** 3)
    return f"{_part(number % _PARTS)}_{_part(number * 7 % _PARTS)}"


def _part(number: int) -> str:
    return "".join(chr(97 + number // 26**place % 26) for place in range(3)) + "ing"


def _peak_memory_bytes() -> int:
    """Return the most memory this process has had; 0 where the system does not tell."""
    # Not getrusage: its peak is that of whoever started this process, where that one was larger.
    try:
        lines = Path("/proc/self/status").read_text("ascii").splitlines()
    except OSError:  # not Linux
        return 0
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))
