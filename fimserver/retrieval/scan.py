"""List the source files of a workspace root that may be used as context.

git is asked first, because it knows what belongs to the repository. Elsewhere the folders are walked, without following
links to folders, so that no loop of links can hold us.
"""

import logging
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from fimserver.retrieval.built_in import built_in_rule
from fimserver.retrieval.exclude import Exclusions
from fimserver.retrieval.git import listed_files
from fimserver.retrieval.places import LARGEST_FILE_BYTES
from fimserver.syntax.languages import every_language

_log = logging.getLogger(__name__)

# Somebody's home folder may have millions; the first so many are known, and of the others what is imported.
_MOST_FILES = 250_000

# Code we have no grammar for is found by its words all the same.
_OTHER_SUFFIXES = frozenset(
    f".{suffix}"
    for suffix in re.findall(
        r"\w+",
        """
        rb kt kts swift scala lua sh bash zsh ps1 pl pm r jl dart ex exs erl hs ml mli clj cljs el vim m mm zig
        nim v sv vhd sql proto graphql vue svelte tf cmake gradle groovy
        """,
    )
)

# Import statements are resolved by the names these give to packages.
MANIFESTS = frozenset({"package.json", "go.mod", "Cargo.toml"})

SUFFIXES = frozenset(suffix for language in every_language() for suffix in language.suffixes) | _OTHER_SUFFIXES


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file as it stands on disk; `name` is its path below the root."""

    name: str
    modified_ns: int
    size: int


def found_files(root: Path, exclusions: Exclusions) -> Iterator[FoundFile | None]:
    """Yield the root's files; None now and then where many were passed over, so that the caller can pause."""
    listed = listed_files(root) if exclusions.git_speaks_of(root) else None
    names = _walked(root) if listed is None else listed
    left = _MOST_FILES
    for count, name in enumerate(names):
        found = found_file(root, name, exclusions, listed_by_git=listed is not None)
        left -= found is not None
        if found is not None or count % 64 == 0:
            yield found
        if not left:
            _log.warning("Of %s only %s source files are indexed.", root, f"{_MOST_FILES:,}")
            return


def found_file(root: Path, name: str, exclusions: Exclusions, *, listed_by_git: bool = False) -> FoundFile | None:
    """Return a file if it is there, is source code, and may be used."""
    if not is_source(name) or exclusions.by_name(root / name, listed_by_git=listed_by_git):
        return None
    try:
        found = (root / name).stat()
    except OSError:
        return None
    return FoundFile(name, found.st_mtime_ns, found.st_size) if found.st_size <= LARGEST_FILE_BYTES else None


def is_source(name: str) -> bool:
    """Tell source code and manifests by their names."""
    path = PurePosixPath(name)
    return path.suffix.lower() in SUFFIXES or path.name in MANIFESTS


def _walked(root: Path) -> Iterator[str]:
    waiting = [""]
    while waiting:
        below = waiting.pop()
        try:
            entries = sorted(os.scandir(root / below), key=lambda entry: entry.name)
        except OSError:  # a folder we may not read holds nothing for us
            continue
        for entry in entries:
            name = f"{below}{entry.name}"
            if not entry.is_dir(follow_symlinks=False):
                yield name
            elif not built_in_rule((*PurePosixPath(name).parts, "_")):
                waiting.append(f"{name}/")
