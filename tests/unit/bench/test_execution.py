"""Whether a program passes its own test with the hole filled, and what it cannot do to us meanwhile."""

import json
from pathlib import Path

import pytest

from fimserver.bench.cases import Case, read_cases
from fimserver.bench.execution import passed, passes

CASE = Case(
    name="a",
    kind="line",
    language="python",
    prefix="def double(n):\n    ",
    suffix="\n",
    middle="return 2 * n",
    test="assert double(3) == 6",
)


@pytest.mark.parametrize(
    ("text", "does"),
    [
        pytest.param("return 2 * n", True, id="right"),
        pytest.param("return n + n", True, id="right, though not the text that stood there"),
        pytest.param("return n", False, id="wrong"),
        pytest.param("return (", False, id="no Python"),
        pytest.param("return [0] * 10**10 and 6", False, id="more memory than it may have"),
        pytest.param(
            "import os; return 2 * n if 'HOME' not in os.environ else 0", True, id="nothing of our environment"
        ),
        pytest.param("open('x', 'w').write('a' * 2**21); return 2 * n", False, id="a larger file than it may write"),
    ],
)
def test_passes(text: str, does: bool) -> None:
    assert passes(CASE, text) is does


def test_cases_without_a_test_are_not_counted() -> None:
    untested = Case(name="b", kind="line", language="python", prefix="", suffix="", middle="x")
    share = passed([CASE, untested], ["return 2 * n", "x"])
    assert (share.hits, share.of) == (1, 1)


def test_reads_the_cases_of_humaneval_infilling(tmp_path: Path) -> None:
    row = {
        "task_id": "SingleLineInfilling/HumanEval/0/L0",
        "entry_point": "double",
        "prompt": CASE.prefix,
        "suffix": CASE.suffix,
        "canonical_solution": CASE.middle,
        "test": "def check(candidate):\n    assert candidate(3) == 6\n",
    }
    file = tmp_path / "cases.jsonl"
    file.write_text(json.dumps(row), "utf-8")
    [case] = read_cases(file)
    assert (passes(case, "return 2 * n"), passes(case, "return 3 * n")) == (True, False)
