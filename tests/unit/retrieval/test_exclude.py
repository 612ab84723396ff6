"""Which files never feed a prompt, in which nothing is suggested, and the rule each decision names."""

import os
import random
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from fimserver.retrieval.exclude import Exclusion, Exclusions, Level
from fimserver.retrieval.exclude_patterns import deciding_rule, patterns_of
from fimserver.retrieval.git import Git, listed_files
from fimserver.settings import ContextSettings
from tests.unit.retrieval.exclusion_rows import WORKSPACES, Workspace

ROWS = [
    pytest.param(workspace, path, rule, id=f"{workspace.title} | {path}")
    for workspace in WORKSPACES
    for path, rule in workspace.rows.items()
]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Workspace], tuple[Path, Exclusions]]:
    """Build each workspace of the table once."""
    made: dict[str, tuple[Path, Exclusions]] = {}

    def build(workspace: Workspace) -> tuple[Path, Exclusions]:
        if workspace.title not in made:
            root = tmp_path_factory.mktemp("table") / "root"
            lay_out(root, workspace)
            settings = ContextSettings(exclude=workspace.exclude, exclude_completion=workspace.exclude_completion)
            made[workspace.title] = root, Exclusions((root,), settings, ignore_case=workspace.ignore_case)
        return made[workspace.title]

    return build


def lay_out(root: Path, workspace: Workspace) -> None:
    root.mkdir()
    if workspace.git:
        git(root, "init", "-q")
    for name, content in workspace.files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode("utf-8", "surrogateescape"))
    for name, target in workspace.links.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).symlink_to(root / target)
    if workspace.tracked:
        git(root, "add", "--force", *workspace.tracked)


def git(root: Path, *arguments: str) -> None:
    subprocess.run(["git", "-c", "core.excludesFile=", *arguments], cwd=root, check=True, capture_output=True)


def shown(exclusion: Exclusion | None) -> str:
    """Return a decision as the table writes it: `-` stands before a rule that forbids completion too."""
    if exclusion is None:
        return ""
    return ("-" if exclusion.level is Level.NO_COMPLETION else "") + exclusion.rule


def test_the_table_is_long_enough() -> None:
    assert len(ROWS) >= 300


@pytest.mark.parametrize(("workspace", "path", "rule"), ROWS)
def test_each_path_is_decided_by_this_rule(
    built: Callable[[Workspace], tuple[Path, Exclusions]], workspace: Workspace, path: str, rule: str
) -> None:
    root, exclusions = built(workspace)
    assert shown(exclusions.excluded(root / path)) == rule


def test_a_renamed_file_is_judged_by_its_new_name(tmp_path: Path) -> None:
    exclusions = Exclusions((tmp_path,), ContextSettings())
    (tmp_path / "settings.py").write_text("token = 1")
    assert exclusions.excluded(tmp_path / "settings.py") is None
    (tmp_path / "settings.py").rename(tmp_path / ".env")
    assert shown(exclusions.excluded(tmp_path / ".env")).startswith("-the built-in rule .env")


def test_a_changed_ignore_file_is_read_again(tmp_path: Path) -> None:
    exclusions = Exclusions((tmp_path,), ContextSettings())
    assert exclusions.excluded(tmp_path / "a.py") is None
    (tmp_path / ".aiignore").write_text("a.py")
    exclusions.forget()
    assert shown(exclusions.excluded(tmp_path / "a.py")) == "-.aiignore:1"
    (tmp_path / ".aiignore").write_text("\n\na.py")
    exclusions.forget()
    assert shown(exclusions.excluded(tmp_path / "a.py")) == "-.aiignore:3"
    (tmp_path / ".aiignore").unlink()
    exclusions.forget()
    assert exclusions.excluded(tmp_path / "a.py") is None


def test_git_is_asked_again_when_a_file_becomes_tracked(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    (tmp_path / ".gitignore").write_text("*.log")
    (tmp_path / "a.log").write_text("x")
    exclusions = Exclusions((tmp_path,), ContextSettings())
    assert shown(exclusions.excluded(tmp_path / "a.log")) == ".gitignore:1"
    git(tmp_path, "add", "--force", "a.log")
    assert exclusions.excluded(tmp_path / "a.log") is None


def test_without_the_git_program_the_patterns_are_read_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    git(tmp_path, "init", "-q")
    (tmp_path / ".gitignore").write_text("*.log")
    monkeypatch.setenv("PATH", str(tmp_path))
    exclusions = Exclusions((tmp_path,), ContextSettings())
    assert shown(exclusions.excluded(tmp_path / "a.log")) == ".gitignore:1"
    assert exclusions.excluded(tmp_path / "a.py") is None


def test_a_repository_cannot_make_git_run_a_program(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    monitor = tmp_path / "monitor.sh"
    monitor.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    monitor.chmod(0o755)
    git(tmp_path, "config", "core.fsmonitor", str(monitor))
    (tmp_path / "a.py").write_text("x = 1")
    assert Exclusions((tmp_path,), ContextSettings()).excluded(tmp_path / "a.py") is None
    assert list(listed_files(tmp_path) or ())
    assert not (tmp_path / "ran").exists()


def test_ignore_files_above_the_root_but_inside_the_repository_count(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    (tmp_path / ".aiignore").write_text("package/secret.py")
    (tmp_path / "package").mkdir()
    exclusions = Exclusions((tmp_path / "package",), ContextSettings())
    assert shown(exclusions.excluded(tmp_path / "package" / "secret.py")) == "-.aiignore:1"


def test_an_installed_package_can_be_opened_as_a_workspace(tmp_path: Path) -> None:
    root = tmp_path / ".venv" / "site-packages" / "package"
    root.mkdir(parents=True)
    exclusions = Exclusions((root,), ContextSettings())
    assert exclusions.excluded(root / "a.py") is None
    assert shown(exclusions.excluded(root / "node_modules" / "a.js")).startswith("the built-in rule node_modules")


def test_keys_are_kept_even_where_their_folder_is_the_workspace(tmp_path: Path) -> None:
    root = tmp_path / ".ssh"
    root.mkdir()
    assert shown(Exclusions((root,), ContextSettings()).excluded(root / "config")).startswith("-the built-in rule .ssh")


def test_a_workspace_reached_through_a_link_is_the_workspace(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    (tmp_path / "real" / ".aiignore").write_text("b.py")
    exclusions = Exclusions((tmp_path / "link",), ContextSettings())
    assert exclusions.excluded(tmp_path / "link" / "a.py") is None
    assert exclusions.excluded(tmp_path / "real" / "a.py") is None
    assert shown(exclusions.excluded(tmp_path / "link" / "b.py")) == "-.aiignore:1"


def test_without_a_workspace_only_the_built_in_rules_speak(tmp_path: Path) -> None:
    exclusions = Exclusions((), ContextSettings())
    assert shown(exclusions.excluded(tmp_path / ".env")).startswith("-the built-in rule .env")
    assert shown(exclusions.excluded(tmp_path / "a.py")) == "standing outside the workspace"


def test_a_name_that_is_not_text_is_excluded(tmp_path: Path) -> None:
    exclusions = Exclusions((tmp_path,), ContextSettings())
    assert shown(exclusions.excluded(tmp_path / "a\udcff.py")) == "its name, which is not UTF-8"


def test_a_pipe_is_never_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.py")
    exclusions = Exclusions((tmp_path,), ContextSettings())
    assert shown(exclusions.excluded(tmp_path / "pipe.py")) == "its content: not a regular file"


NAMES = ("a", "b", "ab", "ba", "aab")
PARTS = ("a", "b", "ab", "*", "**", "?", "[ab]", "a*", "*b", "[!a]", "a?", "\\a")


def some_pattern(chance: random.Random) -> str:
    parts = "/".join(chance.choice(PARTS) for _ in range(chance.choice((1, 1, 2, 3))))
    return chance.choice(("", "", "!")) + chance.choice(("", "", "/")) + parts + chance.choice(("", "", "/"))


@pytest.mark.parametrize("seed", range(12))
def test_patterns_mean_what_they_mean_to_git(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    lines = [some_pattern(chance) for _ in range(chance.randint(1, 4))]
    paths = {"/".join(chance.choice(NAMES) for _ in range(chance.randint(1, 4))) + "/x" for _ in range(30)}
    for path in paths:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("x")
    git(tmp_path, "init", "-q")
    (tmp_path / ".gitignore").write_text("\n".join(lines) + "\n")
    patterns = patterns_of(lines, ".gitignore", ignore_case=False)
    asked = Git()
    for path in sorted(paths):
        assert deciding_rule(path.split("/"), {0: patterns}) == asked.ignoring_rule(tmp_path / path, tmp_path), lines
