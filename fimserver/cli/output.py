"""Turn what a command found into what the terminal shows. The only module that knows colours.

Where standard output is no terminal there are none, and lines are never wrapped. Text of files and of models is made
harmless first: an escape sequence in it reaches nobody's terminal.
"""

import json
import re
from collections.abc import Sequence
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

GOOD, BAD, FAINT, GHOST = "green", "red", "dim", "dim italic"

Part = str | tuple[str, str]  # plain text, or text and its style

# C0 and C1 controls but tab and newline, and the characters that reorder or hide text.
_HARMFUL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2064\u2066-\u206f\ufeff]")


def harmless(text: str) -> str:
    r"""Return the text with everything that steers a terminal drawn as a replacement character.

    >>> harmless("a\x1b[2Jb")
    'a\ufffd[2Jb'
    """
    return _HARMFUL.sub("\ufffd", text)


def line(*parts: Part) -> None:
    """Print one line."""
    text = Text()
    for part in parts:
        text.append(harmless(_content(part)), _style(part))
    Console(highlight=False).print(text, soft_wrap=True)


def columns(rows: Sequence[Sequence[Part]]) -> None:
    """Print rows of equally many cells with their columns aligned."""
    widths = [max(cell_len(_content(cell)) for cell in column) for column in zip(*rows, strict=True)]
    for row in rows:
        last = len(row) - 1
        padded = [_padded(cell, 0 if index == last else widths[index] + 2) for index, cell in enumerate(row)]
        line(*padded)


def as_json(value: Any) -> None:
    """Print a value as indented JSON, in ASCII so that every terminal and pipe carries it."""
    print(json.dumps(value, indent=2))


def _padded(cell: Part, width: int) -> Part:
    padding = " " * max(0, width - cell_len(_content(cell)))
    return _content(cell) + padding, _style(cell)


def _content(part: Part) -> str:
    return part if isinstance(part, str) else part[0]


def _style(part: Part) -> str:
    return "" if isinstance(part, str) else part[1]
