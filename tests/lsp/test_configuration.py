"""Settings come from three places; what a workspace could have written cannot choose a model, program or address."""

from pathlib import Path
from typing import Any

import pytest

from fimserver.lsp.configuration import Wishes, settings_at_start, settings_while_running
from fimserver.lsp.following import SettingsFile
from fimserver.settings import Settings, read_settings

USERS, _ = read_settings({"completion": {"max_lines": 7}, "model": {"completion": "/users.gguf"}})

SHAPES: dict[str, Any] = {
    "groups": {"completion": {"max_lines": 3}},
    "groups in a section": {"fimserver": {"completion": {"max_lines": 3}}},
}


@pytest.mark.parametrize("values", SHAPES.values(), ids=SHAPES)
def test_settings_may_stand_in_a_section_of_their_own(values: Any) -> None:
    assert settings_at_start(USERS, values)[0].completion.max_lines == 3
    assert settings_while_running(USERS, values)[0].completion.max_lines == 3


@pytest.mark.parametrize("values", [None, {}, [], "x", 5, {"fimserver": None}], ids=repr)
def test_no_settings_leave_the_users_own(values: Any) -> None:
    settings, _ = settings_while_running(USERS, values)
    assert settings.completion.max_lines == 7


def test_a_configuration_replaces_the_one_before_it() -> None:
    assert settings_while_running(USERS, {"completion": {"max_lines": 3}})[0].completion.max_lines == 3
    assert settings_while_running(USERS, {"completion": {"shape": "line"}})[0].completion.max_lines == 7


def test_the_model_is_chosen_when_the_server_starts() -> None:
    settings, problems = settings_at_start(USERS, {"model": {"completion": "/other.gguf"}})
    assert (settings.model.completion, problems) == ("/other.gguf", [])


MACHINE = [
    ("model", "completion", "/canary.gguf"),
    ("model", "chat", "/canary.gguf"),
    ("engine", "url", "http://canary"),
    ("engine", "kind", "ollama"),
    ("engine", "allow_plain_http", True),
    ("engine", "api_key_variable", "CANARY"),
]


@pytest.mark.parametrize(("group", "name", "value"), MACHINE)
def test_a_running_server_takes_no_model_program_or_address(group: str, name: str, value: Any) -> None:
    settings, problems = settings_while_running(USERS, {group: {name: value}, "completion": {"max_lines": 3}})
    assert getattr(getattr(settings, group), name) == getattr(getattr(USERS, group), name)
    assert settings.completion.max_lines == 3
    [problem] = problems
    assert f"{group}.{name}" in problem
    assert "restart" in problem


def test_repeating_what_is_set_already_is_no_problem() -> None:
    same = {"model": {"completion": "/users.gguf"}, "engine": {"kind": "local", "url": ""}}
    assert settings_while_running(USERS, same) == (USERS, [])


def test_wrong_settings_are_named_and_the_others_taken() -> None:
    settings, problems = settings_while_running(
        Settings(), {"completion": {"max_lines": "many", "shape": "line"}, "nothing": {}}
    )
    assert settings.completion.shape == "line"
    assert len(problems) == 2


def test_a_written_file_changes_what_nobody_configured(tmp_path: Path) -> None:
    file, said = tmp_path / "settings.toml", {"completion": {"max_lines": 5, "deadline_ms": 900}}
    followed = SettingsFile(file, lambda: read_settings(said))
    wishes = Wishes(USERS, followed, {})
    assert wishes.reread() is None
    wishes.configure({"completion": {"max_lines": 3}})
    file.write_text("written", "utf-8")
    settings, problems = wishes.reread() or (Settings(), ["nothing was read"])
    assert (settings.completion.max_lines, settings.completion.deadline_ms, problems) == (3, 900, [])
