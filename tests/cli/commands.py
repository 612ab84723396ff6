"""Run the command line as a process, and put scripts and files where it finds them."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FIMSERVER = (sys.executable, "-m", "fimserver")


@dataclass(frozen=True)
class Ran:
    """What a command left."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def run(*arguments: str | Path, timeout_s: float = 50) -> Ran:
    """Run `fimserver` to its end."""
    command = [*FIMSERVER, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=timeout_s)
    return Ran(done.returncode, done.stdout, done.stderr)


def script(folder: Path, *replies: dict[str, Any]) -> str:
    """Write a script of replies and return the option's value that answers from it."""
    path = folder / "replies.jsonl"
    path.write_text("\n".join(map(json.dumps, replies)), "utf-8")
    return f"scripted:{path}"


def file(folder: Path, text: str | bytes, name: str = "main.py") -> Path:
    """Write a file to complete in."""
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def drawn_file(folder: Path, text: str, name: str = "main.py") -> str:
    """Write a text in which the cursor is drawn as ‸, and return FILE:LINE:COLUMN."""
    before, _, after = text.partition("‸")
    path = file(folder, before + after, name)
    return f"{path}:{before.count(chr(10)) + 1}:{len(before.rpartition(chr(10))[2]) + 1}"
