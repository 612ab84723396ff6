"""`fimserver engine` and `fimserver status`, with the real engine process."""

import socket
from pathlib import Path

import pytest

from fimserver.models.store import embedded_model
from tests.cli import commands
from tests.cli.in_process import run_here


def test_an_engine_is_started_shown_and_stopped() -> None:
    assert run_here("status", "--json").json["state"] == "absent"
    assert commands.run("engine", "start").out.startswith("tiny-fim is ready")
    assert run_here("engine", "start", "--json").json["name"] == "tiny-fim"
    status = run_here("status", "--json").json
    assert status["state"] == "ready"
    assert status["pid"] > 0
    assert commands.run("engine", "stop").out == "The engine has stopped.\n"
    assert run_here("engine", "status", "--json").json["state"] == "absent"


def test_stopping_without_an_engine_is_no_error() -> None:
    ran = run_here("engine", "stop")
    assert (ran.code, ran.out) == (0, "No engine was running.\n")


def test_the_chat_models_engine_has_a_state_of_its_own(home: Path, tmp_path: Path) -> None:
    assert run_here("status", "--json").json["chat"] is None
    chat = tmp_path / "chat.gguf"
    chat.write_bytes(embedded_model().read_bytes())
    run_here("use", "--chat", chat)
    shown = run_here("status", "--json").json
    assert (shown["chat"]["model"], shown["chat"]["state"]) == (str(chat), "absent")
    assert shown["model"] == str(embedded_model())
    assert "chat engine" in run_here("status").out


def test_status_starts_nothing() -> None:
    assert "not running" in run_here("status").out
    assert "not running" in run_here("status").out


@pytest.fixture
def server_settings(tmp_path: Path) -> Path:
    """Settings that name a server on a port where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    path = tmp_path / "settings.toml"
    path.write_text(f'[engine]\nkind = "llama-server"\nurl = "http://127.0.0.1:{port}"\n')
    return path


def test_a_server_that_does_not_answer_is_a_state_and_no_crash(server_settings: Path) -> None:
    status = run_here("--settings", server_settings, "status", "--json").json
    assert status["state"] == "failed"
    assert status["model"].startswith("llama-server at http://127.0.0.1:")
    checks = run_here("--settings", server_settings, "doctor", "--json").json
    assert [check["name"] for check in checks if not check["ok"]] == ["engine"]


def test_a_server_is_not_ours_to_start(server_settings: Path) -> None:
    ran = run_here("--settings", server_settings, "engine", "start")
    assert ran.code == 2
    assert "started and stopped where it runs" in ran.err
