r"""Turn ignore files into the line that decides about a path, by the rules of gitignore(5).

The last line that matches decides, deeper files come before shallower ones, `!` lifts what an earlier line of the same
kind of file excluded, and nothing below an excluded folder can be lifted again. A file with a line that cannot be
understood excludes everything it might speak of: the user meant to hide something, and we do not know what.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

_LARGEST_FILE_BYTES = 256_000

# Every `*` multiplies the time a pattern can take on a name made to match it almost; real patterns have one or two.
_MOST_STARS_IN_PART = 3
_MOST_STARS = 8

# Sets that git's matcher and Python's expressions read differently: [[:alpha:]], [a--b], [a&&b].
_UNCLEAR_SET = re.compile(r"\[[^\]]*(\[|--|&&|~~|\|\|)")


@dataclass(frozen=True, slots=True)
class _Line:
    number: int
    excludes: bool
    folders_only: bool
    expression: re.Pattern[str]

    def matches(self, name: str, is_folder: bool) -> bool:
        """Tell whether this line speaks of the name itself; the folders above it have been asked before."""
        if self.folders_only and not is_folder:
            return False
        found = self.expression.search(name)
        below = found and found.groupdict().get("ps_d") and found.end("ps_d") < len(name)
        return found is not None and not below


@dataclass(frozen=True, slots=True)
class Patterns:
    """The lines of one ignore file, last first; `defect` says why it excludes everything instead."""

    source: str
    lines: tuple[_Line, ...] = ()
    defect: str = ""

    @property
    def unreadable(self) -> bool:
        """True where the file's content is not known at all."""
        return self.defect.startswith("cannot be read")

    def rule_for(self, name: str, *, is_folder: bool) -> str | None:
        """Return the deciding rule as `FILE:LINE`, "" where a line lifts it, None where no line speaks of the name."""
        if self.defect:
            return f"{self.source} ({self.defect})"
        line = next((line for line in self.lines if line.matches(name, is_folder)), None)
        return None if line is None else f"{self.source}:{line.number}" if line.excludes else ""


def deciding_rule(parts: Sequence[str], patterns_at: Mapping[int, Patterns]) -> str:
    """Return the rule that excludes a path or a folder it stands in, or "".

    `parts` are the path's, `patterns_at` the ignore files in the folders above it, by their depth.
    """
    for length in range(1, len(parts) + 1):
        for depth in sorted((depth for depth in patterns_at if depth < length), reverse=True):
            name = "/".join(parts[depth:length])
            rule = patterns_at[depth].rule_for(name, is_folder=length < len(parts))
            if rule:
                return rule
            if rule is not None:
                break
    return ""


def read_patterns(path: Path, source: str, *, ignore_case: bool) -> Patterns:
    """Return the patterns of an ignore file that exists. What cannot be read excludes everything."""
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST_FILE_BYTES + 1)
        text = content.decode("utf-8-sig")
    except OSError as error:
        return Patterns(source, defect=f"cannot be read: {error.strerror}")
    except UnicodeDecodeError:
        return Patterns(source, defect="cannot be read: not UTF-8 text")
    if len(content) > _LARGEST_FILE_BYTES:
        return Patterns(source, defect=f"larger than {_LARGEST_FILE_BYTES:,} bytes")
    if path.name == ".aiexclude" and not text.strip():
        return Patterns(source, defect="empty, which excludes everything")  # as Gemini Code Assist reads it
    return patterns_of(text.replace("\r\n", "\n").split("\n"), source, ignore_case=ignore_case)


def patterns_of(lines: Iterable[str], source: str, *, ignore_case: bool) -> Patterns:
    """Return the patterns of some lines, numbered from 1."""
    understood: list[_Line] = []
    for number, text in enumerate(lines, 1):
        if not text.strip() or text.startswith("#"):
            continue
        line = _understood(number, text, ignore_case)
        if line is None:
            return Patterns(source, defect=f"line {number} cannot be understood")
        understood.append(line)
    return Patterns(source, tuple(reversed(understood)))


def _understood(number: int, text: str, ignore_case: bool) -> _Line | None:
    stars = text.replace("**", "").count("*") if "**" in text else text.count("*")
    if stars > _MOST_STARS or any(part.count("*") > _MOST_STARS_IN_PART for part in text.split("/")):
        return None
    if _UNCLEAR_SET.search(text):
        return None
    folders_only = text.rstrip().endswith("/")
    try:
        pattern = GitIgnoreSpecPattern(text.rstrip().removesuffix("/") if folders_only else text)
    except (ValueError, re.error):
        return None
    if pattern.regex is None or pattern.include is None:
        return None
    expression = re.compile(pattern.regex.pattern, re.IGNORECASE) if ignore_case else pattern.regex
    return _Line(number, pattern.include, folders_only, expression)
