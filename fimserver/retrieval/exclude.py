"""Decide whether a file may feed a prompt, and name the rule that forbids it.

Two levels: NO_CONTEXT (it never becomes part of another file's prompt) and NO_COMPLETION (nor is anything suggested
inside it). A repository's ignore files can only add exclusions: no negation lifts a built-in rule, or a rule of another
ignore file. Where an ignore file cannot be read or understood, everything it might speak of is excluded.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from pathlib import Path

from fimserver.errors import FileUnsuitable
from fimserver.retrieval.built_in import built_in_rule
from fimserver.retrieval.exclude_patterns import Patterns, deciding_rule, patterns_of
from fimserver.retrieval.git import Git, work_tree
from fimserver.retrieval.ignore_files import IGNORE_CASE, IgnoreFiles
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

    @property
    def completion(self) -> bool:
        """True where nothing is suggested inside the file either."""
        return self.level is Level.NO_COMPLETION

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


class Exclusions:
    """The decisions for one set of workspace roots; ignore files are read again when they change."""

    def __init__(self, roots: Sequence[Path], settings: ContextSettings, *, ignore_case: bool = IGNORE_CASE) -> None:
        self._roots = tuple(dict.fromkeys([*roots, *(root.resolve() for root in roots)]))
        self._tops = {root: work_tree(root) or root for root in self._roots}
        self._settings = (
            (_of_setting("exclude_completion", settings.exclude_completion, ignore_case), Level.NO_COMPLETION),
            (_of_setting("exclude", settings.exclude, ignore_case), Level.NO_CONTEXT),
        )
        self._git = Git()
        self._files = IgnoreFiles(tuple(IGNORE_FILES), ignore_case=ignore_case)

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

    def git_speaks_of(self, root: Path) -> bool:
        """Tell whether the files of a root are those that git lists."""
        return work_tree(root) is not None and root not in self._opened_though_ignored

    def forget(self) -> None:
        """Look at every ignore file again: one of them has changed."""
        self._files.forget()
        self._git.forget()

    @cached_property
    def _opened_though_ignored(self) -> frozenset[Path]:
        """The folders that their repository ignores and that were opened all the same: their own files judge them."""
        return frozenset(root for root, top in self._tops.items() if root != top and self._git.ignoring_rule(root, top))

    def _names(self, path: Path) -> Iterable[Path]:
        str(path).encode()
        target = path.resolve() if path.is_symlink() else path.parent.resolve() / path.name
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
            if patterns and (deciding := deciding_rule(path.relative_to(root).parts, {0: patterns})):
                yield Exclusion(level, deciding)
        yield from self._ignored(path, root, listed_by_git)

    def _ignored(self, path: Path, root: Path, listed_by_git: bool) -> Iterator[Exclusion]:
        above = self._files.above(path.parent, self._tops[root])
        for name, level in IGNORE_FILES.items():
            patterns_at = above.get(name, {})
            if name == ".gitignore":
                deciding = self._ignored_by_git(path, root, patterns_at, listed_by_git)
            else:
                deciding = deciding_rule(path.relative_to(self._tops[root]).parts, patterns_at) if patterns_at else ""
            if deciding:
                yield Exclusion(level, deciding)

    def _ignored_by_git(self, path: Path, root: Path, patterns_at: Mapping[int, Patterns], listed_by_git: bool) -> str:
        """Return the rule of git; its files are read here where there is no git, or one of them is unreadable."""
        top = self._tops[root]
        if listed_by_git and not any(patterns.unreadable for patterns in patterns_at.values()):
            return ""
        parts = path.relative_to(top).parts
        if root in self._opened_though_ignored:
            depth_of_root = len(root.parts) - len(top.parts)
            return deciding_rule(parts, {depth: patterns_at[depth] for depth in patterns_at if depth >= depth_of_root})
        if any(patterns.unreadable for patterns in patterns_at.values()):
            return deciding_rule(parts, patterns_at)
        answer = self._git.ignoring_rule(path, top)
        return deciding_rule(parts, patterns_at) if answer is None else answer


def _of_setting(name: str, lines: Sequence[str], ignore_case: bool) -> Patterns | None:
    return patterns_of(lines, f"the setting context.{name}", ignore_case=ignore_case) if lines else None


def _unsuitable(path: Path) -> Exclusion | None:
    if not path.exists():
        return None  # a new file that was not saved yet
    try:
        read_source(path)
    except FileUnsuitable as reason:
        return Exclusion(Level.NO_CONTEXT, f"its content: {reason}")
    return None
