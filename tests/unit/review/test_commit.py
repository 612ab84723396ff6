"""A commit's message comes from what is staged, as far as there is room, and without what must not be shown."""

import subprocess
from pathlib import Path

import pytest

from fimserver.engine.fake import Reply, ScriptedEngine
from fimserver.errors import EditRefused, GitUnusable
from fimserver.review.commit import commit_message, message_of, shortened, visible
from fimserver.settings import ContextSettings

MESSAGES = {
    "it is taken as it is": ("Add a till\n\nIt counts.", "Add a till\n\nIt counts."),
    "a fence": ("Here it is:\n```\nAdd a till\n```\nDone.", "Add a till"),
    "a heading": ("Commit message: Add a till", "Add a till"),
    "quotation marks": ('"Add a till"', "Add a till"),
    "thoughts": ("<think>hm</think>\nAdd a till", "Add a till"),
}


@pytest.mark.parametrize(("answer", "message"), MESSAGES.values(), ids=MESSAGES.keys())
def test_the_message_is_found_in_the_answer(answer: str, message: str) -> None:
    assert message_of(answer) == message


@pytest.mark.parametrize("answer", ["", "```\n```", "Add<|im_end|>", "Add \u202e"])
def test_what_is_no_message_is_refused(answer: str) -> None:
    with pytest.raises(EditRefused):
        message_of(answer)


SHORTENED = {
    "all of it where there is room": (["a\n", "b\n"], 100, "a\nb\n"),
    "a short file whole and a long one cut": (["a\n", "b\nb\nb\nb\n"], 7, "a\nb\nb\n…\n"),
    "the room is shared": (["a\na\na\n", "b\nb\nb\n"], 8, "a\n…\nb\n…\n"),
    "nothing where there is none": (["a\n"], 0, ""),
}


@pytest.mark.parametrize(("files", "characters", "shown"), SHORTENED.values(), ids=SHORTENED.keys())
def test_a_long_diff_is_cut_at_line_ends(files: list[str], characters: int, shown: str) -> None:
    assert shortened(files, characters) == shown


def diff_of(name: str) -> str:
    return f"diff --git a/{name} b/{name}\n--- a/{name}\n+++ b/{name}\n@@ -1 +1 @@\n-a\n+b\n"


def test_of_a_file_that_is_kept_out_only_the_name_is_told(tmp_path: Path) -> None:
    shown, kept_out = visible([diff_of("till.py"), diff_of(".env")], tmp_path, ContextSettings())
    assert shown == diff_of("till.py")
    assert kept_out.startswith(".env (not shown: excluded by the built-in rule")
    [by_setting] = visible([diff_of("till.py")], tmp_path, ContextSettings(exclude=("till.py",)))
    assert "not shown" in by_setting


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FIMSERVER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    git(tmp_path, "init", "-q", "-b", "main")
    return tmp_path


def git(folder: Path, *arguments: str) -> None:
    person = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
    subprocess.run(["git", *person, *arguments], cwd=folder, check=True, capture_output=True)


async def asked(folder: Path, *replies: Reply) -> str:
    return "".join([piece async for piece in commit_message(ScriptedEngine(replies), folder, ContextSettings())])


async def test_the_model_reads_the_staged_diff_and_the_last_subjects(repository: Path) -> None:
    (repository / "till.py").write_text("limit = 1\n")
    git(repository, "add", "till.py")
    git(repository, "commit", "-q", "-m", "feat: begin the till")
    (repository / "till.py").write_text("limit = 2\n")
    git(repository, "add", "till.py")
    (repository / "till.py").write_text("limit = 3\n")
    text = await asked(
        repository, *(Reply(when=part, pieces=("yes",)) for part in ("+limit = 3",)), Reply(pieces=("no",))
    )
    assert text == "no"
    for part in ("-limit = 1\n+limit = 2", "feat: begin the till"):
        assert await asked(repository, Reply(when=part, pieces=("yes",)), Reply(pieces=("no",))) == "yes"


async def test_a_binary_file_is_described_and_not_shown(repository: Path) -> None:
    (repository / "logo.png").write_bytes(b"\0\1\2")
    git(repository, "add", "logo.png")
    assert await asked(repository, Reply(when="logo.png", pieces=("yes",)), Reply(pieces=("no",))) == "yes"


async def test_where_nothing_is_staged_there_is_nothing_to_describe(repository: Path) -> None:
    with pytest.raises(EditRefused, match="git add"):
        await asked(repository)


async def test_without_a_repository_git_says_so(tmp_path: Path) -> None:
    with pytest.raises(GitUnusable, match="not a git repository"):
        await asked(tmp_path)


async def test_conflicts_must_be_resolved_first(repository: Path) -> None:
    path = repository / "till.py"
    for branch, text in (("main", "a\n"), ("other", "b\n")):
        git(repository, "checkout", "-q", "--orphan", branch)
        path.write_text(text)
        git(repository, "add", "till.py")
        git(repository, "commit", "-q", "-m", branch)
    with pytest.raises(subprocess.CalledProcessError):
        git(repository, "merge", "-q", "--allow-unrelated-histories", "main")
    with pytest.raises(GitUnusable, match="conflict"):
        await asked(repository)
