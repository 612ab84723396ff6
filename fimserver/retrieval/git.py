"""Ask git what belongs to a repository, without letting the repository run anything.

A repository's own configuration may name programs (`core.fsmonitor` runs one on `git ls-files`), so those keys are
overridden, and nothing here ever fetches. Where git is missing, slow or refuses, the answer is None and the caller
reads the ignore files itself.
"""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

# Long enough to list a hundred thousand files on a slow disk; a single question takes milliseconds.
_LIST_S = 120.0
_ASK_S = 2.0

_MOST_ANSWERS = 4096

_Stamps = tuple[tuple[int, int] | None, ...]

_SAFE = ("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "core.untrackedCache=false")
_QUIET = {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "GIT_NO_LAZY_FETCH": "1", "LC_ALL": "C"}


def work_tree(path: Path) -> Path | None:
    """Return the innermost folder at or above a path that holds `.git`; None outside every repository."""
    return next((folder for folder in (path, *path.parents) if (folder / ".git").exists()), None)


def listed_files(folder: Path) -> Iterator[str] | None:
    """Return the files below a folder that git tracks or would track, relative to it, or None where git cannot say.

    Nested repositories and submodules are entered, because git names only their folders.
    """
    answer = _git(folder, "ls-files", "-z", "--cached", "--others", "--exclude-standard", limit_s=_LIST_S)
    return None if answer is None else _with_nested(folder, dict.fromkeys(_texts(answer)))


def _with_nested(folder: Path, names: dict[str, None]) -> Iterator[str]:
    for name in names:
        path = folder / name
        if not path.is_dir() or path.is_symlink():
            yield name
        elif (path / ".git").exists():
            nested = listed_files(path) or ()
            yield from (f"{name.rstrip('/')}/{inner}" for inner in nested)


class Git:
    """Answers about single files, kept while nothing they depend on has changed."""

    def __init__(self) -> None:
        self._answers: dict[Path, tuple[_Stamps, str | None]] = {}

    def forget(self) -> None:
        """Ask again about every file."""
        self._answers.clear()

    def ignoring_rule(self, path: Path, top: Path) -> str | None:
        """Return the rule by which the repositories from `top` down ignore a path, as `FILE:LINE`, or "".

        None means that git cannot say. A tracked file is never ignored, whatever the patterns say.
        """
        stamps = tuple(_stamps(path, top))
        known = self._answers.get(path)
        if known is None or known[0] != stamps:
            if len(self._answers) >= _MOST_ANSWERS:
                self._answers.clear()
            known = self._answers[path] = stamps, _asked(path, top)
        return known[1]


def _asked(path: Path, top: Path) -> str | None:
    """Ask the repository of the path, then the one that this repository's folder stands in, up to `top`."""
    answer: str | None = None
    tree = work_tree(path.parent)
    while tree is not None and tree.is_relative_to(top) and not answer:
        name = os.fsencode(path.relative_to(tree)) + b"\0"
        said = _git(tree, "check-ignore", "-v", "-z", "--stdin", limit_s=_ASK_S, question=name)
        if said is None:
            return None
        answer = _deciding(said, tree, top)
        path, tree = tree, work_tree(tree.parent)
    return answer


def _deciding(said: bytes, tree: Path, top: Path) -> str:
    source, line, pattern = [*_texts(said), "", "", ""][:3]
    if not source or pattern.startswith("!"):
        return ""
    below = (tree / source).is_relative_to(top)  # a user's own excludes file stands elsewhere
    return f"{(tree / source).relative_to(top).as_posix() if below else source}:{line}"


def _stamps(path: Path, top: Path) -> Iterator[tuple[int, int] | None]:
    """Yield the change times of all that git reads for its answer."""
    for folder in path.parents:
        for name in (".gitignore", ".git/index", ".git/info/exclude"):
            try:
                found = (folder / name).stat()
            except OSError:
                yield None
            else:
                yield found.st_mtime_ns, found.st_size
        if folder == top:
            return


def _texts(answer: bytes) -> Iterator[str]:
    return (os.fsdecode(part) for part in answer.split(b"\0")[:-1])


def _git(folder: Path, *arguments: str, limit_s: float, question: bytes = b"") -> bytes | None:
    """Return what git printed; None where it is missing, too slow, or failed (1 is its "no match")."""
    try:
        done = subprocess.run(
            ["git", *_SAFE, *arguments],
            cwd=folder,
            input=question,
            capture_output=True,
            timeout=limit_s,
            env=_environment(),
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode in (0, 1) else None


def _environment() -> dict[str, str]:
    """Return our environment without what would point git at another repository (as inside a git hook)."""
    kept = {name: value for name, value in os.environ.items() if name not in _REDIRECTIONS}
    return kept | _QUIET


_REDIRECTIONS = frozenset({"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_OBJECT_DIRECTORY"})
