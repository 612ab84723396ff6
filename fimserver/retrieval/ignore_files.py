"""Find the ignore files that speak of a folder, and keep them read while they do not change."""

import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from fimserver.retrieval.exclude_patterns import Patterns, read_patterns

# How long an ignore file may have been changed unnoticed. Looking costs one `stat` for each name in each folder.
_LOOK_AGAIN_S = 1.0

# Folders of which it is kept what speaks of them.
_KEPT_FOLDERS = 4096

# git's own default on file systems that do not tell case apart.
IGNORE_CASE = sys.platform in ("darwin", "win32")

_Stamp = tuple[int, int]

# For each kind of ignore file, the files in the folders above, by the depth of their folder.
PatternsAbove = Mapping[str, Mapping[int, Patterns]]


class IgnoreFiles:
    """All ignore files with some names, below the tops of some repositories."""

    def __init__(self, names: tuple[str, ...], *, ignore_case: bool) -> None:
        self._names = names
        self._ignore_case = ignore_case
        self._folders: dict[Path, tuple[float, PatternsAbove]] = {}  # with the time of the last look, in seconds
        self._read: dict[Path, tuple[_Stamp, Patterns]] = {}

    def forget(self) -> None:
        """Look at every file again: one of them has changed."""
        self._folders.clear()

    def above(self, folder: Path, top: Path) -> PatternsAbove:
        """Return the ignore files in a folder and those above it, up to `top`. Depths count from `top`."""
        now_s = time.monotonic()
        known = self._folders.get(folder)
        if known is None or now_s - known[0] >= _LOOK_AGAIN_S:
            if len(self._folders) >= _KEPT_FOLDERS:
                self._folders.clear()
            inherited = self.above(folder.parent, top) if folder != top else {}
            known = self._folders[folder] = now_s, self._with_own(inherited, folder, top)
        return known[1]

    def _with_own(self, inherited: PatternsAbove, folder: Path, top: Path) -> PatternsAbove:
        own = dict(self._in_folder(folder, top))
        if not own:
            return inherited
        depth = len(folder.parts) - len(top.parts)
        kinds = {name: {**inherited.get(name, {}), depth: patterns} for name, patterns in own.items()}
        return {**inherited, **kinds}

    def _in_folder(self, folder: Path, top: Path) -> Iterator[tuple[str, Patterns]]:
        for name in self._names:
            path = folder / name
            try:
                found = path.stat()
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError:  # it may be there, and we may not look: reading it fails, which excludes everything
                yield name, self._patterns(path, (0, 0), top)
            else:
                yield name, self._patterns(path, (found.st_mtime_ns, found.st_size), top)

    def _patterns(self, path: Path, stamp: _Stamp, top: Path) -> Patterns:
        known = self._read.get(path)
        if known is None or known[0] != stamp:
            source = path.relative_to(top).as_posix()
            known = self._read[path] = stamp, read_patterns(path, source, ignore_case=self._ignore_case)
        return known[1]
