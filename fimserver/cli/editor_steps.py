"""Turn a block and the file of a user's that it belongs into into a step: what would be written there, or why not.

A file that speaks of fimserver already is left alone.
"""

from dataclasses import dataclass
from pathlib import Path

from fimserver.cli.editor_merging import Merging


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing to do. It has a `path` and its new `content`, or a `command`, or it is the user's to do by hand.

    `old` is what the file held when this was made, None where there was none. `done` steps need nothing more.
    """

    says: str
    block: str = ""
    path: Path | None = None
    old: str | None = None
    content: str | None = None
    command: tuple[str, ...] = ()
    done: bool = False

    @property
    def by_hand(self) -> bool:
        """Tell whether only the user can do it."""
        return not self.done and self.content is None and not self.command


def in_file(path: Path, wanted: str, merge: Merging, where: str) -> Step:
    """Return the step that brings a block into a file."""
    try:
        old = text_of(path)
    except (OSError, UnicodeDecodeError):
        return Step(says=f"{path} cannot be read, so it is left alone. {where}", block=wanted)
    if old is not None and _code(wanted) in _code(old):
        return Step(says=f"{path} has it already.", done=True)
    if old is not None and "fimserver" in old:
        says = f"{path} speaks of fimserver already, so it is left alone. It should have:"
        return Step(says=says, block=wanted, done=True)
    content = merge(old, wanted)
    if content is None:
        return Step(says=f"{path} is yours, so it is left alone. {where}", block=wanted)
    intention = f"{path} would be written:" if old is None else f"{path} would get this at its end:"
    return Step(says=intention, block=content.removeprefix(old or "").lstrip(), path=path, old=old, content=content)


def text_of(path: Path) -> str | None:
    """Return a file's text with its own line ends, None where there is no file. Raises OSError, UnicodeDecodeError."""
    return path.read_bytes().decode("utf-8") if path.exists() else None


def _code(text: str) -> str:
    """Return a text without what may differ: its blanks, and the braces around all of it."""
    code = "".join(text.split())
    return code[1:-1] if code.startswith("{") else code
