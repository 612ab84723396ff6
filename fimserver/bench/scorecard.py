"""Turn the rows of scorecard.toml into results: each check is tests of this checkout, and its value what they recorded.

A test proves by failing or not, and writes figures down (`figure` of tests/faults/conftest.py). There is no second
implementation here: a check holds if all its tests passed, none was skipped, and its amounts were reached.
"""

import os
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import resources
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).parents[2]

Figures = Mapping[str, int | float]

# pytest's own status where its arguments leave no test to run.
_NONE_CHOSEN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A row: what is checked, what must come of it, and which tests do it.

    `amounts` names the figures that must be as large as the target says (the quick form of a test has smaller ones),
    `limits` those that may not be larger: times are judged here, and not by tests, which run on busy machines.
    """

    id: str
    what: str
    target: str
    tests: tuple[str, ...]
    amounts: Mapping[str, int] = field(default_factory=dict)
    limits: Mapping[str, float] = field(default_factory=dict)
    note: str = ""

    def command(self, *, long: bool) -> tuple[str, ...]:
        """Return the arguments of pytest that run this check."""
        return (*self.tests, *(() if long else ("-m", "not soak")))


@dataclass(frozen=True, slots=True)
class Case:
    """One test that ran: what it recorded, and why it failed or was skipped."""

    figures: Figures
    failed: str = ""
    skipped: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of a check, as docs/reliability.json has it."""

    id: str
    what: str
    target: str
    value: str
    ok: bool
    command: str


@cache
def checks() -> tuple[Check, ...]:
    """Return all checks, in the order of the scorecard."""
    text = (resources.files("fimserver.bench") / "scorecard.toml").read_text("utf-8")
    return tuple(Check(**{**row, "tests": tuple(row["tests"])}) for row in tomllib.loads(text)["check"])


def run_check(check: Check, *, long: bool) -> Result:
    """Run the tests of a check in a process of their own and return what came of them."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        arguments = check.command(long=long)
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *arguments, f"--junitxml={report}"],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            check=False,
        )
        cases = tuple(read_cases(report))
    words = ("pytest", *(f'"{word}"' if " " in word else word for word in arguments))
    result = result_of(check, cases, " ".join((*_shares(), *words)), status=done.returncode)
    return replace(result, value=result.value + _circumstances())


def _circumstances() -> str:
    """Return what the reader of a time must know: that the machine had more to do than this."""
    cores, load = os.cpu_count() or 1, os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    return f"; on a busy machine: a load of {load:.0f} on {cores} cores" if load > cores else ""


def _shares() -> Iterator[str]:
    """Yield the variables that make the long form shorter, as one writes them before a command."""
    return (f"{name}={os.environ[name]}" for name in _SHARES if name in os.environ)


_SHARES = ("FIMSERVER_LONG_SHARE", "FIMSERVER_ENDURANCE_MINUTES")


def read_cases(report: Path) -> Iterator[Case]:
    """Yield the tests of a JUnit report; none where pytest did not get so far as to write one."""
    if not report.exists():
        return
    # Our own pytest has written it a moment ago.
    for case in ElementTree.parse(report).iter("testcase"):  # noqa: S314
        figures = {found.get("name", ""): _number(found.get("value", "0")) for found in case.iter("property")}
        yield Case(figures, _message(case, "failure", "error"), _message(case, "skipped"))


def result_of(check: Check, cases: Sequence[Case], command: str, *, status: int = _NONE_CHOSEN) -> Result:
    """Return what the tests of a check come to. `status` is that with which pytest ended.

    >>> row = Check(id="R0", what="Fuzz", target="9 frames", tests=("t.py",), amounts={"frames": 9})
    >>> result_of(row, [Case({"frames": 5}), Case({"frames": 4})], "pytest t.py").value
    '9 frames; 2 of 2 tests passed'
    """
    figures = combined(cases)
    passed = sum(not (case.failed or case.skipped) for case in cases)
    short = [name for name, least in check.amounts.items() if figures.get(name, 0) < least]
    over = [name for name, most in check.limits.items() if figures.get(name, 0) > most]
    told = [", ".join(f"{_written(value)} {name}" for name, value in figures.items())]
    none = "no test ran: there is a long form only" if status == _NONE_CHOSEN else f"pytest ended with {status}"
    told += [f"{passed} of {len(cases)} tests passed" if cases else none]
    told += [f"failed: {case.failed}" for case in cases if case.failed][:1]
    told += [f"not run: {case.skipped}" for case in cases if case.skipped][:1]
    told += [f"the target asks for {check.amounts[name]:,} {name}" for name in short]
    told += [f"the target allows {check.limits[name]:g} {name}" for name in over]
    return Result(
        id=check.id,
        what=check.what,
        target=check.target,
        value="; ".join(filter(None, [*told, check.note])),
        ok=bool(cases) and passed == len(cases) and not (short or over),
        command=command,
    )


def combined(cases: Sequence[Case]) -> Figures:
    """Return the figures of several tests as one: whole numbers are counts and added, of measures the worst counts."""
    total: dict[str, int | float] = {}
    for case in cases:
        for name, value in case.figures.items():
            if isinstance(value, int):
                total[name] = total.get(name, 0) + value
            else:
                total[name] = max(total.get(name, value), value)
    return total


def _number(text: str) -> int | float:
    return float(text) if "." in text or "e" in text else int(text)


def _written(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:,.3g}"


def _message(case: ElementTree.Element, *kinds: str) -> str:
    """Return the first line of why a test failed or was skipped."""
    found = next((found for kind in kinds for found in case.iter(kind)), None)
    return "" if found is None else (found.get("message") or found.tag).splitlines()[0][:200]
