"""A model is downloaded from within an editor only when the user has agreed, and can be chosen there."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from fimserver.models.catalogue import catalogue
from fimserver.models.store import embedded_model
from tests.lsp.editing_window import CAPABILITIES, EditingWindow
from tests.lsp.raw_client import Message, RawClient
from tests.unit.models.hub_server import HubServer

NAME = "hf:o/r/tiny-fim-pulled.gguf"


@pytest.fixture
def hub() -> Iterator[HubServer]:
    with HubServer({"o/r/tiny-fim-pulled.gguf": embedded_model().read_bytes()}) as server:
        yield server


@pytest.fixture
def window(hub: HubServer, tmp_path: Path, script: Callable[..., tuple[str, ...]]) -> Iterator[EditingWindow]:
    with an_editor(hub, tmp_path, script({"text": "x"})) as client:
        yield EditingWindow(client, "«»\n")


@pytest.fixture(scope="module")
def unused_hub() -> Iterator[HubServer]:
    """A hub that nobody may come to."""
    with HubServer({}) as server:
        yield server


@pytest.fixture(scope="module")
def shared_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def editor(unused_hub: HubServer, shared_home: Path, script: Callable[..., tuple[str, ...]]) -> Iterator[RawClient]:
    """One server for what downloads nothing."""
    with an_editor(unused_hub, shared_home, script({"text": "x"})) as client:
        yield client


@contextmanager
def an_editor(hub: HubServer, home: Path, command: tuple[str, ...]) -> Iterator[RawClient]:
    proxies = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), "")
    environment = {"HF_ENDPOINT": hub.address, "HF_HOME": str(home / "hf"), "NO_PROXY": "*", **proxies}
    with RawClient(home, command, environment) as client:
        client.initialize(capabilities=CAPABILITIES)
        yield client


def pull(window: EditingWindow, name: str = NAME) -> Message:
    return window.finish(begin(window, name))


def begin(window: EditingWindow, name: str = NAME) -> int:
    return send(window, "fimserver.pullModel", name)


def run(window: EditingWindow, command: str, *arguments: Any) -> Message:
    return window.finish(send(window, command, *arguments))


def send(window: EditingWindow, command: str, *arguments: Any) -> int:
    params = {"command": command, "arguments": arguments}
    window.client.send({"id": 7, "method": "workspace/executeCommand", "params": params})
    return 7


def test_without_a_yes_no_connection_is_opened(editor: RawClient, unused_hub: HubServer) -> None:
    window = EditingWindow(editor, "«»\n")
    assert "There is no model 'gpt-17'" in pull(window, "gpt-17")["error"]["message"]
    assert window.asked == []
    assert pull(window)["result"] is None
    assert window.asked == ["window/showMessageRequest"]
    assert unused_hub.requests == []


def test_the_models_that_are_here_are_listed_before_those_that_can_be_had(
    editor: RawClient, unused_hub: HubServer, shared_home: Path
) -> None:
    window = EditingWindow(editor, "«»\n")
    mine = shared_home / "models" / "mine.gguf"
    mine.parent.mkdir(exist_ok=True)
    mine.write_bytes(embedded_model().read_bytes())
    listed = {use: run(window, "fimserver.listModels", use)["result"] for use in ("completion", "chat")}
    assert [model["name"] for model in listed["completion"]][:2] == ["embedded", str(mine)]
    assert listed["chat"][0]["name"] == str(mine)
    for use, models in listed.items():
        first = next(model for model in models if not model["here"])
        assert first["name"] == next(model.id for model in catalogue().values() if use in model.uses and model.files)
    assert unused_hub.requests == []


def test_a_plug_in_may_see_itself_to_the_use_of_what_was_downloaded(window: EditingWindow, tmp_path: Path) -> None:
    window.pressed = "Download"
    path = tmp_path / "models" / "o" / "r" / "tiny-fim-pulled.gguf"
    assert run(window, "fimserver.pullModel", NAME, False)["result"] == {"path": str(path)}
    run(window, "fimserver.why")
    assert window.asked.count("window/showMessageRequest") == 1, "whether to download"


def test_a_download_shows_how_far_it_is_and_ends_in_a_file_that_can_be_chosen(
    window: EditingWindow, tmp_path: Path
) -> None:
    number, settings = begin(window), tmp_path / "config" / "settings.toml"
    for button in ("Download", "Use it"):
        window.pressed = button
        window.wait_for("window/showMessageRequest")
    while not settings.exists():  # written before the next request is answered, or the one after it
        window.client.request(number + 1, "workspace/executeCommand", {"command": "fimserver.why"})
    path = tmp_path / "models" / "o" / "r" / "tiny-fim-pulled.gguf"
    assert path.read_bytes() == embedded_model().read_bytes()
    assert settings.read_text() == f'[model]\ncompletion = "{path}"\n'
    assert window.seen[0] == "begin"
    assert window.seen[-1] == "end"


def test_a_download_that_is_cancelled_goes_on_the_next_time(
    window: EditingWindow, hub: HubServer, tmp_path: Path
) -> None:
    half = len(hub.files["o/r/tiny-fim-pulled.gguf"]) // 2
    window.pressed = "Download"

    def half_then_slowly(handler: Any, content: bytes, start: int) -> None:
        handler.start(200, {"Content-Length": str(len(content))})
        handler.wfile.write(content[:half])
        for byte in content[half:]:  # until the other side is gone
            handler.wfile.write(bytes([byte]))
            time.sleep(0.001)

    hub.faults.append(half_then_slowly)
    number = begin(window)
    token = window.wait_for_progress("begin")
    while not any(part.stat().st_size for part in tmp_path.glob("models/**/*.part")):
        time.sleep(0.01)
    window.client.send({"method": "window/workDoneProgress/cancel", "params": {"token": token}})
    assert window.finish(number)["error"]["message"] == "The request was cancelled."
    while "error" in pull(window):  # the download ends with the next bytes that come
        pass
    assert hub.requests[-1][2]["range"].startswith("bytes=")


def test_an_editor_that_cannot_ask_downloads_nothing(
    hub: HubServer, tmp_path: Path, script: Callable[..., tuple[str, ...]]
) -> None:
    with RawClient(tmp_path, script({"text": "x"}), {"HF_ENDPOINT": hub.address}) as client:
        client.initialize()
        answer = pull(EditingWindow(client, "«»\n"))
    assert "Run: fimserver pull" in answer["error"]["message"]
    assert hub.requests == []
