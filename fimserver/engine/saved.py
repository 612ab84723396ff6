"""Keep the KV state of what was edited last in files, so that an engine that starts anew need not evaluate it again.

A file holds the tokens of one sequence and what llama.cpp keeps for them. It is of use to the very same model, options
and llama.cpp only, so these are part of its name. A file that is damaged, half written or of another kind is deleted:
the prompt is then evaluated, as ever. The tokens are the user's text, so the files are for their eyes only.
"""

import hashlib
import logging
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fimserver.engine.kv import common_length
from fimserver.files import write_atomically

_log = logging.getLogger(__name__)

# A state is some ten to sixty kilobytes for each token. Four of the length of a context are within this for most
# models; what is beyond it goes, the oldest first, whatever model it is of.
MOST_BYTES = 512 * 1024 * 1024

# Reading a state takes as long as evaluating some tokens; fewer than this are not worth a file.
LEAST_TOKENS = 96

_HEADER = struct.Struct("<8sIIQ")  # magic, number of tokens, checksum of what follows, bytes of what follows
_MAGIC = b"fimkv 1\n"
_TOKEN_BYTES = 4


@dataclass(frozen=True, slots=True)
class Saved:
    """A file, and the tokens whose state it says it holds."""

    path: Path
    tokens: tuple[int, ...]


class SavedStates:
    """The saved states of one model."""

    def __init__(self, folder: Path, model_key: str) -> None:
        """Look what there is for the model of this key (letters and digits)."""
        self._folder, self._model_key = folder, model_key
        found = (read_tokens(path) for path in sorted(folder.glob(f"{model_key}-*.kv")))
        self._saved = [saved for saved in found if saved is not None]

    def best_for(self, tokens: Sequence[int], *, better_than: int, whole: bool = False) -> Saved | None:
        """Return the state with the longest beginning in common with a prompt, if that is worth reading it.

        With `whole` only states of which every token is in the prompt are of use.
        """

        def common(saved: Saved) -> int:
            length = common_length(saved.tokens, tuple(tokens[: len(saved.tokens)]))
            return length if not whole or length == len(saved.tokens) else 0

        best = max(self._saved, key=common, default=None)
        return best if best is not None and common(best) >= better_than + LEAST_TOKENS else None

    def read(self, saved: Saved) -> bytes:
        """Return a state, empty where the file turned out to be of no use."""
        return read_state(saved.path)

    def forget(self, saved: Saved) -> None:
        """Delete a state that is of no use."""
        _log.info("Deleting the saved KV state %s: it cannot be used", saved.path.name)
        self._saved = [other for other in self._saved if other != saved]
        saved.path.unlink(missing_ok=True)

    def write(self, tokens: Sequence[int], state: bytes) -> None:
        """Save a state, and delete the oldest files where all together are too large. A full disk is no error."""
        if len(tokens) < LEAST_TOKENS or len(state) > MOST_BYTES:
            return
        path = self._folder / f"{self._model_key}-{_hash(struct.pack(f'<{len(tokens)}i', *tokens))}.kv"
        try:
            write_atomically(path, _encoded(tokens, state))
            make_room(self._folder, MOST_BYTES)
        except OSError as error:
            _log.warning("The KV state could not be saved: %s", error.strerror or error)


def read_tokens(path: Path) -> Saved | None:
    """Return the tokens a file says it holds; None, and the file deleted, where it is no sound file by its length."""
    try:
        with path.open("rb") as file:
            magic, count, _, length = _HEADER.unpack(file.read(_HEADER.size))
            if magic == _MAGIC and length == path.stat().st_size - _HEADER.size and count * _TOKEN_BYTES < length:
                return Saved(path, struct.unpack(f"<{count}i", file.read(count * _TOKEN_BYTES)))
    except (OSError, struct.error):
        pass
    path.unlink(missing_ok=True)
    return None


def read_state(path: Path) -> bytes:
    """Return the state a file holds, empty where the file is not as it was written."""
    try:
        content = path.read_bytes()
    except OSError:
        return b""
    if len(content) < _HEADER.size:
        return b""
    magic, count, checksum, length = _HEADER.unpack_from(content)
    body = memoryview(content)[_HEADER.size :]
    sound = magic == _MAGIC and length == len(body) and checksum == zlib.crc32(body)
    return bytes(body[count * _TOKEN_BYTES :]) if sound else b""


def make_room(folder: Path, most_bytes: int) -> None:
    """Delete the files that were written longest ago, until the rest is small enough."""
    files = sorted(((path.stat(), path) for path in folder.glob("*.kv")), key=lambda entry: -entry[0].st_mtime_ns)
    total = 0
    for found, path in files:
        total += found.st_size
        if total > most_bytes:
            path.unlink(missing_ok=True)


def forget_all(folder: Path) -> None:
    """Delete every saved state: the user wants none kept."""
    for path in folder.glob("*.kv"):
        path.unlink(missing_ok=True)


def key_of(*parts: object) -> str:
    """Return the key of a model as it is loaded: of all that decides whether a state fits."""
    return _hash(repr(parts).encode())


def _encoded(tokens: Sequence[int], state: bytes) -> bytes:
    body = struct.pack(f"<{len(tokens)}i", *tokens) + state
    return _HEADER.pack(_MAGIC, len(tokens), zlib.crc32(body), len(body)) + body


def _hash(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=10).hexdigest()
