"""An editor at work: a document that is edited and completed in, over a client that sees every message."""

import ast
import random
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

import fimserver
from fimserver.engine import lock
from tests.lsp.raw_client import Message, RawClient

SERVER = (sys.executable, str(Path(__file__).with_name("server.py")))
ROGUE = str(Path(__file__).with_name("rogue.py"))
EMBEDDED = Path(fimserver.__file__).parent / "models" / "embedded" / "tiny-fim.gguf"

TEXT = "import os\n\n\ndef add(a, b):\n    return a + b\n\n\ndef sub(a, b):\n    return a - b\n\n\n"
LINES = (
    "def mul(a, b):\n",
    "    return a * b\n",
    "\n",
    "x = add(1, 2)\n",
    "print(x)\n",
    "# 😀 é\n",
    "for i in range(9):\n",
)

# Why an editor asks at a key. By hand, which is 1, up to three suggestions are offered: as many answers to wait for.
WHILE_TYPING = 2


class Editor(RawClient):
    """One window with one document. `told` are the messages its user has seen."""

    def __init__(self, home: Path, command: tuple[str, ...] = SERVER, **settings: Any) -> None:
        super().__init__(home, command)
        self.told: list[str] = []
        self.text, self.version, self._number = TEXT, 1, 0
        self.uri = f"file:///{id(self)}.py"
        options = {"completion": {"confidence": "off"}, **settings}
        self.initialize(initializationOptions=options, capabilities={"textDocument": {"inlineCompletion": {}}})
        self.open(self.text, self.uri)

    def receive(self) -> Message:
        message = super().receive()
        if message.get("method") == "window/showMessage":
            self.told.append(message["params"]["message"])
        return message

    @property
    def end(self) -> dict[str, int]:
        """Where the text ends."""
        return {"line": self.text.count("\n"), "character": len(self.text) - self.text.rfind("\n") - 1}

    def ask(self, position: dict[str, int] | None = None) -> int:
        """Ask for a suggestion, by default at the text's end, and return the request's number."""
        self._number += 1
        context = {"triggerKind": WHILE_TYPING}
        params = {"textDocument": {"uri": self.uri}, "position": position or self.end, "context": context}
        self.send({"id": self._number, "method": "textDocument/inlineCompletion", "params": params})
        return self._number

    def suggestion(self) -> str:
        """Return what is suggested at the text's end, empty for nothing. An error is no answer an editor should see."""
        answer = self.answer_to(self.ask())
        assert "error" not in answer, answer
        items = answer["result"]["items"]
        return str(items[0]["insertText"]) if items else ""

    def suggestion_at_last(self) -> str:
        """Ask until there is one, typing on as a user does: an engine that is started anew has to load its model."""
        for _ in range(2_000):
            if text := self.suggestion():
                return text
            self.wait(0.02)
        raise AssertionError(f"no suggestion ever came: {self.told} {self.stderr[-2000:]}")

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(seconds)
            raise AssertionError(f"the server has ended: {self.stderr[-2000:]}")

    def edit(self, chance: random.Random) -> None:
        """Change the text somewhere: insert a line, or delete one."""
        lines = self.text.split("\n")
        at = chance.randrange(len(lines))
        insert = chance.choice(LINES) if len(lines) < 60 else ""
        end = at if insert else min(at + 1, len(lines) - 1)
        lines[at:end] = [insert.removesuffix("\n")] if insert else []
        self.text = "\n".join(lines)
        self.version += 1
        span = {"start": {"line": at, "character": 0}, "end": {"line": end, "character": 0}}
        params = {
            "textDocument": {"uri": self.uri, "version": self.version},
            "contentChanges": [{"range": span, "text": insert}],
        }
        self.send({"method": "textDocument/didChange", "params": params})

    def type(self, text: str) -> None:
        """Write at the text's end."""
        end = self.end
        self.text += text
        self.version += 1
        params = {
            "textDocument": {"uri": self.uri, "version": self.version},
            "contentChanges": [{"range": {"start": end, "end": end}, "text": text}],
        }
        self.send({"method": "textDocument/didChange", "params": params})

    def text_there(self) -> str:
        """Return the text as the server has it; see server.py."""
        items = self.answer_to(self.ask({"line": 0, "character": 0}))["result"]["items"]
        return str(ast.literal_eval(items[0]["insertText"]))


def copy_of_the_model(home: Path) -> Path:
    """Return a model below the home, so that its engine is found by its command line."""
    path = home / "model.gguf"
    if not path.exists():
        shutil.copy(EMBEDDED, path)
    return path


def engine_of(home: Path) -> int | None:
    """Return the process of the engine that runs below this home."""
    owners = [owner for path in (home / "run").glob("*.lock") if (owner := lock.owner(path)) is not None]
    assert len(owners) <= 1, "there is never a second engine"
    return owners[0] if owners else None


def ours(home: Path) -> list[int]:
    """Return every process that names this home on its command line."""
    found = (process for process in psutil.process_iter(["cmdline"]))
    return [process.pid for process in found if any(str(home) in word for word in process.info["cmdline"] or ())]
