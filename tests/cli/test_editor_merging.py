"""A block goes into a user's file without a change to what stands there, or not at all."""

import tomllib

import pytest

from fimserver.cli.editor_blocks import block_file
from fimserver.cli.editor_merging import behind, helix_languages, json_object, lists_without_us, new_file

HELIX = block_file("helix/languages.toml").read_text("utf-8")


@pytest.mark.parametrize(
    ("text", "merged"),
    [
        pytest.param(None, "b\n", id="no file becomes the block"),
        pytest.param("", "b\n", id="an empty file becomes the block"),
        pytest.param("a\n", "a\n\nb\n", id="a line stands between"),
        pytest.param("a", "a\n\nb\n", id="a last line without an end gets one"),
        pytest.param("a\r\n", "a\r\n\r\nb\r\n", id="line ends are those of the file"),
    ],
)
def test_behind_what_is_there(text: str | None, merged: str) -> None:
    assert behind(text, "b\n") == merged


@pytest.mark.parametrize(
    ("text", "merged"),
    [
        pytest.param(None, "b", id="no file becomes the block"),
        pytest.param("", None, id="a file that is there is the user's"),
    ],
)
def test_a_file_of_our_own(text: str | None, merged: str | None) -> None:
    assert new_file(text, "b") == merged


@pytest.mark.parametrize(
    ("text", "merged"),
    [
        pytest.param(None, '{"b": 1}', id="no file becomes the block"),
        pytest.param("{}\n", '{"b": 1}', id="nothing is lost of an empty object"),
        pytest.param('{"a": 1}', None, id="settings are the user's"),
        pytest.param("// mine\n{}", None, id="so are comments"),
    ],
)
def test_settings_in_json(text: str | None, merged: str | None) -> None:
    assert json_object(text, '{"b": 1}') == merged


@pytest.mark.parametrize(
    ("text", "own_lists"),
    [
        pytest.param(None, [], id="without a file all is ours"),
        pytest.param('theme = "dark"\n', [], id="other tables do not matter"),
        pytest.param('[[language]]\nname = "python"\n', ["python"], id="a language of the user's stays theirs"),
        pytest.param('[[language]]\nname = "zig"\n', ["zig"], id="even one that we have no block for"),
        pytest.param(
            '[[language]]\nname = "rust"\nlanguage-servers = ["fimserver"]\n',
            [],
            id="one that has us is told of no more",
        ),
    ],
)
def test_the_languages_of_helix(text: str | None, own_lists: list[str]) -> None:
    merged = helix_languages(text, HELIX)
    assert merged is not None
    assert merged.startswith(text or "#")
    languages = tomllib.loads(merged)
    assert languages["language-server"]["fimserver"] == {"command": "fimserver", "args": ["serve"]}
    names = [language["name"] for language in languages["language"]]
    assert len(names) == len(set(names))
    assert {language["name"] for language in tomllib.loads(HELIX)["language"]} <= set(names)
    assert lists_without_us(merged) == own_lists


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("[[language]\n", id="no TOML"),
        pytest.param("language-server = { a = { command = 'a' } }\n", id="a table that cannot be added to"),
        pytest.param("[[language]]\nscope = 'a'\n", id="a language without a name"),
        pytest.param("language = 'a'\n", id="something else of that name"),
    ],
)
def test_languages_in_another_form_are_left_alone(text: str) -> None:
    assert helix_languages(text, HELIX) is None
