"""A target is reached where all its tests passed, none was skipped, and its whole amount was run; else it says why."""

from pathlib import Path

import pytest

from fimserver.bench.scorecard import ROOT, Case, Check, checks, combined, read_cases, result_of
from fimserver.bench.scorecard_report import markdown, merged, read_results, write_results

CHECK = Check(id="R0", what="Fuzz", target="9 frames", tests=("t.py",), amounts={"frames": 9}, limits={"ms": 5})

RESULTS = {
    "all passed": ([Case({"frames": 9})], True, "9 frames; 1 of 1 tests passed"),
    "counts are added": ([Case({"frames": 4}), Case({"frames": 5})], True, "9 frames; 2 of 2 tests passed"),
    "too few": ([Case({"frames": 5})], False, "5 frames; 1 of 1 tests passed; the target asks for 9 frames"),
    "too slow": (
        [Case({"frames": 9, "ms": 6.5}), Case({"ms": 1.0})],
        False,
        "9 frames, 6.5 ms; 2 of 2 tests passed; the target allows 5 ms",
    ),
    "one failed": (
        [Case({"frames": 9}), Case({}, failed="lost one")],
        False,
        "9 frames; 1 of 2 tests passed; failed: lost one",
    ),
    "one was skipped": (
        [Case({"frames": 9}), Case({}, skipped="strace is not installed")],
        False,
        "9 frames; 1 of 2 tests passed; not run: strace is not installed",
    ),
    "none ran": ([], False, "no test ran: there is a long form only; the target asks for 9 frames"),
}


@pytest.mark.parametrize(("cases", "ok", "value"), RESULTS.values(), ids=RESULTS)
def test_a_result(cases: list[Case], ok: bool, value: str) -> None:
    result = result_of(CHECK, cases, "pytest t.py")
    assert (result.ok, result.value) == (ok, value)


def test_a_run_that_was_killed_says_so() -> None:
    assert result_of(CHECK, [], "pytest t.py", status=-9).value.startswith("pytest ended with -9")


def test_of_measures_the_worst_counts() -> None:
    assert combined([Case({"ms": 2.0, "n": 1}), Case({"ms": 1.0, "n": 2})]) == {"ms": 2.0, "n": 3}


def test_a_report_of_pytest_is_read(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    report.write_text(
        '<testsuites><testsuite><testcase name="a"><properties><property name="frames" value="9"/>'
        '<property name="ms" value="2.5"/></properties></testcase><testcase name="b"><failure message="no&#10;more"/>'
        '</testcase><testcase name="c"><skipped message="no strace"/></testcase></testsuite></testsuites>'
    )
    assert list(read_cases(report)) == [
        Case({"frames": 9, "ms": 2.5}),
        Case({}, failed="no"),
        Case({}, skipped="no strace"),
    ]
    assert list(read_cases(tmp_path / "missing.xml")) == []


def test_there_are_32_checks_of_tests_that_are_there() -> None:
    assert [check.id for check in checks()] == [f"R{n}" for n in range(1, 21)] + [f"S{n}" for n in range(1, 13)]
    named = [word.partition("::")[0] for check in checks() for word in check.tests if word.startswith("tests/")]
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_what_was_not_run_now_stays_as_it_was(tmp_path: Path) -> None:
    old, new = (result_of(CHECK, [Case({"frames": count})], "pytest t.py") for count in (1, 9))
    other = result_of(Check(id="R1", what="a|b", target="", tests=()), [], "")
    write_results(tmp_path, [old, other])
    again = merged(read_results(tmp_path / "reliability.json"), [new], ["R0", "R1"])
    assert again == [new, other]
    assert "1 of 2 targets are reached" in markdown(again)
