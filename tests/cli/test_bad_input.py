"""Whatever is wrong with files, models and settings: one clear sentence, no traceback, nothing half done."""

from collections.abc import Callable
from pathlib import Path

import pytest

from fimserver.models.store import embedded_model
from tests.cli import commands
from tests.cli.in_process import run_here


def refused(ran: commands.Ran) -> str:
    """Return the one sentence with which a command was refused."""
    assert ran.code == 2
    assert ran.out == ""
    assert ran.err.startswith("fimserver: ")
    assert ran.err.count("\n") == 1
    return ran.err


@pytest.mark.parametrize(
    ("content", "says"),
    [
        pytest.param(None, "main.py cannot be read: No such file or directory.", id="a file that is not there"),
        pytest.param(b"\x7fELF\0\0\0", "main.py is a binary file", id="a binary file"),
        pytest.param("caf\u00e9".encode("latin-1"), "main.py is not UTF-8 text", id="a file in another encoding"),
        pytest.param(b"a\n", "main.py has 2 lines, so there is no line 3", id="a place past the end"),
    ],
)
def test_files(tmp_path: Path, content: bytes | None, says: str) -> None:
    engine = commands.script(tmp_path, {"text": "x\n"})
    if content is not None:
        commands.file(tmp_path, content)
    assert says in refused(run_here("--engine", engine, "complete", f"{tmp_path / 'main.py'}:3:1"))


def test_a_file_of_5_mb_gets_a_reason(tmp_path: Path) -> None:
    engine = commands.script(tmp_path, {"text": "x\n"})
    path = commands.file(tmp_path, b"value = 1\n" * 500_000)
    answer = run_here("--engine", engine, "complete", "--json", f"{path}:1:1").json
    assert answer["reason"] == "unsuitable-file"


@pytest.mark.parametrize("name", ["main.py", "notes.unheard"])
def test_an_empty_file_is_a_file_like_any_other(tmp_path: Path, name: str) -> None:
    engine = commands.script(tmp_path, {"text": "import os\n"})
    path = commands.file(tmp_path, b"", name)
    assert run_here("--engine", engine, "complete", "--json", f"{path}:1:1").json["text"] == "import os"


def missing(_folder: Path) -> None:
    """There is no such file."""


def empty(path: Path) -> None:
    path.write_bytes(b"")


def garbage(path: Path) -> None:
    path.write_bytes(b"no model at all " * 100)


def truncated(path: Path) -> None:
    path.write_bytes(embedded_model().read_bytes()[:100_000])


def a_folder(path: Path) -> None:
    path.mkdir()


def without_fim_tokens(path: Path) -> None:
    """Rename the control tokens in place, and the keys that name their ids: same lengths, same file."""
    model = embedded_model().read_bytes()
    path.write_bytes(
        model.replace(b"fim_", b"zzz_").replace(b"repo_name", b"zzzz_zzzz").replace(b"file_sep", b"zzzz_zzz")
    )


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        (missing, "There is no model file"),
        (empty, "some.gguf"),
        (garbage, "some.gguf"),
        (truncated, "some.gguf"),
        (a_folder, "some.gguf is a folder"),
        (without_fim_tokens, "tiny-fim cannot fill in the middle"),
    ],
)
def test_models(tmp_path: Path, broken: Callable[[Path], None], says: str) -> None:
    model = tmp_path / "some.gguf"
    broken(model)
    path = commands.file(tmp_path, b"a = \n")
    assert says in refused(run_here("--model", model, "complete", f"{path}:1:5"))


def test_a_model_that_nobody_knows_is_named(tmp_path: Path) -> None:
    path = commands.file(tmp_path, b"a = \n")
    assert "gpt-17" in refused(run_here("--model", "gpt-17", "complete", f"{path}:1:5"))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        pytest.param("[completion\n", "is not TOML", id="no TOML"),
        pytest.param("", "There is no settings file", id="no file"),
    ],
)
def test_settings_that_cannot_be_read(tmp_path: Path, content: str, says: str) -> None:
    settings = tmp_path / "settings.toml"
    if content:
        settings.write_text(content)
    assert says in refused(run_here("--settings", settings, "status"))


def test_settings_with_a_wrong_value_are_named_and_the_command_goes_on(tmp_path: Path) -> None:
    settings = tmp_path / "settings.toml"
    settings.write_text("[completion]\nmax_lines = 0\n")
    ran = run_here("--settings", settings, "status")
    assert ran.code == 0
    assert ran.err == f"fimserver: {settings}: completion.max_lines must be at least 1, not 0; using 12.\n"


@pytest.mark.parametrize(
    ("line", "says"),
    [
        pytest.param("{", "is no reply", id="a line that is not JSON"),
        pytest.param('{"error": "nonsense"}', "There is no error 'nonsense'", id="an error that is none"),
    ],
)
def test_scripts(tmp_path: Path, line: str, says: str) -> None:
    replies = tmp_path / "replies.jsonl"
    replies.write_text(line)
    path = commands.file(tmp_path, b"a = \n")
    assert says in refused(run_here("--engine", f"scripted:{replies}", "complete", f"{path}:1:5"))


def test_a_folder_for_sockets_that_cannot_be_made(home: Path, tmp_path: Path) -> None:
    (home / "run").write_text("a file where a folder should be")
    path = commands.file(tmp_path, b"a = \n")
    assert str(home / "run") in refused(commands.run("complete", f"{path}:1:5"))
