"""Pieces of other files in real prompts, and what must never be in one: a whole server over real pipes."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.lsp.raw_client import PATIENCE_S, Message, RawClient

KEEPER = str(Path(__file__).with_name("prompt_keeper.py"))

SHELF = "class Shelf:\n    def put_upright(self, book):\n        self.books = [book]\n"
MAIN = "from shelf import Shelf\n\nshelf = Shelf()\nshelf.\n"
LINE = 3

CANARY = "canary_7d20c1"


class Window:
    """An editor window on a folder, whose user types into main.py."""

    def __init__(self, home: Path, project: Path, command: Sequence[str] = (), **params: Any) -> None:
        home.mkdir()
        self.home, self.project = home, project
        self._prompts = home / "prompts.jsonl"
        self._prompts.touch()
        self.client = RawClient(home, command or (sys.executable, KEEPER, str(self._prompts)))
        self.client.initialize(workspaceFolders=[folder(project)], **params)
        self._texts: dict[str, str] = {}
        self._number = 10

    def open(self, name: str, text: str = "") -> None:
        text = text or (self.project / name).read_text()
        self._texts[name] = text
        self.client.open(text, self.uri(name))

    def uri(self, name: str) -> str:
        return (self.project / name).as_uri()

    def type(self, text: str, name: str = "main.py", line: int = LINE) -> None:
        """Write a line anew, with the cursor at its end, and ask there."""
        lines = self._texts[name].split("\n")
        edit = {
            "range": {"start": {"line": line, "character": 0}, "end": {"line": line, "character": len(lines[line])}},
            "text": text,
        }
        lines[line] = text
        self._texts[name] = "\n".join(lines)
        self._number += 1
        document = {"uri": self.uri(name), "version": self._number}
        self.notify("textDocument/didChange", {"textDocument": document, "contentChanges": [edit]})
        self.ask(name, line, len(text))

    def ask(self, name: str, line: int, column: int) -> Message:
        self._number += 1
        place = {"textDocument": {"uri": self.uri(name)}, "position": {"line": line, "character": column}}
        return self.client.request(
            self._number, "textDocument/inlineCompletion", {**place, "context": {"triggerKind": 2}}
        )

    def notify(self, method: str, params: Any) -> None:
        self.client.send({"method": method, "params": params})

    def command(self, name: str) -> Any:
        self._number += 1
        return self.client.request(self._number, "workspace/executeCommand", {"command": name})["result"]

    def prompts(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._prompts.read_text().splitlines()]

    def type_until(self, wanted: str, *, gone: bool = False) -> None:
        """Type a word and pause, and again, until a prompt for the typed text has a text, or has it no more."""
        until_s = time.monotonic() + PATIENCE_S
        while True:
            known = len(self.prompts())
            self.type(f"shelf.a{known}")
            if any((wanted in row["text"]) != gone for row in self.prompts()[known:] if not row["warm"]):
                return
            assert time.monotonic() < until_s, self.prompts()[-1]["text"]
            self.pause(wanted, gone=gone)

    def pause(self, wanted: str, *, gone: bool = False) -> None:
        """Wait until the prompt that is prepared in the pause is as wanted, or the pause has been long enough."""
        known, until_s = len(self.prompts()), time.monotonic() + 1.5
        while not any((wanted in row["text"]) != gone for row in self.prompts()[known:]):
            if time.monotonic() > until_s:
                return
            time.sleep(0.01)

    def written(self) -> bytes:
        """Return everything the server has written below its home, the prompts apart."""
        files = [path for path in self.home.rglob("*") if path.is_file() and path != self._prompts]
        return b"".join(path.read_bytes() for path in files)


def folder(path: Path) -> dict[str, str]:
    return {"uri": path.as_uri(), "name": path.name}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    root.mkdir()
    (root / "shelf.py").write_text(SHELF)
    (root / "main.py").write_text(MAIN)
    return root


@pytest.fixture
def window(tmp_path: Path, project: Path) -> Iterator[Window]:
    made = Window(tmp_path / "home", project)
    with made.client:
        yield made


def test_the_definition_that_is_needed_stands_in_the_prompt(window: Window) -> None:
    window.open("main.py")
    window.type_until("<|file_sep|>shelf.py\n" + SHELF)


def test_what_stands_before_the_typed_text_stays_the_same_while_typing_in_one_place(window: Window) -> None:
    window.open("main.py")
    window.type_until("put_upright")
    before = window.prompts()
    for column in range(1, 12):
        window.type("shelf.books[0] = None"[:column] if column > 6 else f"shelf.b{'x' * column}")
    asked = [row for row in window.prompts()[len(before) :] if not row["warm"]]
    assert len(asked) > 5
    assert {row["held"] for row in asked} == {before[-1]["held"]}, "no token of it is evaluated again"


def test_a_real_model_evaluates_nothing_again_because_of_other_files(tmp_path: Path, project: Path) -> None:
    window = Window(
        tmp_path / "home",
        project,
        command=(sys.executable, "-m", "fimserver", "serve"),
        initializationOptions={
            "completion": {"confidence": "off", "ahead": False},
            "model": {"profile": "qwen2.5-coder"},
            "engine": {"idle_s": 1},
        },
    )
    with window.client:
        window.open("main.py")
        until_s, tries = time.monotonic() + PATIENCE_S, 0
        # Not while the model is being read, nor before there is something to send.
        while not (asked := window.command("fimserver.journal")) or not (
            asked[-1]["other_files"] and asked[-1]["timings"]["prompt_tokens"]
        ):
            assert time.monotonic() < until_s, asked[-1:]
            tries += 1
            window.type(f"shelf.a{tries}")
            time.sleep(0.1)  # the user's pause
        window.type("shelf.b")
        for length in range(2, 10):
            window.type(f"shelf.{'b' * length}")
        typed = window.command("fimserver.journal")[-8:]
    assert all(entry["other_files"] for entry in typed)
    # What the word is healed by is evaluated too, but behind the prompt: of the prompt itself nothing new is.
    costs = [entry["timings"]["prompt_tokens"] - entry["timings"]["reused_tokens"] for entry in typed]
    assert max(costs) <= 3
    assert max(entry["timings"]["prompt_tokens"] for entry in typed) > 40, "the model was asked, with other files"


SECRETS = {
    ".env": f"KEY={CANARY}\n",
    "id_rsa": f"-----BEGIN OPENSSH PRIVATE KEY-----\n{CANARY}\n",
    "hidden.py": f"class Hidden:\n    def {CANARY}(self): ...\n",
    "ignored.py": f"class Ignored:\n    def {CANARY}(self): ...\n",
    "listed.py": f"class Listed:\n    def {CANARY}(self): ...\n",
    "narrowed.py": f"class Narrowed:\n    def {CANARY}(self): ...\n",
}
IMPORTS = "from hidden import Hidden\nfrom ignored import Ignored\nfrom listed import Listed\nimport narrowed\n"


def test_no_prompt_log_or_state_holds_what_is_excluded(tmp_path: Path, project: Path) -> None:
    subprocess.run(["git", "init", "-q", str(project)], check=True)
    for name, text in SECRETS.items():
        (project / name).write_text(text)
    (project / ".aiignore").write_text("hidden.py\n")
    (project / ".gitignore").write_text("ignored.py\n")
    (project / ".fimignore").write_text("listed.py\n")
    (project / ".fimserver.toml").write_text("[context]\nexclude = ['narrowed.py']\n")
    (project / "main.py").write_text(IMPORTS + MAIN)
    window = Window(tmp_path / "home", project)
    with window.client:
        for name in SECRETS:  # looked at and edited last, so that only the rules keep them out
            window.open(name)
            window.type(SECRETS[name].split("\n")[0] + " ", name, 0)
        window.open("main.py")
        window.type(f"shelf.{'x' * 3}", line=LINE + IMPORTS.count("\n"))
        window.type_until("put_upright")
        for_main = [row["text"] for row in window.prompts() if "<|file_sep|>main.py" in row["text"]]
    assert [text for text in for_main if CANARY in text] == []
    assert CANARY.encode() not in window.written()


EXCLUDED = {
    ".env": "the built-in rule .env",
    "hidden.py": ".aiignore:1",
    "listed.py": ".fimignore:1",
    "narrowed.py": "the setting context.exclude_completion",
}


@pytest.fixture(scope="module")
def excluding(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Window]:
    """A window on a folder with one file for each kind of rule."""
    root = tmp_path_factory.mktemp("excluding")
    for name in EXCLUDED:
        (root / name).write_text("x = 1\n")
    (root / ".aiignore").write_text("hidden.py\n")
    (root / ".fimignore").write_text("listed.py\n")
    (root / ".fimserver.toml").write_text("[context]\nexclude_completion = ['narrowed.py']\n")
    window = Window(tmp_path_factory.mktemp("home") / "home", root)
    with window.client:
        yield window


@pytest.mark.parametrize(("name", "rule"), EXCLUDED.items(), ids=EXCLUDED)
def test_nothing_is_suggested_inside_and_the_rule_is_named(excluding: Window, name: str, rule: str) -> None:
    excluding.open(name)
    assert excluding.ask(name, 0, 5)["result"]["items"] == []
    why = excluding.command("fimserver.why")
    assert why.startswith("excluded: The file is excluded by ")
    assert rule in why
    assert excluding.prompts() == []


def test_a_file_that_is_written_later_is_found(window: Window) -> None:
    window.open("main.py", "import lamp\n\n\nlamp.\n")
    window.type("lamp.x")
    path = window.project / "lamp.py"
    path.write_text("def light_candle(): ...\n")
    window.notify("workspace/didChangeWatchedFiles", {"changes": [{"uri": path.as_uri(), "type": 1}]})
    window.type_until("light_candle")


def test_a_folder_that_is_added_is_searched_and_one_that_is_removed_is_not(window: Window, tmp_path: Path) -> None:
    added = tmp_path / "added"
    added.mkdir()
    (added / "lamp.py").write_text("def light_candle(): ...\n")
    window.open("main.py", "import lamp\n\nlamp.light_candle()\nlamp.\n")
    window.notify("workspace/didChangeWorkspaceFolders", {"event": {"added": [folder(added)], "removed": []}})
    window.type_until("def light_candle")
    window.notify("workspace/didChangeWorkspaceFolders", {"event": {"added": [], "removed": [folder(added)]}})
    window.type_until("def light_candle", gone=True)


def test_an_ignore_file_that_is_written_later_counts(window: Window) -> None:
    window.open("main.py")
    window.type_until("put_upright")
    ignoring = window.project / ".fimignore"
    ignoring.write_text("shelf.py\n")
    window.notify("workspace/didChangeWatchedFiles", {"changes": [{"uri": ignoring.as_uri(), "type": 1}]})
    window.type_until("put_upright", gone=True)


def test_a_workspaces_own_settings_are_followed(window: Window) -> None:
    window.open("main.py")
    window.type_until("put_upright")
    path = window.project / ".fimserver.toml"
    change = {"changes": [{"uri": path.as_uri(), "type": 1}]}
    path.write_text("[context]\nother_files = false\n")
    window.notify("workspace/didChangeWatchedFiles", change)
    window.type_until("put_upright", gone=True)
    path.write_text("[completion]\nenabled = false\n")
    window.notify("workspace/didChangeWatchedFiles", change)
    assert window.command("fimserver.status")["message"] == (
        "Suggestions are switched off by the workspace's .fimserver.toml."
    )
    assert window.command("fimserver.setEnabled") is False


def test_what_other_servers_say_of_the_line_is_read(window: Window) -> None:
    window.open("main.py", "import lamp\n\n\nlamp.\n")
    here = {"start": {"line": LINE, "character": 0}, "end": {"line": LINE, "character": 4}}
    said = {"range": here, "message": "unknown name: lamp", "severity": 1, "source": "checker"}
    params = {"textDocument": {"uri": window.uri("main.py")}, "range": here, "context": {"diagnostics": [said]}}
    until_s, wanted = time.monotonic() + PATIENCE_S, "line 4: unknown name: lamp"
    while not any(wanted in row["text"] for row in window.prompts()):
        assert time.monotonic() < until_s
        known = len(window.prompts())
        window.type(f"lamp.x{known}")
        assert "result" in window.client.request(f"actions {known}", "textDocument/codeAction", params)
        window.pause(wanted)


def test_a_client_that_watches_files_is_asked_to(tmp_path: Path, project: Path) -> None:
    watching = {"workspace": {"didChangeWatchedFiles": {"dynamicRegistration": True}}}
    home = tmp_path / "home"
    home.mkdir()
    with RawClient(home, (sys.executable, KEEPER, str(home / "prompts"))) as client:
        client.initialize(capabilities=watching, workspaceFolders=[folder(project)])
        while (message := client.receive()).get("method") != "client/registerCapability":
            pass
        [registration] = message["params"]["registrations"]
        assert registration["method"] == "workspace/didChangeWatchedFiles"
        patterns = " ".join(watcher["globPattern"] for watcher in registration["registerOptions"]["watchers"])
        assert all(name in patterns for name in ("py", ".fimignore", ".fimserver.toml", "go.mod"))
