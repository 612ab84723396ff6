"""Remember which findings the user does not want to see again: one by one, or a whole category in one project.

Nothing of the text is kept: a finding is remembered as a hash of its file's name, its category and the lines it stands
on without their white space. So it stays away when the lines move or the model words it otherwise, and comes back when
they change.
"""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from fimserver.files import state_folder, write_atomically
from fimserver.review.findings import Category, Finding
from fimserver.uris import path_of

# The oldest are forgotten.
_MOST_REMEMBERED = 10_000

_DIGEST_BYTES = 16


def dismissed_file() -> Path:
    """Return where the hashes are kept."""
    return state_folder() / "dismissed.json"


def is_dismissed(finding: Finding, known: frozenset[str]) -> bool:
    """Return whether a finding, or its kind in its project, is among the dismissed."""
    return finding_key(finding) in known or kind_key(finding.category, project_of(finding)) in known


def finding_key(finding: Finding) -> str:
    """Return by what a finding is remembered."""
    name = path_of(finding.document.uri)
    return _digest("finding", name.name if name else "", finding.category, "".join(finding.lines_text.split()))


def kind_key(category: Category, project: Path | None) -> str:
    """Return by what a category of a project is remembered."""
    return _digest("kind", str(project or ""), category)


def project_of(finding: Finding) -> Path | None:
    """Return the folder of the repository a finding's file is in, else its own; None where it is no file."""
    path = path_of(finding.document.uri)
    if path is None:
        return None
    return next((folder for folder in path.parents if (folder / ".git").exists()), path.parent)


def read_dismissed() -> frozenset[str]:
    """Return all that is dismissed; nothing where the file is missing or is not ours."""
    return frozenset(_read())


def dismiss(key: str) -> None:
    """Remember a key of `finding_key` or `kind_key`. Raises OSError where it cannot be written."""
    keys = [*(known for known in _read() if known != key), key]
    _write(keys[-_MOST_REMEMBERED:])


def restore_all() -> int:
    """Forget all that was dismissed and return how many keys these were. Raises OSError."""
    count = len(_read())
    _write(())
    return count


def _read() -> list[str]:
    try:
        keys = json.loads(dismissed_file().read_bytes())
    except (OSError, ValueError):
        return []
    return [key for key in keys if isinstance(key, str)] if isinstance(keys, list) else []


def _write(keys: Iterable[str]) -> None:
    write_atomically(dismissed_file(), json.dumps(list(keys)))


def _digest(*parts: str) -> str:
    return hashlib.blake2b("\0".join(parts).encode("utf-8", "replace"), digest_size=_DIGEST_BYTES).hexdigest()
