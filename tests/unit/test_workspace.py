"""What a repository's own `.fimserver.toml` may do: narrow, and nothing else."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fimserver.settings import Settings, each_setting, read_settings
from fimserver.workspace import SETTINGS_FILE, narrowed

OFF, _ = read_settings({"completion": {"enabled": False}, "context": {"other_files": False, "exclude": ["mine"]}})
WORKSPACE = [name for name, entry in each_setting() if entry.metadata["workspace"]]


def settings_of(settings: Settings, name: str) -> Any:
    group, _, field = name.partition(".")
    return getattr(getattr(settings, group), field)


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        pytest.param(
            "[completion]\nenabled = false", "completion.enabled", False, id="suggestions can be switched off"
        ),
        pytest.param("[context]\nother_files = false", "context.other_files", False, id="other files can be kept out"),
        pytest.param("[context]\nexclude = ['a']", "context.exclude", ("a",), id="exclusions can be added"),
        pytest.param("[completion]\nmax_lines = 99", "completion.max_lines", 12, id="what is yours alone stays"),
        pytest.param("[context]\nnotes = true", "context.notes", False, id="notes are asked for by the user only"),
        pytest.param("[engine]\nurl = 'http://canary'", "engine.url", "", id="no address"),
        pytest.param("[model]\ncompletion = '/canary.gguf'", "model.completion", "", id="no model"),
        pytest.param("not TOML", "context.other_files", False, id="what cannot be understood may exclude all"),
        pytest.param("[context]\nexclude = 'a'", "context.exclude", (), id="a value of the wrong kind is not taken"),
        pytest.param("# \xff", "context.other_files", True, id="any text may stand in a comment"),
        pytest.param("x = 1" + " " * 100_000, "context.other_files", False, id="a huge file is not read"),
    ],
)
def test_a_workspace_file_narrows(tmp_path: Path, text: str, name: str, value: Any) -> None:
    (tmp_path / SETTINGS_FILE).write_text(text, "utf-8")
    assert settings_of(narrowed(Settings(), [tmp_path])[0], name) == value


@pytest.mark.parametrize("text", ["[completion]\nenabled = true", "[context]\nother_files = true\nexclude = []"])
def test_a_workspace_file_never_widens_what_the_user_said(tmp_path: Path, text: str) -> None:
    (tmp_path / SETTINGS_FILE).write_text(text, "utf-8")
    assert narrowed(OFF, [tmp_path]) == (OFF, [])


def test_every_setting_a_workspace_may_make_can_only_narrow() -> None:
    for name in WORKSPACE:
        assert settings_of(Settings(), name) in (True, ()), f"{name}: on, or nothing excluded, is the wide end"


def test_the_files_of_all_folders_count(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / SETTINGS_FILE).write_text(f"[context]\nexclude = ['{name}', 'mine']")
    users = replace(Settings(), context=replace(Settings().context, exclude=("mine",)))
    settings, problems = narrowed(users, [tmp_path / "one", tmp_path / "two", tmp_path / "none"])
    assert (settings.context.exclude, problems) == (("mine", "one", "two"), [])


def test_what_was_not_taken_is_told_with_its_file(tmp_path: Path) -> None:
    path = tmp_path / SETTINGS_FILE
    path.write_text("[engine]\nkind = 'ollama'\n[nothing]\n")
    _, problems = narrowed(Settings(), [tmp_path])
    assert problems == [
        f"{path}: engine.kind cannot be set by a workspace; using 'local'.",
        f"{path}: There is no settings group 'nothing'; the groups are completion, model, engine, context, privacy.",
    ]


def test_a_file_that_is_no_text_keeps_all_others_out(tmp_path: Path) -> None:
    (tmp_path / SETTINGS_FILE).write_bytes(b"\xff\xfe")
    settings, [problem] = narrowed(Settings(), [tmp_path])
    assert not settings.context.other_files
    assert problem.endswith("Until it is mended, no other file of the workspace is used.")


def test_a_link_that_leads_nowhere_is_no_file(tmp_path: Path) -> None:
    (tmp_path / SETTINGS_FILE).symlink_to(tmp_path / SETTINGS_FILE)
    assert narrowed(Settings(), [tmp_path]) == (Settings(), [])
