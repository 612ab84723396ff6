"""Turn a package's manifest (package.json, go.mod, Cargo.toml) into its text, and the name it gives the package."""

import re
from functools import lru_cache
from pathlib import Path

# Manifests are small; one that is not is left alone.
_LARGEST_MANIFEST_BYTES = 200_000

JSON_NAME = re.compile(r'"name"\s*:\s*"([^"\n]+)"')
GO_MODULE = re.compile(r"^module\s+(\S+)", re.MULTILINE)
CARGO_NAME = re.compile(r'^\[(?:package|lib)\][^\[]*?^name\s*=\s*"([^"\n]+)"', re.MULTILINE)


def manifest_name(path: Path, expression: re.Pattern[str]) -> str:
    """Return the name that a manifest gives its package, "" where it gives none."""
    found = expression.search(manifest_text(path))
    return found[1] if found else ""


def manifest_text(path: Path) -> str:
    """Return a manifest's text, "" where there is none to read."""
    try:
        found = path.stat()
    except OSError:
        return ""
    return _read(path, found.st_mtime_ns) if found.st_size <= _LARGEST_MANIFEST_BYTES else ""


@lru_cache(maxsize=256)
def _read(path: Path, modified_ns: int) -> str:  # noqa: ARG001  (a changed file is another key)
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""
