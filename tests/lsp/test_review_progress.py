"""What an editor with all its abilities sees of a review: a progress that can be cancelled, and fixes to confirm."""

import itertools
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lsp.editing_window import CAPABILITIES, EditingWindow
from tests.lsp.raw_client import Message, RawClient

TEXT = "def mean(values):\n    total = sum(values)\n    «return total / len(values)»\n"
CLAIM = {"line": 3, "quote": "len(values)", "category": "bug", "severity": "error", "message": "It may be 0."}
FIXED = {**CLAIM, "replacement": "max(1, len(values))"}

_EDITS = {**CAPABILITIES["workspace"]["workspaceEdit"], "changeAnnotationSupport": {}}
ABLE = {**CAPABILITIES, "workspace": {"workspaceEdit": _EDITS}}

_numbers = itertools.count(1000)


@pytest.fixture(scope="module")
def editor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RawClient]:
    """An editor that shows progress and previews edits; the answer to `# waits` never ends."""
    home = tmp_path_factory.mktemp("able")
    script = home / "replies.jsonl"
    waits = {"when": "# waits", "pieces": [json.dumps(FIXED), {"wait_for": str(home / "never")}]}
    script.write_text("\n".join(map(json.dumps, (waits, {"text": json.dumps(FIXED)}))))
    command = (sys.executable, "-m", "fimserver", "--engine", f"scripted:{script}", "serve")
    with RawClient(home, command) as client:
        client.initialize(capabilities=ABLE)
        yield client


def begin(window: EditingWindow) -> int:
    number = next(_numbers)
    params = {"command": "fimserver.review", "arguments": ["file", window.uri]}
    window.client.send({"id": number, "method": "workspace/executeCommand", "params": params})
    return number


def fix(window: EditingWindow) -> Any:
    [action] = [one for one in window.actions() if one["title"].startswith("Fix: ")]
    return action["edit"]


def test_a_progress_tells_which_part_is_reviewed(editor: RawClient) -> None:
    window = EditingWindow(editor, TEXT, uri="file:///shop/one.py")
    answer = window.finish(begin(window))
    assert answer["result"]["findings"] == 1
    assert window.seen == ["begin", "report", "end"]


def test_cancelling_the_progress_ends_the_review_and_keeps_what_was_found(editor: RawClient) -> None:
    window = EditingWindow(editor, f"{TEXT}# waits\n", uri="file:///shop/two.py")
    number = begin(window)
    token = window.wait_for_progress("report")
    published = wait_for_findings(window)
    editor.send({"method": "window/workDoneProgress/cancel", "params": {"token": token}})
    assert window.finish(number)["error"]["message"] == "The request was cancelled."
    assert window.seen[-1] == "end"
    assert len(published) == 1
    assert fix(window)


def wait_for_findings(window: EditingWindow) -> list[Message]:
    while True:
        message = window.client.receive()
        if message.get("method") == "textDocument/publishDiagnostics" and message["params"]["uri"] == window.uri:
            return list(message["params"]["diagnostics"])


def test_a_fix_names_its_version_and_is_shown_before_it_is_made(editor: RawClient) -> None:
    window = EditingWindow(editor, TEXT, uri="file:///shop/three.py")
    window.finish(begin(window))
    edit = fix(window)
    [change] = edit["documentChanges"]
    assert change["textDocument"] == {"uri": window.uri, "version": 1}
    assert [(one["newText"], one["annotationId"]) for one in change["edits"]] == [("max(1, len(values))", "fimserver")]
    assert edit["changeAnnotations"]["fimserver"] == {"label": "It may be 0.", "needsConfirmation": True}


def test_after_an_edit_elsewhere_a_fix_is_for_the_new_version(editor: RawClient) -> None:
    window = EditingWindow(editor, TEXT, uri="file:///shop/four.py")
    window.finish(begin(window))
    window.type_at_end("x = 1\n")
    assert fix(window)["documentChanges"][0]["textDocument"]["version"] == 2


def test_a_whole_repository_is_reviewed_where_no_document_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    folder.mkdir()
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    (folder / "mean.py").write_text(TEXT.replace("«", "").replace("»", ""))
    (folder / ".env").write_text("TOKEN=1\n")
    (folder / "logo.png").write_bytes(b"\0\1")
    subprocess.run(["git", "add", "."], cwd=folder, check=True)
    script = tmp_path / "replies.jsonl"
    script.write_text(json.dumps({"text": json.dumps(FIXED)}))
    command = (sys.executable, "-m", "fimserver", "--engine", f"scripted:{script}", "serve")
    with RawClient(tmp_path, command) as client:
        client.initialize(rootUri=folder.as_uri())
        params = {"command": "fimserver.review", "arguments": ["staged"]}
        client.send({"id": 1, "method": "workspace/executeCommand", "params": params})
        published, answer = [], {}
        while "result" not in answer:
            message = client.receive()
            published += [message["params"]] if message.get("method") == "textDocument/publishDiagnostics" else []
            answer = message if message.get("id") == 1 else answer
    assert [(one["uri"], len(one["diagnostics"])) for one in published] == [((folder / "mean.py").as_uri(), 1)]
    assert answer["result"]["findings"] == 1
    assert "logo.png is binary." in answer["result"]["message"]
    assert ".env is excluded by the built-in rule" in answer["result"]["message"]


def test_the_home_holds_no_text_of_what_was_reviewed(
    editor: RawClient, tmp_path_factory: pytest.TempPathFactory
) -> None:
    window = EditingWindow(editor, f"{TEXT}canary_7f3a = 1\n", uri="file:///shop/five.py")
    window.finish(begin(window))
    home = Path(tmp_path_factory.getbasetemp()) / "able0"
    written = [path for path in home.rglob("*") if path.is_file()]
    assert not [path for path in written if b"canary_7f3a" in path.read_bytes()]
