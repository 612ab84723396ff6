"""The pairs are sound, and the figures say what a reviewer found, missed and made up."""

import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from fimserver.bench.review import Judged, Pair, figures, judged, read_pairs
from fimserver.engine.fake import Reply, ScriptedEngine
from fimserver.errors import FimError
from fimserver.review.findings import Category
from fimserver.review.passages import Target, passages
from fimserver.syntax.languages import language_named
from fimserver.syntax.tree import parse_text
from fimserver.values import Document
from tests.cli import commands

FOLDER = Path(__file__).parents[3] / "fixtures" / "review"
PAIRS = read_pairs(FOLDER)
WITH_BUG = [pair for pair in PAIRS if pair.buggy]


def name(pair: Pair) -> str:
    return f"{pair.language}/{pair.name}"


@pytest.mark.parametrize("pair", PAIRS, ids=name)
def test_both_texts_are_code_and_differ_in_known_lines(pair: Pair) -> None:
    language = language_named(pair.language)
    assert language is not None
    for text in filter(None, (pair.buggy, pair.sound)):
        tree = parse_text(text, language)
        assert tree is not None
        assert not tree.root.has_error
    assert bool(pair.buggy) == bool(pair.lines) == (pair.category is not None)
    assert len(pair.lines) <= 6


def test_there_are_pairs_of_every_language_and_category() -> None:
    assert len(WITH_BUG) >= 40
    assert min(Counter(pair.language for pair in PAIRS).values()) >= 7
    assert {pair.category for pair in WITH_BUG} == set(Category)
    assert len(PAIRS) - len(WITH_BUG) >= 5


def reply(pair: Pair) -> Reply:
    """Return the right answer to a buggy text, which is known by two rows of its listing."""
    document = Document.of(pair.buggy, language=pair.language)
    line = max(pair.lines)
    [passage] = passages(Target.whole(document), 10_000)
    rows = passage.listing.split("\n")[max(0, line - 1) : line + 1]
    quote = pair.buggy.split("\n")[line].strip()
    claim = {
        "line": line + 1,
        "quote": quote,
        "category": pair.category,
        "severity": "error",
        "message": "It is wrong.",
    }
    return Reply(pieces=[json.dumps(claim)], when="\n".join(rows))


def run(pairs: Sequence[Pair], *replies: Reply) -> list[Judged]:
    return asyncio.run(judged(ScriptedEngine(replies), pairs, lambda _: None))


def test_who_is_always_right_has_every_figure_at_its_best() -> None:
    result = figures(run(PAIRS, *map(reply, WITH_BUG), Reply(pieces=["{}"])))
    best = {"precision", "recall", "line_accuracy", "category_accuracy", "silence_when_clean", "parse_rate"}
    assert {key: result[key] for key in best} == dict.fromkeys(best, 1.0)
    assert (result["pairs"], result["findings"]) == (len(WITH_BUG), len(WITH_BUG))


def test_who_is_silent_finds_nothing_and_makes_up_nothing() -> None:
    result = figures(run(PAIRS[:9], Reply(pieces=["{}"])))
    assert (result["recall"], result["precision"], result["silence_when_clean"]) == (0, None, 1)


def test_who_chats_is_not_in_the_form() -> None:
    result = figures(run(PAIRS[:3], Reply(pieces=["All good!"])))
    assert (result["parse_rate"], result["dropped"]["unreadable"] > 0) == (0, True)


SUM = Pair(
    name="sum",
    language="python",
    buggy="a = 1\nb = 2\nc = a - b\nprint(c)\n",
    sound="a = 1\nb = 2\nc = a + b\nprint(c)\n",
    lines=frozenset({2}),
    category=Category.BUG,
)


def claim(line: int, quote: str, category: str = "bug") -> str:
    return json.dumps({"line": line, "quote": quote, "category": category, "severity": "note", "message": "Hm."}) + "\n"


def test_a_finding_next_to_the_bug_is_right_and_one_elsewhere_made_up() -> None:
    answer = claim(4, "print(c)", "tests") + claim(1, "a = 1")
    result = figures(run([SUM], Reply(pieces=[answer], when="a - b"), Reply(pieces=[claim(1, "a = 1")])))
    assert {key: result[key] for key in ("precision", "recall", "line_accuracy", "category_accuracy")} == {
        "precision": 1 / 3,
        "recall": 1.0,
        "line_accuracy": 0.0,
        "category_accuracy": 0.0,
    }
    assert result["silence_when_clean"] == 0


NO_PAIRS = {
    "no fence": "A sentence.\n",
    "an unknown category": "x\n\n```diff vibes\n a\n-b\n```\n",
    "no category": "x\n\n```diff\n a\n-b\n```\n",
    "two fences": "x\n\n```python\na\n```\n\n```python\nb\n```\n",
}


@pytest.mark.parametrize("text", NO_PAIRS.values(), ids=NO_PAIRS)
def test_what_is_no_pair_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "python").mkdir()
    (tmp_path / "python" / "odd.md").write_text(text)
    with pytest.raises(FimError, match=r"odd\.md must hold"):
        read_pairs(tmp_path)


def test_the_command_prints_the_figures(tmp_path: Path) -> None:
    script = commands.script(tmp_path, {"text": "{}"})
    ran = commands.run("--engine", script, "bench", "review", "--language", "go", "--json")
    assert (ran.code, ran.json["pairs"], ran.json["recall"], ran.json["parse_rate"]) == (0, 10, 0, 1)
