"""Turn pairs of buggy and mended texts into how often a model's review is right: what it finds, misses and makes up.

A pair is a Markdown file: what is wrong, and a diff whose fence names the category. The lines it takes away are the
known ones; where it only adds, those next to them. A file with a fence of its language is clean, and silence is right.
"""

import re
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from fimserver.engine.interface import Engine
from fimserver.errors import FimError
from fimserver.review.findings import Category, Dropped, Finding
from fimserver.review.passages import Target
from fimserver.review.reviewer import Review
from fimserver.values import Document

_SUFFIXES = {"python": "py", "javascript": "js", "typescript": "ts", "go": "go", "c": "c"}

_FENCE = re.compile(r"^```(?P<kind>\w+)(?: (?P<category>\w+))?\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)

# A finding is about a known line if it is no further away.
_NEAR_LINES = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A text with something wrong on `lines`, from 0, and the text without; a clean file has the latter alone."""

    name: str
    language: str
    sound: str
    buggy: str = ""
    lines: frozenset[int] = frozenset()
    category: Category | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviewed:
    """What came of the review of one text."""

    findings: tuple[Finding, ...]
    dropped: Mapping[Dropped, int]
    answers: int
    cut: int
    ms: float


@dataclass(frozen=True, slots=True)
class Judged:
    """A pair with the reviews of its texts; a clean file has no buggy one."""

    pair: Pair
    buggy: Reviewed | None
    sound: Reviewed

    @property
    def hits(self) -> tuple[Finding, ...]:
        """The findings about what is wrong."""
        found = self.buggy.findings if self.buggy else ()
        near = {line + by for line in self.pair.lines for by in range(-_NEAR_LINES, _NEAR_LINES + 1)}
        return tuple(finding for finding in found if finding.line in near)


def read_pairs(folder: Path) -> list[Pair]:
    """Return the pairs of a folder, by language and name. Raises FimError naming a file that is none."""
    pairs = [_pair(path) for path in sorted(folder.rglob("*.md"))]
    if not pairs:
        raise FimError(f"There are no pairs in {folder}.")
    return pairs


async def judged(engine: Engine, pairs: Sequence[Pair], on_done: Callable[[int], None]) -> list[Judged]:
    """Review both texts of every pair. Raises EngineError and ModelError."""
    results: list[Judged] = []
    for number, pair in enumerate(pairs, 1):
        buggy = await _reviewed(engine, pair, pair.buggy) if pair.buggy else None
        results.append(Judged(pair, buggy, await _reviewed(engine, pair, pair.sound)))
        on_done(number)
    return results


def figures(results: Sequence[Judged]) -> dict[str, Any]:
    """Return the figures; a share of nothing is None."""
    reviews = [review for one in results for review in (one.buggy, one.sound) if review is not None]
    with_bug = [one for one in results if one.buggy]
    hits = [(one, finding) for one in results for finding in one.hits]
    dropped: Counter[Dropped] = sum((Counter(review.dropped) for review in reviews), Counter())
    answers = sum(review.answers for review in reviews)
    readable = sum(review.answers for review in reviews if not review.dropped.get(Dropped.UNREADABLE))
    return {
        "pairs": len(with_bug),
        "clean_texts": len(results),
        "findings": sum(len(review.findings) for review in reviews),
        "precision": _share(len(hits), sum(len(review.findings) for review in reviews)),
        "recall": _share(sum(bool(one.hits) for one in with_bug), len(with_bug)),
        "line_accuracy": _share(sum(finding.line in one.pair.lines for one, finding in hits), len(hits)),
        "category_accuracy": _share(sum(finding.category is one.pair.category for one, finding in hits), len(hits)),
        "silence_when_clean": _share(sum(not one.sound.findings for one in results), len(results)),
        "parse_rate": _share(readable, answers),
        "cut": sum(review.cut for review in reviews),
        "dropped": {str(why): count for why, count in sorted(dropped.items())},
        "median_ms": median(review.ms for review in reviews),
    }


def as_rows(results: Sequence[Judged]) -> list[dict[str, Any]]:
    """Return every finding of every pair, for a look at what a model says."""
    return [
        {
            "pair": f"{one.pair.language}/{one.pair.name}",
            "text": text,
            "line": finding.line + 1,
            "right": finding in one.hits,
            "category": finding.category,
            "severity": finding.severity,
            "message": finding.message,
        }
        for one in results
        for text, review in (("buggy", one.buggy), ("sound", one.sound))
        for finding in (review.findings if review else ())
    ]


def _pair(path: Path) -> Pair:
    blocks = list(_FENCE.finditer(path.read_text("utf-8")))
    language = path.parent.name
    if len(blocks) != 1 or language not in _SUFFIXES:
        raise FimError(f"{path} must hold one fenced text and stand in a folder named by its language.")
    kind, category, body = blocks[0].groups()
    if kind == language:
        return Pair(name=path.stem, language=language, sound=body)
    if kind != "diff" or category not in list(Category):
        raise FimError(f"{path} must hold a `diff` with its category, one of {', '.join(Category)}, or {language}.")
    buggy, lines = _with_known_lines(body)
    return Pair(
        name=path.stem,
        language=language,
        sound="".join(line[1:] for line in body.splitlines(keepends=True) if not line.startswith("-")),
        buggy=buggy,
        lines=lines,
        category=Category(category),
    )


def _with_known_lines(diff: str) -> tuple[str, frozenset[int]]:
    r"""Return the text before a diff, and the lines that are wrong in it.

    >>> _with_known_lines(" a\n-b\n+c\n")
    ('a\nb\n', frozenset({1}))
    >>> _with_known_lines(" a\n+b\n c\n")
    ('a\nc\n', frozenset({0, 1}))
    """
    text, gone, beside = "", set[int](), set[int]()
    line = 0
    for entry in diff.splitlines(keepends=True):
        if entry.startswith("+"):
            beside |= {line - 1, line}
            continue
        gone |= {line} if entry.startswith("-") else set()
        text, line = text + entry[1:], line + 1
    return text, frozenset(gone or beside & set(range(line)))


async def _reviewed(engine: Engine, pair: Pair, text: str) -> Reviewed:
    document = Document.of(text, uri=f"file:///{pair.name}.{_SUFFIXES[pair.language]}", language=pair.language)
    review, began = Review(engine, [Target.whole(document)]), time.perf_counter()
    findings = tuple([finding async for finding in review.findings()])
    return Reviewed(
        findings=findings,
        dropped=dict(review.dropped),
        answers=review.answers,
        cut=review.cut,
        ms=(time.perf_counter() - began) * 1000,
    )


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
