"""Turn documents into their fenced blocks: what each is written in, its title, the heading it stands below."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]

# The user's documents; the decisions hold no examples.
DOCUMENTS = tuple(sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]))

_FENCE = re.compile(r"^```(?P<language>[\w+-]*)(?: title=\"(?P<title>[^\"]+)\")?$")
_HEADING = re.compile(r"^#+ (?P<heading>.+)$")


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block. `before` is the last line of prose above it."""

    document: str  # its path, as in docs/editors.md
    line: int
    heading: str
    language: str  # empty where none is said
    title: str
    before: str
    text: str

    @property
    def name(self) -> str:
        """What a test that looks at it is called."""
        return f"{self.document}:{self.line}"


def blocks_of(path: Path) -> Iterator[Block]:
    """Yield the fenced blocks of a document, in its order."""
    heading = before = ""
    lines = enumerate(path.read_text("utf-8").splitlines(), 1)
    for number, line in lines:
        if opened := _FENCE.match(line):
            text = []
            for _, inner in lines:
                if inner == "```":
                    break
                text.append(inner)
            name = path.relative_to(ROOT).as_posix()
            body = "".join(f"{one}\n" for one in text)
            yield Block(name, number, heading, opened["language"], opened["title"] or "", before, body)
        elif title := _HEADING.match(line):
            heading = title["heading"]
        elif line.strip():
            before = line


def every_block() -> list[Block]:
    """Return the blocks of all documents."""
    return [block for path in DOCUMENTS for block in blocks_of(path)]
