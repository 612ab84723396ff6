"""What the global options and the user's settings file come to."""

from pathlib import Path

import pytest

from fimserver.cli.choice import choose, user_settings_file
from fimserver.errors import SettingsError
from fimserver.settings import Settings


def test_without_options_and_file_all_is_default() -> None:
    choice = choose()
    assert (choice.settings, choice.problems, choice.options, choice.script) == (Settings(), (), (), None)


def test_the_users_file_is_found_by_itself() -> None:
    user_settings_file().parent.mkdir(parents=True)
    user_settings_file().write_text("[completion]\nmax_lines = 3\n")
    assert choose().settings.completion.max_lines == 3


def test_a_named_file_takes_the_place_of_the_users(tmp_path: Path) -> None:
    user_settings_file().parent.mkdir(parents=True)
    user_settings_file().write_text("[completion]\nmax_lines = 3\n")
    mine = tmp_path / "mine.toml"
    mine.write_text('[completion]\nshape = "line"\n')
    choice = choose(settings_file=mine)
    assert (choice.settings.completion.max_lines, choice.settings.completion.shape) == (12, "line")
    assert choice.options == ("--settings", str(mine))


def test_a_wrong_value_is_named_with_its_file_and_the_rest_is_taken(tmp_path: Path) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text('[completion]\nmax_lines = 0\nshape = "line"\n[colour]\nred = 1\n')
    choice = choose(settings_file=mine)
    assert choice.settings.completion.shape == "line"
    assert [problem.partition(": ")[0] for problem in choice.problems] == [str(mine)] * 2
    assert choice.problems[0].endswith("completion.max_lines must be at least 1, not 0; using 12.")


def test_a_broken_file_of_the_users_own_is_a_problem_and_stops_nothing() -> None:
    user_settings_file().parent.mkdir(parents=True)
    user_settings_file().write_text("[completion\n")
    choice = choose()
    assert choice.settings == Settings()
    assert len(choice.problems) == 1


@pytest.mark.parametrize(
    ("content", "says"),
    [
        pytest.param(None, "There is no settings file", id="that is not there"),
        pytest.param(b"[completion\n", "is not TOML", id="that is not TOML"),
        pytest.param(b"\xff\xfe", "is not TOML", id="that is not text"),
    ],
)
def test_a_file_that_was_named_must_be_readable(tmp_path: Path, content: bytes | None, says: str) -> None:
    mine = tmp_path / "mine.toml"
    if content is not None:
        mine.write_bytes(content)
    with pytest.raises(SettingsError, match=says):
        choose(settings_file=mine)


@pytest.mark.parametrize(
    ("model", "taken"),
    [
        pytest.param("qwen2.5-coder-1.5b", "qwen2.5-coder-1.5b", id="an id stays as it is"),
        pytest.param("tiny.gguf", "{folder}/tiny.gguf", id="a path becomes one that every process understands"),
    ],
)
def test_the_model_option(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: str, taken: str) -> None:
    monkeypatch.chdir(tmp_path)
    choice = choose(model=model)
    assert choice.settings.model.completion == taken.format(folder=tmp_path)
    assert choice.options == ("--model", taken.format(folder=tmp_path))


def test_a_script_is_passed_on_by_its_whole_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("replies.jsonl").write_text("")
    choice = choose(engine="scripted:replies.jsonl")
    assert choice.script == tmp_path / "replies.jsonl"
    assert choice.options == ("--engine", f"scripted:{tmp_path}/replies.jsonl")
