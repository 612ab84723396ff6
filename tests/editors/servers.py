"""The language servers that the editors start, and the processes that come of it."""

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.editors.waiting import until

CHECKOUT = Path(__file__).parents[2]
VSIX = CHECKOUT / "editors" / "vscode" / "dist" / "fimserver.vsix"
FIMSERVER = Path(sys.prefix) / "bin" / "fimserver"


# Editors ask once for each key: on a machine that is busy with other things the one answer must not be given up.
PATIENT_SETTINGS = "[completion]\ndeadline_ms = 30000\n"


def scripted(folder: Path, replies: Sequence[dict[str, Any]]) -> list[str]:
    """Return the command of a server that answers from these replies, however long that takes."""
    script, settings = folder / "replies.jsonl", folder / "patient.toml"
    script.write_text("".join(json.dumps(reply) + "\n" for reply in replies), "utf-8")
    settings.write_text(PATIENT_SETTINGS, "utf-8")
    return [str(FIMSERVER), "--settings", str(settings), "--engine", f"scripted:{script}", "serve"]


def embedded() -> list[str]:
    """Return the command of a server that asks the embedded model."""
    return [str(FIMSERVER), "serve"]


def vscode_settings(command: list[str], **more: Any) -> dict[str, Any]:
    """Return VS Code's settings for a server of this command."""
    return {"fimserver.server.command": command[0], "fimserver.server.arguments": command[1:], **more}


def processes(*words: str) -> list[int]:
    """Return the processes of this home whose command line holds all of these words."""
    ours = f"FIMSERVER_HOME={os.environ['FIMSERVER_HOME']}".encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes().split(b"\0")
            of_this_home = ours in (folder / "environ").read_bytes().split(b"\0")
        except OSError:  # it has ended, or is not ours
            continue
        if of_this_home and all(word.encode() in command for word in words):
            found.append(int(folder.name))
    return found


def wait_for_process(*words: str) -> int:
    """Wait until exactly one process of this home has these words, and return it."""
    until(lambda: len(processes(*words)) == 1, f"one process {words}", lambda: processes(*words))
    return processes(*words)[0]
