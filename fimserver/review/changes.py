"""Ask git what changed: in the working tree, in what is staged, or since a branch left its base.

git runs beside the event loop, fetches nothing and starts none of the programs a repository may name. The text that is
reviewed is the one the line numbers are of: the working tree's file, or the staged one.
"""

import asyncio
import os
from collections.abc import AsyncGenerator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from fimserver.errors import FileUnsuitable, GitUnusable
from fimserver.retrieval.places import LARGEST_FILE_BYTES, read_source
from fimserver.review.diff import FileChange, conflict_line, parse_diff
from fimserver.review.passages import Target
from fimserver.syntax.languages import language_of_path
from fimserver.values import Document

# `core.fsmonitor` and `diff.external` name programs; nothing of the user's own configuration changes the form.
_PLAIN = ("-c", "core.fsmonitor=false", "-c", "core.quotePath=true", "-c", "diff.suppressBlankEmpty=false")
_FORM = ("--no-ext-diff", "--no-textconv", "--no-color", "--unified=0", "--find-renames", "--inter-hunk-context=0")
_PREFIXES = ("--src-prefix=a/", "--dst-prefix=b/", "--ignore-submodules=dirty")
_QUIET = {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "GIT_NO_LAZY_FETCH": "1", "LC_ALL": "C"}

# Nobody reviews more; it is generated, or data.
_LARGEST_DIFF_BYTES = 32 * 1024 * 1024

_INSTEAD = "Files can be reviewed without git: fimserver review FILE"


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that cannot be reviewed, and why, as in "logo.png is binary"."""

    path: str
    why: str

    def __str__(self) -> str:
        return f"{self.path} {self.why}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which change to look at: what is staged, or since a base; else all that is not committed yet."""

    staged: bool = False
    base: str = ""
    paths: tuple[Path, ...] = ()  # only these, if there are any


async def staged_diff(folder: Path) -> str:
    """Return what is staged as git shows it, with some context. Raises GitUnusable."""
    return _text(await _git(folder, "diff", "--cached", *_FORM[:3], "--find-renames", *_PREFIXES))


async def working_diff(folder: Path) -> str:
    """Return what is not committed yet, of the files git knows, with some context. Raises GitUnusable."""
    return _text(await _git(folder, "diff", *_FORM[:3], "--find-renames", *_PREFIXES, await _since(folder, "")))


async def recent_subjects(folder: Path, count: int = 8) -> list[str]:
    """Return the first lines of the last commits' messages, the newest first."""
    return _text(await _try(folder, "log", f"--max-count={count}", "--format=%s")).splitlines()


async def top_folder(folder: Path) -> Path:
    """Return the top of the repository a folder is in. Raises GitUnusable."""
    return Path(os.fsdecode(await _git(folder, "rev-parse", "--show-toplevel")).removesuffix("\n"))


async def changed_targets(folder: Path, wanted: Wanted) -> AsyncGenerator[Target | Skipped, None]:
    """Yield what can be reviewed of a change, and each file of it that cannot. Raises GitUnusable."""
    top = await top_folder(folder)
    for change in await changes(top, wanted):
        yield await _target(top, change, staged=wanted.staged)


async def changes(top: Path, wanted: Wanted) -> list[FileChange]:
    """Return the files of a change; new ones that git does not track yet are part of the working tree's."""
    paths = ["--", *(str(path.absolute()) for path in wanted.paths)]
    if wanted.staged:
        return parse_diff(_text(await _git(top, "diff", "--cached", *_FORM, *_PREFIXES, *paths)))
    since = await _since(top, wanted.base)
    found = parse_diff(_text(await _git(top, "diff", *_FORM, *_PREFIXES, since, *paths)))
    if wanted.base:
        return found
    names = await _git(top, "ls-files", "-z", "--others", "--exclude-standard", *paths)
    return [*found, *(FileChange(os.fsdecode(name), added=(_ALL,)) for name in names.split(b"\0") if name)]


# Stands for all lines of a file that git has no diff of; the file is never longer.
_ALL = range(LARGEST_FILE_BYTES)


async def _since(folder: Path, base: str) -> str:
    """Return the commit, or the empty tree, to compare the working tree with."""
    if not base:
        if await _try(folder, "rev-parse", "--verify", "--quiet", "HEAD"):
            return "HEAD"
        return _text(await _git(folder, "hash-object", "-t", "tree", "--stdin")).strip()
    if base.startswith("-") or not await _try(folder, "rev-parse", "--verify", "--quiet", f"{base}^{{commit}}"):
        raise GitUnusable(f"There is no branch or commit {base!r} here; git branch --all lists what there is.")
    if not (fork := await _try(folder, "merge-base", base, "HEAD")):
        raise GitUnusable(f"{base} and this branch have no commit in common, so there is no change to review.")
    return _text(fork).strip()


async def _target(top: Path, change: FileChange, *, staged: bool) -> Target | Skipped:
    if change.why_not:
        return Skipped(change.path, change.why_not)
    try:
        text = await (_staged_text(top, change.path) if staged else asyncio.to_thread(read_source, top / change.path))
    except FileUnsuitable as error:
        return Skipped(change.path, f"is left out: {error}")
    return target_of(text, top / change.path, change)


def target_of(text: str, path: Path, change: FileChange) -> Target | Skipped:
    """Return the target for a change in a text. Lines beyond its end are left out: the file changed meanwhile."""
    if (line := conflict_line(text)) is not None:
        return Skipped(change.path, f"has an unresolved merge conflict on line {line + 1}; resolve it first")
    language = language_of_path(path)
    document = Document.of(text, uri=path.absolute().as_uri(), language=language.id if language else "plaintext")
    count = len(document.starts)
    asked = tuple(range(lines.start, min(lines.stop, count)) for lines in change.asked if lines.start < count)
    return Target(document, asked, change.removed, is_change=True)


async def _staged_text(top: Path, name: str) -> str:
    content = await _git(top, "cat-file", "blob", f":0:{name}")
    if len(content) > LARGEST_FILE_BYTES:
        raise FileUnsuitable(f"larger than {LARGEST_FILE_BYTES:,} bytes")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise FileUnsuitable("not UTF-8 text") from None


async def _try(folder: Path, *arguments: str) -> bytes:
    """Return what git prints, nothing where it fails."""
    with suppress(GitUnusable):
        return await _git(folder, *arguments)
    return b""


async def _git(folder: Path, *arguments: str) -> bytes:
    """Return what git prints. Raises GitUnusable where it is missing, refuses, or prints too much."""
    try:
        process = await asyncio.create_subprocess_exec(
            "git",
            *_PLAIN,
            *arguments,
            cwd=folder,
            env=os.environ | _QUIET,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
    except OSError as error:
        raise GitUnusable(f"git cannot be run: {error.strerror or error}. {_INSTEAD}") from error
    try:
        answer, complaint = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        said = complaint.decode("utf-8", "replace").strip().removeprefix("fatal: ").partition("\n")[0]
        raise GitUnusable(f"git refuses: {said or f'exit code {process.returncode}'}. {_INSTEAD}")
    if len(answer) > _LARGEST_DIFF_BYTES:
        raise GitUnusable(f"The change is larger than {_LARGEST_DIFF_BYTES:,} bytes. Name files: fimserver review FILE")
    return answer


def _text(answer: bytes) -> str:
    return answer.decode("utf-8", "replace")
