"""Decide whether a file may feed a prompt, and name the rule that forbids it.

Two levels: NO_CONTEXT (it never becomes part of another file's prompt) and NO_COMPLETION (nor is anything suggested
inside it). A repository's ignore files can only add exclusions: no negation lifts a built-in rule, or a rule of another
ignore file. Where an ignore file cannot be read or understood, everything it might speak of is excluded.
"""

import os
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

from fimserver.errors import FileUnsuitable
from fimserver.retrieval.built_in import built_in_rule
from fimserver.retrieval.exclude_patterns import Patterns, deciding_rule, patterns_of, read_patterns
from fimserver.retrieval.git import Git, work_tree
from fimserver.retrieval.places import read_source, root_of
from fimserver.settings import ContextSettings


class Level(IntEnum):
    """How far a file is excluded; the second includes the first."""

    NO_CONTEXT = 1
    NO_COMPLETION = 2


@dataclass(frozen=True, slots=True)
class Exclusion:
    """An excluded file's level and the rule that excludes it, as `.aiignore:3`."""

    level: Level
    rule: str

    def __str__(self) -> str:
        return f"excluded by {self.rule}"


# Users' existing files are taken at their word: what hides a file from an assistant hides it from suggestions too;
# what only keeps it out of an assistant's index keeps it out of prompts.
IGNORE_FILES = {
    ".fimignore": Level.NO_COMPLETION,
    ".aiexclude": Level.NO_COMPLETION,
    ".aiignore": Level.NO_COMPLETION,
    ".codeiumignore": Level.NO_COMPLETION,
    ".cursorignore": Level.NO_COMPLETION,
    ".continueignore": Level.NO_CONTEXT,
    ".cursorindexingignore": Level.NO_CONTEXT,
    ".gitignore": Level.NO_CONTEXT,
}

# git's own default on file systems that do not tell case apart.
_IGNORE_CASE = sys.platform in ("darwin", "win32")

# How long an ignore file may have been changed unnoticed. Looking costs one `stat` for each name in each folder.
_LOOK_AGAIN_S = 1.0

_Stamp = tuple[int, int]


class Exclusions:
    """The decisions for one set of workspace roots; ignore files are read again when they change."""

    def __init__(self, roots: Sequence[Path], settings: ContextSettings, *, ignore_case: bool = _IGNORE_CASE) -> None:
        self._roots = tuple(dict.fromkeys([*roots, *(root.resolve() for root in roots)]))
        self._tops = {root: work_tree(root) or root for root in self._roots}
        self._ignore_case = ignore_case
        self._settings = (
            (_of_setting("exclude_completion", settings.exclude_completion, ignore_case), Level.NO_COMPLETION),
            (_of_setting("exclude", settings.exclude, ignore_case), Level.NO_CONTEXT),
        )
        self._git = Git()
        self._folders: dict[Path, tuple[float, Mapping[str, Patterns]]] = {}
        self._files: dict[Path, tuple[_Stamp, Patterns]] = {}

    def excluded(self, path: Path) -> Exclusion | None:
        """Return why a file may not be used, the stricter level first; None where it may.

        A link is judged by its own name and by its target's: whichever is excluded excludes both.
        """
        return self.by_name(path) or _unsuitable(path)

    def by_name(self, path: Path, *, listed_by_git: bool = False) -> Exclusion | None:
        """Decide without opening the file; git is not asked about a file that it has just listed."""
        try:
            names = self._names(path)
        except (OSError, RuntimeError):  # RuntimeError: a loop of links, before Python 3.13
            return Exclusion(Level.NO_CONTEXT, "its links, which lead nowhere")
        except UnicodeEncodeError:
            return Exclusion(Level.NO_CONTEXT, "its name, which is not UTF-8")
        found = [exclusion for name in names for exclusion in self._all_rules(name, listed_by_git)]
        return max(found, key=lambda exclusion: exclusion.level, default=None)

    def forget(self) -> None:
        """Look at every ignore file again: one of them has changed."""
        self._folders.clear()
        self._git.forget()

    def _names(self, path: Path) -> Iterable[Path]:
        str(path).encode()
        target = path.resolve()
        return (path, target) if path != target and root_of(path, self._roots) else (target,)

    def _all_rules(self, path: Path, listed_by_git: bool) -> Iterator[Exclusion]:
        root = root_of(path, self._roots)
        if (rule := built_in_rule(path.parts[1:], len((root or path.parent).parts) - 1)) is not None:
            level = Level.NO_CONTEXT if rule.completion else Level.NO_COMPLETION
            yield Exclusion(level, f"the built-in rule {rule.pattern} ({rule.why})")
        if root is None:
            yield Exclusion(Level.NO_CONTEXT, "standing outside the workspace")
            return
        for patterns, level in self._settings:
            if deciding := deciding_rule(path.relative_to(root).parts, {0: patterns}):
                yield Exclusion(level, deciding)
        yield from self._ignored(path, self._tops[root], listed_by_git)

    def _ignored(self, path: Path, top: Path, listed_by_git: bool) -> Iterator[Exclusion]:
        parts = path.relative_to(top).parts
        folders = [self._ignore_files(top.joinpath(*parts[:depth]), top) for depth in range(len(parts))]
        for name, level in IGNORE_FILES.items():
            patterns_at = {depth: files[name] for depth, files in enumerate(folders) if name in files}
            answer = self._answer_of_git(path, top, patterns_at, listed_by_git) if name == ".gitignore" else None
            deciding = deciding_rule(parts, patterns_at) if answer is None else answer
            if deciding:
                yield Exclusion(level, deciding)

    def _answer_of_git(
        self, path: Path, top: Path, patterns_at: Mapping[int, Patterns], listed_by_git: bool
    ) -> str | None:
        """Return git's deciding rule or "", None where its files must be read here: no git, or one is unreadable."""
        if any(patterns.unreadable for patterns in patterns_at.values()):
            return None
        return "" if listed_by_git else self._git.ignoring_rule(path, top)

    def _ignore_files(self, folder: Path, top: Path) -> Mapping[str, Patterns]:
        """Return the ignore files in a folder by their name."""
        checked_s, found = self._folders.get(folder, (-_LOOK_AGAIN_S, {}))
        now_s = time.monotonic()
        if now_s - checked_s >= _LOOK_AGAIN_S:
            found = {path.name: self._patterns(path, stamp, top) for path, stamp in _existing_ignore_files(folder)}
            self._folders[folder] = now_s, found
        return found

    def _patterns(self, path: Path, stamp: _Stamp, top: Path) -> Patterns:
        known = self._files.get(path)
        if known is None or known[0] != stamp:
            source = path.relative_to(top).as_posix()
            known = self._files[path] = stamp, read_patterns(path, source, ignore_case=self._ignore_case)
        return known[1]


def _of_setting(name: str, lines: Sequence[str], ignore_case: bool) -> Patterns:
    return patterns_of(lines, f"the setting context.{name}", ignore_case=ignore_case)


def _existing_ignore_files(folder: Path) -> Iterator[tuple[Path, _Stamp]]:
    for name in IGNORE_FILES:
        path = folder / name
        try:
            found = os.lstat(path)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError:  # it may be there, and we may not look: fail closed when it is read
            yield path, (0, 0)
        else:
            yield path, (found.st_mtime_ns, found.st_size)


def _unsuitable(path: Path) -> Exclusion | None:
    if not path.exists():
        return None  # a new file that was not saved yet
    try:
        read_source(path)
    except FileUnsuitable as reason:
        return Exclusion(Level.NO_CONTEXT, f"its content: {reason}")
    return None
