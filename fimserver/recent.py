"""Say what became of an editor's last requests to whoever asks in a terminal: one small file per language server.

It holds places and reasons, never text, lies in the private folder of this user's session and goes with its server.
"""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from fimserver.errors import RuntimeFolderUnsafe
from fimserver.files import runtime_folder, write_atomically

# One request: what `fimserver why` prints of it.
Row = Mapping[str, Any]


def write_recent(rows: Sequence[Row]) -> None:
    """Write this process's last requests, oldest first. Without a folder for it nothing is written."""
    with suppress(OSError, RuntimeFolderUnsafe):
        write_atomically(_file_of(os.getpid()), json.dumps(list(rows)))


def remove_recent() -> None:
    """Remove this process's file."""
    with suppress(OSError, RuntimeFolderUnsafe):
        _file_of(os.getpid()).unlink(missing_ok=True)


def read_recent() -> list[Row]:
    """Return the last requests of all language servers, oldest first. Files of servers that died are removed.

    Raises RuntimeFolderUnsafe where the session's folder is not the user's own.
    """
    rows: list[Row] = []
    for path in runtime_folder().glob("recent-*.json"):
        if not _is_running(path.stem.removeprefix("recent-")):
            path.unlink(missing_ok=True)
            continue
        with suppress(OSError, ValueError):
            rows += json.loads(path.read_text("utf-8"))
    return sorted(rows, key=lambda row: float(row["at"]))


def _file_of(process: int) -> Path:
    return runtime_folder() / f"recent-{process}.json"


def _is_running(process: str) -> bool:
    if sys.platform == "win32":  # where signal 0 is Ctrl+C
        return True
    try:
        os.kill(int(process), 0)
    except PermissionError:
        return True
    except (OSError, ValueError, OverflowError):
        return False
    return True
