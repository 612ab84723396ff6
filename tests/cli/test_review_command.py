"""`fimserver review`: files and changes, in every format, with an exit code that tells how bad it is."""

import contextlib
import io
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from fimserver.cli.main import run
from fimserver.cli.review import exit_code
from fimserver.review.dismissed import dismiss, finding_key
from fimserver.review.findings import Category, Finding, Severity
from fimserver.values import Document, Span
from tests.cli import commands
from tests.cli.commands import Ran

TEXT = "def mean(values):\n    total = sum(values)\n    return total / len(values)\n"
CLAIM = {"line": 3, "quote": "len(values)", "category": "bug", "severity": "error", "message": "It may be 0."}
FIXED = {**CLAIM, "replacement": "max(1, len(values))"}


def review(folder: Path, *arguments: str, answer: Any = FIXED) -> Ran:
    """Review in a folder; each part is answered the same."""
    text = answer if isinstance(answer, str) else json.dumps(answer)
    return review_with(folder, {"text": text}, *arguments)


def review_with(folder: Path, reply: dict[str, Any], *arguments: str) -> Ran:
    """Review in a folder without a process of its own: most of its time would go into starting."""
    script = commands.script(folder.parent, reply, {"text": json.dumps(CLAIM)})
    out, err = io.StringIO(), io.StringIO()
    # Looking for other files that may help takes longer than all the rest, and is tested elsewhere.
    settings = commands.file(folder.parent, "[context]\nother_files = false\n", "settings.toml")
    with contextlib.chdir(folder), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = run(["--settings", str(settings), "--engine", script, "review", *arguments])
    return Ran(code, out.getvalue(), err.getvalue())


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository of one file, staged."""
    monkeypatch.setenv("FIMSERVER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "mean.py").write_text(TEXT)
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    subprocess.run(["git", "add", "mean.py"], cwd=folder, check=True)
    return folder


def test_a_finding_is_printed_with_its_fix_by_a_process_of_its_own(project: Path) -> None:
    script = commands.script(project.parent, {"text": json.dumps(FIXED)})
    done = subprocess.run(
        [*commands.FIMSERVER, "--engine", script, "review", "mean.py"],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    assert Ran(done.returncode, done.stdout, done.stderr) == Ran(
        5,
        "mean.py:3:20: error [bug] It may be 0.\n"
        "  -     return total / len(values)\n"
        "  +     return total / max(1, len(values))\n",
        "mean.py: lines 1 to 3 (1 of 1)\n",
    )


@pytest.mark.parametrize("arguments", [(), ("--staged",), ("--staged", "mean.py"), (".",)], ids=" ".join)
def test_a_change_or_a_folder_is_reviewed(project: Path, arguments: tuple[str, ...]) -> None:
    assert review(project, "--json", *arguments).json["findings"] == [
        {
            "path": "mean.py",
            "start": {"line": 3, "column": 20},
            "end": {"line": 3, "column": 31},
            "category": "bug",
            "severity": "error",
            "message": "It may be 0.",
            "quote": "len(values)",
            "replacement": "max(1, len(values))",
        }
    ]


def test_a_file_of_no_repository_is_reviewed(project: Path) -> None:
    subprocess.run(["rm", "-r", str(project / ".git")], check=True)
    assert [one["path"] for one in review(project, "--json", "mean.py").json["findings"]] == ["mean.py"]


def test_silence_is_no_finding(project: Path) -> None:
    ran = review(project, "mean.py", answer="{}")
    assert ran == Ran(0, "No findings.\n", "mean.py: lines 1 to 3 (1 of 1)\n")


def test_prose_is_no_clean_bill(project: Path) -> None:
    ran = review(project, "mean.py", answer="Looks good to me!")
    assert (ran.code, ran.out) == (2, "")
    assert "not in the form it was asked for" in ran.err


def test_github_shows_it_beside_the_line(project: Path) -> None:
    ran = review(project, "--github", "mean.py", answer={**CLAIM, "message": "50% a,\nb: c"})
    assert ran.out == (
        "::error file=mean.py,line=3,endLine=3,col=20,endColumn=31,title=fimserver%3A bug::50%25 a, b: c\n"
    )


def test_sarif_has_the_place_the_rule_and_the_fix(project: Path) -> None:
    (project / "mean.py").rename(project / "the mean.py")
    [run] = review(project, "--sarif", "the mean.py").json["runs"]
    [result] = run["results"]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"] == {"uri": "the%20mean.py"}
    assert result["ruleId"] in [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    region = result["locations"][0]["physicalLocation"]["region"]
    assert (region["startLine"], region["startColumn"], region["endColumn"]) == (3, 20, 31)
    [change] = result["fixes"][0]["artifactChanges"]
    assert change["replacements"][0]["insertedContent"] == {"text": "max(1, len(values))"}
    assert run["invocations"][0]["executionSuccessful"]


FORMS = {"text": (), "json": ("--json",), "sarif": ("--sarif",), "github": ("--github",)}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_what_was_found_before_a_failure_is_printed(project: Path, form: tuple[str, ...]) -> None:
    (project / "late.py").write_text("x = 1  # late\n")
    died = {"when": "# late", "error": "engine-unavailable", "message": "The engine died."}
    ran = review_with(project, died, *form, "mean.py", "late.py")
    assert ran.code == 2
    assert "It may be 0." in ran.out
    assert "The engine died." in ran.err


LEFT_OUT = {
    "binary": ("a.bin", b"\0\1", "a.bin is left out: binary."),
    "not UTF-8": ("a.py", b"\xff", "a.py is left out: not UTF-8 text."),
    "a merge conflict": ("a.py", b"<<<<<<< a\n=======\n>>>>>>> b\n", "merge conflict on line 1; resolve it first."),
    "a file of secrets": (".env", b"A=1\n", "is excluded by the built-in rule"),
}


@pytest.mark.parametrize(("name", "content", "sentence"), LEFT_OUT.values(), ids=LEFT_OUT)
def test_what_cannot_be_reviewed_is_named(project: Path, name: str, content: bytes, sentence: str) -> None:
    (project / name).write_bytes(content)
    ran = review(project, name)
    assert (ran.code, ran.out) == (0, "")
    assert sentence in ran.err


def test_a_diff_of_fifty_thousand_lines_is_reviewed_as_far_as_it_goes(project: Path) -> None:
    (project / "long.py").write_text("\n".join(f"x{n} = {n}" for n in range(50_000)))
    ran = review(project, "long.py", answer="{}")
    assert ran.code == 0
    assert "45,000 lines were left out; name files to review them." in ran.err


REFUSED = {
    "two changes at once": (("--staged", "--base", "main"), "name one"),
    "a base that is none": (("--base", "nowhere"), "There is no branch or commit 'nowhere'"),
    "a file that is none": (("nothing.py",), "does not exist"),
}


@pytest.mark.parametrize(("arguments", "sentence"), REFUSED.values(), ids=REFUSED)
def test_what_makes_no_sense_is_refused(project: Path, arguments: tuple[str, ...], sentence: str) -> None:
    ran = review(project, *arguments)
    assert ran.code == 2
    assert sentence in ran.err


def test_without_a_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    folder = tmp_path / "nowhere"
    folder.mkdir()
    monkeypatch.setenv("FIMSERVER_HOME", str(tmp_path))
    ran = review(folder)
    assert ran.code == 2
    assert "not a git repository" in ran.err
    assert "fimserver review FILE" in ran.err


def test_without_a_chat_model(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["review", str(project / "mean.py")]) == 2
    said = capsys.readouterr().err
    assert "No chat model is chosen" in said
    assert "fimserver pull" in said


def test_what_was_dismissed_can_be_shown_and_restored(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (project / "mean.py").read_text()
    start = text.index("len(values)")
    document = Document.of(text, uri=(project / "mean.py").as_uri())
    seen = Finding(
        document=document,
        span=Span(start, start + 11),
        category=Category.BUG,
        severity=Severity.NOTE,
        message="Before.",
    )
    dismiss(finding_key(seen))
    assert review(project, "--json", "mean.py").json["dropped"] == {"dismissed": 1}
    assert review(project, "--all", "mean.py").code == 5
    assert run(["review", "--restore"]) == 0
    assert "1 dismissals were forgotten" in capsys.readouterr().out
    assert review(project, "mean.py").code == 5


def test_an_escape_sequence_in_a_file_reaches_no_terminal(project: Path) -> None:
    (project / "mean.py").write_text("x = '\x1b[2J'\n")
    ran = review(project, "mean.py", answer={**CLAIM, "line": 1, "quote": "x ="})
    assert "\x1b" not in ran.out
    assert "x = '" in ran.out


def finding(severity: Severity) -> Finding:
    return Finding(
        document=Document.of("x"), span=Span(0, 1), category=Category.BUG, severity=severity, message="It is."
    )


CODES = {
    "nothing": ([], "note", 0),
    "a note": ([Severity.NOTE], "note", 3),
    "a note does not count by default": ([Severity.NOTE], "warning", 0),
    "the worst counts": ([Severity.NOTE, Severity.WARNING], "note", 4),
    "an error": ([Severity.WARNING, Severity.ERROR], "warning", 5),
    "a warning where only errors count": ([Severity.WARNING], "error", 0),
    "never": ([Severity.ERROR], "never", 0),
}


@pytest.mark.parametrize(("severities", "fail_on", "code"), CODES.values(), ids=CODES)
def test_the_exit_code_tells_the_worst(severities: list[Severity], fail_on: str, code: int) -> None:
    assert exit_code([finding(severity) for severity in severities], fail_on) == code


def test_the_hook_runs_the_command() -> None:
    hooks = (Path(__file__).parents[2] / ".pre-commit-hooks.yaml").read_text()
    [entry] = [line.partition(": ")[2] for line in hooks.splitlines() if "entry:" in line]
    name, *arguments = entry.split()
    assert name == "fimserver"
    assert run([*arguments, "--help"]) == 0
