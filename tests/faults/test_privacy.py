"""No text of the user is kept anywhere but where docs/privacy.md says so, and what is kept is the user's alone."""

import logging
import os
import shutil
import signal
import stat
import sys
import time
from pathlib import Path

import pytest

from fimserver.engine.saved import read_tokens
from fimserver.logs import set_up_logging
from tests.cli.commands import run
from tests.faults.conftest import Figure
from tests.faults.editor import Editor, copy_of_the_model, engine_of

SERVE = (sys.executable, "-m", "fimserver", "serve")
CANARIES = [f"canary{number:02}_{number * 7919:08x}" for number in range(40)]


@pytest.fixture
def used(home: Path) -> Path:
    """A home after a session with canaries in its text, in wrong messages, in file names, and after two crashes."""
    settings = {"model": {"completion": str(copy_of_the_model(home))}, "engine": {"idle_s": 1}}
    with Editor(home, SERVE, **settings) as editor:
        editor.type("".join(f"{canary} = compute({canary!r})\n" for canary in CANARIES[:30]))
        editor.suggestion_at_last()
        for number, canary in enumerate(CANARIES[30:]):
            uri = f"file:///{number}.py"  # names of files are told in logs
            editor.open(f"password = {canary!r}\n", uri)
            editor.send({"method": "textDocument/didChange", "params": {"textDocument": {"uri": 5}, "text": canary}})
            editor.request(canary, "textDocument/inlineCompletion", {"textDocument": canary, "position": canary})
            editor.request(f"x{canary}", canary, {"command": canary})
        editor.request("w", "workspace/executeCommand", {"command": "fimserver.why"})
        os.kill(engine_of(home) or 0, signal.SIGABRT)  # what a failed assertion of native code does
        editor.type("x = ")
        editor.suggestion_at_last()
        editor.process.send_signal(signal.SIGABRT)
        editor.process.wait()
    source = home / "project" / "source.py"
    source.parent.mkdir()
    source.write_text(f"value = '{CANARIES[1]} {CANARIES[2]}'\n")
    run("complete", f"{source}:9:9")
    run("--model", "/nowhere.gguf", "complete", f"{source}:1:3")
    while engine_of(home) is not None:
        time.sleep(0.05)
    shutil.rmtree(source.parent)
    return home


@pytest.mark.soak
def test_no_text_is_kept_but_as_token_numbers_and_all_is_for_this_user_alone(used: Path, figure: Figure) -> None:
    """The index holds names of files and definitions, the saved state tokens, as docs/privacy.md says."""
    kept = {path: path.read_bytes() for path in used.rglob("*") if path.is_file() and path.name != "model.gguf"}
    assert {".log", ".sqlite", ".kv"} <= {path.suffix for path in kept}
    found = {(path.name, canary) for path, data in kept.items() for canary in CANARIES if canary.encode() in data}
    assert found == set()
    states = [read_tokens(path) for path in kept if path.suffix == ".kv"]
    assert all(saved is not None and len(saved.tokens) > 90 for saved in states)
    for path in used.rglob("*"):
        if path not in (used / "model.gguf", used / "stderr.txt"):
            assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
    figure("canaries", len(CANARIES))
    figure("files searched", len(kept))


@pytest.mark.soak
def test_without_saved_state_nothing_of_the_text_is_kept(home: Path) -> None:
    settings = {"model": {"completion": str(copy_of_the_model(home))}, "engine": {"idle_s": 1, "save_state": False}}
    with Editor(home, SERVE, **settings) as editor:
        editor.type("# a line of text that is long enough for a state\n" * 20 + "x = ")
        editor.suggestion_at_last()
    while engine_of(home) is not None:
        time.sleep(0.05)
    assert not list((home / "cache").rglob("*.kv"))


def test_logs_are_rotated_and_private(home: Path) -> None:
    before = logging.root.handlers[:], logging.root.level
    try:
        path = set_up_logging("rotated", to_terminal=False)
        assert path is not None
        for _ in range(3_000):
            logging.getLogger("fimserver").error("x" * 1_000)
        kept = list(path.parent.glob("rotated.log*"))
        assert len(kept) == 2
        assert sum(file.stat().st_size for file in kept) <= 2_000_000
        assert {stat.S_IMODE(file.stat().st_mode) for file in kept} == {0o600}
    finally:
        for handler in set(logging.root.handlers) - set(before[0]):
            handler.close()
        logging.root.handlers[:], logging.root.level = before
