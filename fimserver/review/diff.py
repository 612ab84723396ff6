r"""Turn the output of `git diff --unified=0` into the lines of each file that changed.

    diff --git a/till.py b/till.py
    --- a/till.py
    +++ b/till.py
    @@ -3 +3,2 @@ def total(prices):
    -    return sum(prices)
    +    known = [price for price in prices if price]
    +    return sum(known)

is `FileChange("till.py", added=(range(2, 4),), removed={2: ("    return sum(prices)",)})`. Line numbers count from 0.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

_FILE = re.compile(r"^(?:diff --(?:git|cc|combined)|\* Unmerged path) ", re.MULTILINE)
_HUNK = re.compile(r"@@ -(?P<old>\d+)(?:,\d+)? \+(?P<new>\d+)(?:,(?P<count>\d+))? @@")

# What git says of a file in place of lines, and how that is told.
_WITHOUT_LINES = (
    (re.compile(r"^(?:Binary files .* differ|GIT binary patch)$", re.MULTILINE), "is binary"),
    (re.compile(r"^deleted file mode ", re.MULTILINE), "was deleted"),
    (re.compile(r"^diff --(?:cc|combined) |^\* Unmerged path ", re.MULTILINE), "has unresolved merge conflicts"),
    (re.compile(r"^(?:index \S+|new file mode) 160000$", re.MULTILINE), "is a submodule"),
)

_CONFLICT = re.compile(r"^<{7} .*$(?:.*\n)*?^={7}$(?:.*\n)*?^>{7} ", re.MULTILINE)

# git writes unusual names in quotes, with these and octal numbers for bytes.
_ESCAPES = {"a": 7, "b": 8, "t": 9, "n": 10, "v": 11, "f": 12, "r": 13, '"': 34, "\\": 92}
_ESCAPED = re.compile(rb"\\(?:([0-7]{3})|(.))")


@dataclass(frozen=True, slots=True)
class FileChange:
    """What changed in one file. `why_not` says why there are no lines to speak of, as "is binary"."""

    path: str  # relative to the top of the repository
    added: tuple[range, ...] = ()
    removed: Mapping[int, tuple[str, ...]] = field(default_factory=dict)  # by the line they stood before
    why_not: str = ""

    @property
    def asked(self) -> tuple[range, ...]:
        """The lines a review is about: what was added, and the neighbours of what was only removed."""
        only_removed = [line for line in self.removed if not any(line in lines for lines in self.added)]
        beside = [range(max(0, line - 1), line + 1) for line in only_removed]
        return tuple(sorted((*self.added, *beside), key=lambda lines: lines.start))

    @property
    def count(self) -> int:
        """How many lines were added or removed."""
        return sum(map(len, self.added)) + sum(map(len, self.removed.values()))


def parse_diff(text: str) -> list[FileChange]:
    """Return the files of a diff, in its order. What is no diff has none."""
    begins = [match.start() for match in _FILE.finditer(text)]
    return [_file(text[begin:end]) for begin, end in zip(begins, [*begins, len(text)][1:], strict=True)]


def conflict_line(text: str) -> int | None:
    """Return the line, from 0, of the first merge conflict that was left in a text."""
    match = _CONFLICT.search(text) if "<<<<<<< " in text else None
    return text.count("\n", 0, match.start()) if match else None


def _file(part: str) -> FileChange:
    head, mark, body = part.partition("\n@@ ")
    path = _path(head)
    for pattern, why_not in _WITHOUT_LINES:
        if pattern.search(head):
            return FileChange(path, why_not=why_not)
    added: list[range] = []
    removed: dict[int, tuple[str, ...]] = {}
    for start, gone, come in _hunks(f"@@ {body}" if mark else ""):
        added += [range(start, start + come)] if come else []
        removed.update({start: gone} if gone else {})
    return FileChange(path, tuple(added), removed, "" if added or removed else "has no changed lines")


def _hunks(body: str) -> Iterator[tuple[int, tuple[str, ...], int]]:
    """Yield for each hunk where it begins in the new text, the lines that went, and how many came."""
    start, gone, come, is_open = 0, list[str](), 0, False
    for line in body.split("\n"):
        if hunk := _HUNK.match(line):
            if is_open:
                yield start, tuple(gone), come
            # A hunk that adds nothing stands behind the line it names, all others begin at it.
            start = int(hunk["new"]) - (hunk["count"] != "0")
            gone, come, is_open = [], 0, True
        elif line.startswith("-"):
            gone.append(line[1:].removesuffix("\r"))
        elif line.startswith("+"):
            come += 1
    if is_open:
        yield start, tuple(gone), come


def _path(head: str) -> str:
    """Return a file's name now; that of a binary or an unchanged one stands in the first line only."""
    for line in head.split("\n"):
        if line.startswith("+++ ") and not line.startswith("+++ /dev/null"):
            return _unquoted(line[4:].removesuffix("\t"), "b/")
        if line.startswith(("rename to ", "copy to ")):
            return _unquoted(line.split(" ", 2)[2], "")
    first = head.partition("\n")[0]
    if found := re.fullmatch(r"(?:diff --(?:cc|combined)|\* Unmerged path) (.+)", first):
        return _unquoted(found[1], "")
    names = first.removeprefix("diff --git ")
    if names.endswith('"'):
        return _unquoted(names[names.rindex(' "') + 1 :], "b/")
    return names[len(names) // 2 + 1 :].removeprefix("b/")  # the same name twice, behind a/ and b/


def _unquoted(name: str, prefix: str) -> str:
    if name.startswith('"') and name.endswith('"'):
        raw = _ESCAPED.sub(_byte, name[1:-1].encode("utf-8", "surrogateescape"))
        name = raw.decode("utf-8", "surrogateescape")
    return name.removeprefix(prefix)


def _byte(escape: re.Match[bytes]) -> bytes:
    octal, letter = escape.groups()
    return bytes([int(octal, 8) if octal else _ESCAPES.get(letter.decode(), letter[0])])
