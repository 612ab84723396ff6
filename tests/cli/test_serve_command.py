"""`fimserver serve` as an editor starts it: what the command line adds to the language server."""

import asyncio
import socket
from pathlib import Path

from fimserver.bench.editor import Buffer, Editor
from fimserver.cli.choice import user_settings_file
from tests.cli import commands

PYTHON = ("def add(a, b):\n    return ", "\n")


async def ghost(*options: str) -> str:
    """Return what the server of these options suggests."""
    async with Editor((*commands.FIMSERVER, *options, "serve")) as editor:
        await editor.initialize({"completion": {"confidence": "off"}})
        return await Buffer(editor, "untitled:1", "python", *PYTHON).suggest()


def test_a_script_answers_the_editor(tmp_path: Path) -> None:
    assert asyncio.run(ghost("--engine", commands.script(tmp_path, {"text": "a + b\n"}))) == "a + b"


def test_a_model_that_is_missing_costs_suggestions_and_no_session(tmp_path: Path) -> None:
    async def session() -> tuple[str, dict[str, str]]:
        async with Editor((*commands.FIMSERVER, "--model", str(tmp_path / "none.gguf"), "serve")) as editor:
            await editor.initialize({})
            shown = await Buffer(editor, "untitled:1", "python", *PYTHON).suggest()
            return shown, await editor.run_command("fimserver.status")

    shown, status = asyncio.run(session())
    assert shown == ""
    assert status["engine"] == "failed"
    assert "none.gguf" in status["message"]


def test_broken_settings_of_the_users_own_stop_nothing(tmp_path: Path) -> None:
    user_settings_file().parent.mkdir(parents=True)
    user_settings_file().write_text("[completion\n")
    assert asyncio.run(ghost("--engine", commands.script(tmp_path, {"text": "a + b\n"}))) == "a + b"


def test_a_port_that_is_taken_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ran = commands.run("serve", "--tcp", str(port))
    assert ran.code == 2
    assert f"Port {port} cannot be used" in ran.err
