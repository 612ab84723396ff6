"""A running server follows the user's settings file: another model answers without a restart, over real stdio."""

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fimserver.errors import SettingsError
from fimserver.lsp.following import SettingsFile
from fimserver.models.store import embedded_model
from fimserver.settings import Settings
from fimserver.settings_file import write_setting
from tests.cli import commands
from tests.lsp.raw_client import RawClient

SERVE = (sys.executable, "-m", "fimserver", "serve")
TEXT = "class A:\n    def __init__(self, name):\n        self.na"
URI = "file:///a.py"


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A private home, short enough for sockets, with two models that differ in their names."""
    folder = Path(tempfile.mkdtemp(prefix="fim-"))
    monkeypatch.setenv("FIMSERVER_HOME", str(folder))
    (folder / "models").mkdir()
    content = embedded_model().read_bytes()
    (folder / "models" / "tiny-fim-one.gguf").write_bytes(content.replace(b"tiny-fim", b"tiny-one"))
    (folder / "models" / "tiny-fim-two.gguf").write_bytes(content.replace(b"tiny-fim", b"tiny-two"))
    (folder / "models" / "mine.gguf").write_bytes(content.replace(b"tiny-fim", b"whatever"))
    yield folder
    commands.run("engine", "stop")
    shutil.rmtree(folder)


class Window(RawClient):
    """An editor window that keeps what the user was told."""

    def __init__(self, home: Path) -> None:
        super().__init__(home, SERVE)
        self.told: list[str] = []
        self._numbers = iter(range(1, 10_000))
        self.initialize(initializationOptions={"completion": {"deadline_ms": 20, "confidence": "off"}})
        self.open(TEXT, URI)

    def receive(self) -> dict[str, Any]:
        message = super().receive()
        if message.get("method") == "window/showMessage":
            self.told.append(message["params"]["message"])
        return message

    def ask(self, method: str, params: Any) -> Any:
        return self.request(next(self._numbers), method, params)["result"]

    def suggest(self) -> list[Any]:
        position = {"line": 2, "character": len("        self.na")}
        context = {"triggerKind": 1}
        asked = {"textDocument": {"uri": URI}, "position": position, "context": context}
        return list(self.ask("textDocument/inlineCompletion", asked)["items"])

    def status(self) -> dict[str, Any]:
        return dict(self.ask("workspace/executeCommand", {"command": "fimserver.status"}))


def until(seen: Callable[[], bool]) -> None:
    """Look until something is so; the test's own timeout ends it where it never is."""
    while not seen():
        time.sleep(0.05)


def engines(home: Path) -> list[Path]:
    return list((home / "run").glob("*.door"))


def choose(home: Path, model: str) -> None:
    write_setting(home / "config" / "settings.toml", "model", "completion", model)


def test_another_model_answers_without_a_restart(home: Path) -> None:
    choose(home, "tiny-fim-one")
    with Window(home) as window:
        until(lambda: window.status()["model"] == "tiny-one")
        until(lambda: bool(window.suggest()))
        (first,) = engines(home)

        assert "in open editors too" in commands.run("use", home / "models" / "tiny-fim-two.gguf").out
        window.suggest()  # it is answered, and that is enough: the new model may still be read
        until(lambda: window.status()["model"] == "tiny-two")
        until(lambda: bool(window.suggest()))
        until(lambda: first not in engines(home))
        assert len(engines(home)) == 1
        assert window.told == []

        choose(home, "/no/such.gguf")
        assert window.suggest() == []
        until(lambda: any("There is no model file /no/such.gguf" in sentence for sentence in window.told))
        choose(home, "mine")
        until(lambda: bool(window.suggest()) and "The model is unknown" in window.told[-1])


class TestFile:
    """What is noticed of a file."""

    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        path = tmp_path / "settings.toml"
        path.write_text("one")
        return path

    def test_a_file_that_was_not_written_is_not_read(self, path: Path) -> None:
        followed = SettingsFile(path, lambda: pytest.fail("it was read"))
        assert followed.news() is None

    def test_a_file_that_was_written_is_read_once(self, path: Path) -> None:
        followed = SettingsFile(path, lambda: (Settings(), [path.read_text()]))
        path.write_text("three")
        assert followed.news() == (Settings(), ["three"])
        assert followed.news() is None

    def test_a_file_that_was_replaced_by_one_of_the_same_size_and_date_is_read(self, path: Path) -> None:
        followed = SettingsFile(path, lambda: (Settings(), [path.read_text()]))
        found, other = path.stat(), path.with_name("other")
        other.write_text("two")
        os.utime(other, ns=(found.st_atime_ns, found.st_mtime_ns))
        other.replace(path)
        assert followed.news() == (Settings(), ["two"])

    def test_a_file_that_was_removed_or_made_is_news(self, path: Path) -> None:
        followed = SettingsFile(path, lambda: (Settings(), []))
        path.unlink()
        assert followed.news() is not None
        path.write_text("one")
        assert followed.news() is not None

    def test_a_file_that_cannot_be_read_is_said_once(self, path: Path) -> None:
        def reread() -> tuple[Settings, list[str]]:
            raise SettingsError("It is not TOML.")

        followed = SettingsFile(path, reread)
        path.write_text("[")
        with pytest.raises(SettingsError):
            followed.news()
        assert followed.news() is None
