"""git is asked what changed; what it names and cannot be reviewed is told with its reason."""

import asyncio
import subprocess
from pathlib import Path

import pytest

from fimserver.errors import GitUnusable
from fimserver.review.changes import Skipped, Wanted, changed_targets
from fimserver.review.passages import Target

Told = dict[str, str]


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with one commit of till.py on the branch main."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    git(tmp_path, "init", "-q", "-b", "main")
    (tmp_path / "till.py").write_text("a = 1\nb = 2\nc = 3\n")
    git(tmp_path, "add", ".")
    commit(tmp_path)
    return tmp_path


def git(folder: Path, *arguments: str, check: bool = True) -> None:
    who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
    subprocess.run(["git", *who, *arguments], cwd=folder, check=check, capture_output=True)


def commit(folder: Path) -> None:
    git(folder, "commit", "-q", "-a", "-m", "A step")


def told(folder: Path, wanted: Wanted | None = None) -> Told:
    """Return for each file the asked lines, counted from 1, or why there are none."""

    async def collect() -> list[Target | Skipped]:
        return [one async for one in changed_targets(folder, wanted or Wanted())]

    return {
        one.path if isinstance(one, Skipped) else Path(one.document.uri).name: one.why
        if isinstance(one, Skipped)
        else ",".join(str(line + 1) for lines in one.asked for line in lines)
        for one in asyncio.run(collect())
    }


def test_nothing_changed(repository: Path) -> None:
    assert told(repository) == {}


def test_the_working_tree_is_compared_with_the_last_commit(repository: Path) -> None:
    (repository / "till.py").write_text("a = 1\nb = 3\nc = 3\nd = 4\n")
    git(repository, "add", "till.py")
    (repository / "till.py").write_text("a = 0\nb = 3\nc = 3\nd = 4\n")
    assert told(repository) == {"till.py": "1,2,4"}
    assert told(repository, Wanted(staged=True)) == {"till.py": "2,4"}


def test_the_staged_text_is_what_is_reviewed(repository: Path) -> None:
    (repository / "till.py").write_text("a = 5\n")
    git(repository, "add", "till.py")
    (repository / "till.py").write_text("unsaved = 1\n" * 9)

    async def texts() -> list[str]:
        found = changed_targets(repository, Wanted(staged=True))
        return [one.document.text async for one in found if isinstance(one, Target)]

    assert asyncio.run(texts()) == ["a = 5\n"]


def test_new_files_belong_to_the_working_tree(repository: Path) -> None:
    (repository / "new.py").write_text("a = 1\nb = 2\n")
    (repository / "ignored.log").write_text("a\n")
    (repository / ".gitignore").write_text("*.log\n")
    assert told(repository) == {".gitignore": "1,2", "new.py": "1,2,3"}


def test_a_branch_is_compared_with_where_it_left_its_base(repository: Path) -> None:
    git(repository, "checkout", "-q", "-b", "work")
    (repository / "till.py").write_text("a = 1\nb = 9\nc = 3\n")
    commit(repository)
    git(repository, "checkout", "-q", "main")
    (repository / "other.py").write_text("x = 1\n")
    git(repository, "add", ".")
    commit(repository)
    git(repository, "checkout", "-q", "work")
    assert told(repository, Wanted(base="main")) == {"till.py": "2"}


def test_only_some_paths(repository: Path) -> None:
    (repository / "till.py").write_text("a = 0\n")
    (repository / "new.py").write_text("a = 1")
    assert told(repository, Wanted(paths=(repository / "new.py",))) == {"new.py": "1"}


def test_before_the_first_commit(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    (tmp_path / "a.py").write_text("a = 1")
    git(tmp_path, "add", ".")
    assert told(tmp_path) == told(tmp_path, Wanted(staged=True)) == {"a.py": "1"}


SKIPPED = {
    "binary": (b"\0\1\2", "is binary"),
    "not UTF-8": (b"a = '\xe9'\n", "is left out: not UTF-8 text"),
    "a conflict that was left": (
        b"<<<<<<< HEAD\na\n=======\nb\n>>>>>>> work\n",
        "has an unresolved merge conflict on line 1; resolve it first",
    ),
}


@pytest.mark.parametrize(("content", "why"), SKIPPED.values(), ids=SKIPPED)
@pytest.mark.parametrize("staged", [False, True], ids=["in the working tree", "staged"])
def test_what_cannot_be_reviewed_is_told(repository: Path, content: bytes, why: str, staged: bool) -> None:
    (repository / "till.py").write_bytes(content)
    git(repository, "add", "till.py")
    assert told(repository, Wanted(staged=staged)) == {"till.py": why}


def test_a_merge_in_conflict_is_told(repository: Path) -> None:
    git(repository, "checkout", "-q", "-b", "work")
    (repository / "till.py").write_text("a = 2\n")
    commit(repository)
    git(repository, "checkout", "-q", "main")
    (repository / "till.py").write_text("a = 3\n")
    commit(repository)
    git(repository, "merge", "work", check=False)
    assert "conflict" in told(repository)["till.py"]
    assert "conflict" in told(repository, Wanted(staged=True))["till.py"]


REFUSALS = {
    "a base that is no commit": (Wanted(base="nowhere"), "There is no branch or commit 'nowhere'"),
    "a base that looks like an option": (Wanted(base="--output=x"), "There is no branch or commit"),
}


@pytest.mark.parametrize(("wanted", "sentence"), REFUSALS.values(), ids=REFUSALS)
def test_a_base_that_is_none_is_refused(repository: Path, wanted: Wanted, sentence: str) -> None:
    with pytest.raises(GitUnusable, match=sentence):
        told(repository, wanted)


def test_outside_of_every_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(GitUnusable, match=r"not a git repository.*fimserver review FILE"):
        told(tmp_path)


def test_without_git(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(repository))
    with pytest.raises(GitUnusable, match=r"git cannot be run: .*fimserver review FILE"):
        told(repository)


def test_a_repository_cannot_make_git_run_its_programs(repository: Path) -> None:
    ran = repository / "ran"
    for key in ("core.fsmonitor", "diff.external", "diff.evil.textconv", "diff.evil.command"):
        git(repository, "config", key, f"touch {ran};")
    (repository / ".gitattributes").write_text("*.py diff=evil\n")
    (repository / "till.py").write_text("a = 0\n")
    assert "till.py" in told(repository)
    assert not ran.exists()
