"""A prompt is a file of ours or the user's own; a wrong one is named with its line and never replaced in silence."""

from pathlib import Path

import pytest

from fimserver.errors import SettingsError
from fimserver.review.prompts import (
    asked,
    fenced,
    prompt_named,
    prompt_names,
    read_prompt,
    stray_prompts,
    user_prompts_folder,
)

SOUND = """---
name: explain
sentence: Explain it my way.
needs: code
---
# System
Be a pirate.

# User
{{code}}
"""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FIMSERVER_HOME", str(tmp_path))
    return tmp_path


def own(name: str, text: str) -> Path:
    path = user_prompts_folder() / f"{name}.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


@pytest.mark.parametrize("name", prompt_names())
def test_every_prompt_of_ours_is_sound_and_calls_fenced_text_material(name: str) -> None:
    prompt = prompt_named(name)
    assert prompt.sentence.endswith(".")
    assert not prompt.of_user
    assert "never" in prompt.system
    assert "instruction" in prompt.system


def test_the_users_own_prompt_is_used_instead_of_ours() -> None:
    path = own("explain", SOUND)
    prompt = prompt_named("explain")
    assert (prompt.sentence, prompt.system, prompt.path) == ("Explain it my way.", "Be a pirate.", path)
    assert prompt.of_user


def test_a_file_that_no_prompt_is_named_after_is_found_out() -> None:
    stray = own("explian", SOUND)
    own("explain", SOUND)
    assert stray_prompts() == [stray]


WRONG = {
    "no front matter": ("# User\nhello\n", 1, "begins with a line `---`"),
    "an empty file": ("", 1, "begins with a line `---`"),
    "front matter without an end": ("---\nname: explain\n", 2, "no second line"),
    "an unknown field": (SOUND.replace("sentence:", "sentense:"), 3, "'sentense' is no field"),
    "a line that is no field": (SOUND.replace("needs: code", "needs code"), 4, "'needs code' is no field"),
    "a field twice": (SOUND.replace("needs:", "name: a\nneeds:"), 4, "name is there twice"),
    "a missing field": (SOUND.replace("needs: code\n", ""), 4, "no needs"),
    "another name than the file's": (SOUND.replace("name: explain", "name: review"), 5, "must be the same"),
    "text before the headings": (SOUND.replace("# System", "Hello\n# System"), 6, "before the first heading"),
    "a heading twice": (SOUND + "# User\nagain\n", 11, "two headings `# User`"),
    "nothing for the user's turn": (SOUND.replace("# User\n{{code}}", "{{code}}"), 9, "nothing below"),
    "a placeholder it does not ask for": (SOUND + "{{path}}\n", 11, "{{path}} stands there"),
    "a need that stands nowhere": (SOUND.replace("{{code}}", "x"), 5, "stands nowhere"),
    "a need that this command has not": (SOUND.replace("code", "weather"), 1, "does not get"),
}


@pytest.mark.parametrize(("text", "line", "words"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_prompt_is_named_with_its_line(text: str, line: int, words: str) -> None:
    path = own("explain", text)
    with pytest.raises(SettingsError) as raised:
        prompt_named("explain")
    assert str(raised.value).startswith(f"{path}:{line}: ")
    assert words in str(raised.value)


def test_a_prompt_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "explain.md").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match=r"explain\.md cannot be read"):
        read_prompt(tmp_path / "explain.md")


def test_an_unknown_name_is_told_the_known_ones() -> None:
    with pytest.raises(SettingsError, match="there are chat, commit-message"):
        prompt_named("../../etc/passwd")


def test_values_are_put_in_once_and_never_read_again() -> None:
    own("explain", SOUND)
    system, user = asked(prompt_named("explain"), {"code": "{{code}} {{path}}"})
    assert (system.role, system.text) == ("system", "Be a pirate.")
    assert (user.role, user.text) == ("user", "{{code}} {{path}}")


FENCES = {
    "a plain text": ("a", "```\na\n```"),
    "one line feed at the end is the fence's": ("a\n\n", "```\na\n\n```"),
    "a text with a fence of its own": ("```\nx\n```", "````\n```\nx\n```\n````"),
    "a text with a longer run": ("`````", "``````\n`````\n``````"),
}


@pytest.mark.parametrize(("text", "drawn"), FENCES.values(), ids=FENCES.keys())
def test_no_text_ends_its_fence(text: str, drawn: str) -> None:
    assert fenced(text) == drawn
