"""Set up logging once per process: to standard error, and to a private file that is rotated.

Nothing above DEBUG ever holds source text. The language server's libraries log whole messages at INFO and the content
of failed notifications at ERROR, so they are silenced here, and not trusted to keep quiet elsewhere.
"""

import logging
import logging.handlers
import os
import sys
from io import TextIOWrapper
from pathlib import Path

from fimserver.errors import FimError
from fimserver.files import private_folder, state_folder

_FORMAT = "%(asctime)s %(levelname)s %(process)d %(name)s: %(message)s"

# Two files of a megabyte hold weeks of ordinary use.
_LOG_FILE_BYTES = 1_000_000

# These log the user's text: pygls whole messages, asyncio the repr of what a failed task held.
_TALKATIVE = ("pygls", "asyncio", "httpx2", "huggingface_hub")


def set_up_logging(
    program: str, level: str = "WARNING", *, to_file: bool = True, to_terminal: bool = True
) -> Path | None:
    """Send this process's log to standard error and to `<state>/<program>.log`; return that file, if any."""
    handlers: list[logging.Handler] = [logging.StreamHandler(sys.stderr)] if to_terminal else [logging.NullHandler()]
    path = _log_file(program) if to_file else None
    if path is not None:
        handlers.append(_PrivateFiles(path, maxBytes=_LOG_FILE_BYTES, backupCount=1, encoding="utf-8"))
    logging.basicConfig(level=level.upper(), format=_FORMAT, handlers=handlers, force=True)
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    return path


class _PrivateFiles(logging.handlers.RotatingFileHandler):
    """Files of mode 0600, those that a rotation begins too."""

    def _open(self) -> TextIOWrapper:
        os.close(os.open(self.baseFilename, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600))
        return super()._open()


def _log_file(program: str) -> Path | None:
    """Return the log file, made with mode 0600; None where the disk is full or not ours."""
    path = state_folder() / f"{program}.log"
    try:
        private_folder(path.parent)
        os.close(os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600))
    except (OSError, FimError):  # a log that cannot be written must not stop the program
        return None
    return path
