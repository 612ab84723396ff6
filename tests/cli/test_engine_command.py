"""`fimserver engine` and `fimserver status`, with the real engine process."""

from tests.cli import commands


def test_an_engine_is_started_shown_and_stopped() -> None:
    assert commands.run("status", "--json").json["state"] == "absent"
    assert commands.run("engine", "start").out.startswith("tiny-fim is ready")
    status = commands.run("status", "--json").json
    assert status["state"] == "ready"
    assert status["pid"] > 0
    assert commands.run("engine", "stop").out == "The engine has stopped.\n"
    assert commands.run("engine", "status", "--json").json["state"] == "absent"


def test_stopping_without_an_engine_is_no_error() -> None:
    ran = commands.run("engine", "stop")
    assert (ran.code, ran.out) == (0, "No engine was running.\n")


def test_status_starts_nothing() -> None:
    assert "not running" in commands.run("status").out
    assert "not running" in commands.run("status").out
