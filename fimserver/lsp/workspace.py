"""Keep a window's workspace: its folders, the settings as these narrow them, and what is known of other files."""

from collections.abc import Iterable
from pathlib import Path

from fimserver.retrieval.gather import Gatherer
from fimserver.settings import Settings
from fimserver.uris import path_of
from fimserver.workspace import SETTINGS_FILE, narrowed


class Workspace:
    """The workspace of one window."""

    def __init__(self, folders: Iterable[str], wanted: Settings) -> None:
        """Begin with the URIs of some folders, and with the settings that the user and the editor want."""
        self.roots = _paths(folders)
        self.wanted = wanted
        self.settings, self.problems = narrowed(wanted, self.roots)
        self.other_files = Gatherer(self.roots, self.settings.context)

    def close(self) -> None:
        """Let go of the index."""
        self.other_files.close()

    def want(self, settings: Settings) -> None:
        """Follow what the user and the editor want now."""
        self.wanted = settings
        self._follow(self.roots)

    def change_folders(self, added: Iterable[str], removed: Iterable[str]) -> None:
        """Follow folders that were added to the window or taken from it."""
        gone = _paths(removed)
        self._follow(tuple(dict.fromkeys((*(root for root in self.roots if root not in gone), *_paths(added)))))

    def files_changed(self, uris: Iterable[str]) -> None:
        """Take note of files that were written, made or removed."""
        paths = _paths(uris)
        if any(path.name == SETTINGS_FILE for path in paths):
            self._follow(self.roots)
        self.other_files.files_changed(paths)

    def _follow(self, roots: tuple[Path, ...]) -> None:
        before = self.roots, self.settings.context
        self.roots = roots
        self.settings, self.problems = narrowed(self.wanted, roots)
        if before != (roots, self.settings.context):
            self.other_files.use(roots, self.settings.context)


def _paths(uris: Iterable[str]) -> tuple[Path, ...]:
    return tuple(path for uri in uris if (path := path_of(uri)) is not None)
