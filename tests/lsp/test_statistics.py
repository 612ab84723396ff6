"""Over real stdio: what an editor says of its suggestions is what `fimserver stats` counts once the server is gone."""

import itertools
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.lsp.raw_client import RawClient

Script = Callable[..., tuple[str, ...]]

REPLIES = (
    {"ends": "def add(", "text": "a, b):\n"},
    {"ends": "def secret_name(", "text": "first, second):\n"},
)

_numbers = itertools.count(1)


def counted(home: Path) -> Any:
    """Return what the command line prints for this home."""
    command = [sys.executable, "-m", "fimserver", "stats", "--json"]
    ran = subprocess.run(command, env={**os.environ, "FIMSERVER_HOME": str(home)}, capture_output=True, check=True)
    return json.loads(ran.stdout)


def start(client: RawClient, **groups: dict[str, Any]) -> None:
    client.initialize(initializationOptions={"completion": {"confidence": "off"}, **groups})


def offered(client: RawClient, text: str, uri: str) -> Any:
    """Open a document of one line and return the item that is offered at its end."""
    client.open(text, uri)
    place = {"textDocument": {"uri": uri}, "position": {"line": 0, "character": len(text)}}
    answer = client.request(next(_numbers), "textDocument/inlineCompletion", {**place, "context": {"triggerKind": 2}})
    [item] = answer["result"]["items"]
    return item


def say(client: RawClient, what: str, item: Any, **more: Any) -> None:
    client.send({"method": f"fimserver/{what}", "params": {"item": item, **more}})


def accept(client: RawClient, item: Any) -> None:
    command = item["command"]
    parameters = {"command": command["command"], "arguments": command["arguments"]}
    assert client.request(next(_numbers), "workspace/executeCommand", parameters)["result"] is None


def leave(client: RawClient) -> None:
    client.request(next(_numbers), "shutdown")
    client.send({"method": "exit"})
    assert client.process.wait(timeout=200) == 0


def test_shown_and_accepted_by_word_and_whole_are_counted(tmp_path: Path, script: Script) -> None:
    with RawClient(tmp_path, script(*REPLIES)) as client:
        start(client)
        first = offered(client, "def add(", "file:///first.py")
        say(client, "didShowCompletion", first)
        say(client, "didPartiallyAcceptCompletion", first, acceptedLength=1)
        accept(client, first)
        say(client, "didShowCompletion", offered(client, "def secret_name(", "file:///second.py"))
        leave(client)
    found = counted(tmp_path)
    total = found["total"]
    assert (total["shown"], total["accepted"], total["accepted_whole"]) == (2, 1, 1)
    assert total["saved_characters"] == len("a, b):")
    assert list(found["by_language"]) == ["python"]
    assert total["waited_ms"]["50"] > 0


def test_no_text_and_no_path_is_in_the_file(tmp_path: Path, script: Script) -> None:
    with RawClient(tmp_path, script(*REPLIES)) as client:
        start(client)
        accept(client, offered(client, "def secret_name(", "file:///secret_place.py"))
        leave(client)
    assert counted(tmp_path)["total"]["accepted"] == 1
    (file,) = (tmp_path / "state").glob("statistics*")
    assert not any(text in file.read_bytes() for text in (b"secret", b"first", b"second"))


def test_switched_off_nothing_is_written(tmp_path: Path, script: Script) -> None:
    with RawClient(tmp_path, script(*REPLIES)) as client:
        start(client, privacy={"statistics": False})
        accept(client, offered(client, "def add(", "file:///first.py"))
        leave(client)
    assert not list((tmp_path / "state").glob("statistics*"))
    assert counted(tmp_path)["total"]["shown"] == 0
