"""Choose how much of the text before and after the split point a prompt holds.

A window that moves makes the engine evaluate everything again, so its start is found on a coarse grid of offsets and
then at the next line that looks like the beginning of something at top level. The syntax tree is not asked: broken
code at the cursor changes the tree far above it, and must not move the window.
"""

import re
from dataclasses import dataclass

# Source code in the vocabularies of code models: 3.0 (C++) to 3.9 (Python) characters a token.
CHARACTERS_PER_TOKEN = 3.4

# Of the window, the text before the cursor gets this share. What one side leaves unused goes to the other.
_PREFIX_SHARE = 0.75

# A line at column 0 after an empty line: in all our languages the start of a definition, comment or paragraph.
_TOP_LEVEL = re.compile(r"\n[ \t]*\r?\n(?=[^\s)\]}])")
_LINE_END = re.compile(r"\r\n|\n|\r")


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """How long the parts of a prompt that come from this file may be, in characters."""

    window_characters: int = 3400
    typed_characters: int = 650

    @classmethod
    def of_tokens(cls, *, window_tokens: int, typed_tokens: int = 192) -> "Budget":
        """Return the budget for so many tokens."""
        return cls(
            window_characters=int(window_tokens * CHARACTERS_PER_TOKEN),
            typed_characters=int(typed_tokens * CHARACTERS_PER_TOKEN),
        )


def shares(characters: int, before: int, after: int) -> tuple[int, int]:
    """Divide the window between the text before and after the cursor, given how much there is of each.

    >>> shares(1000, before=5000, after=5000)
    (750, 250)
    >>> shares(1000, before=5000, after=0)
    (1000, 250)
    """
    # In steps, so that a few characters typed near the file's end do not move the other end of the window.
    step = max(1, characters // 8)
    for_prefix = int(characters * _PREFIX_SHARE)
    for_suffix = characters - for_prefix
    return (
        max(for_prefix, (characters - after) // step * step),
        max(for_suffix, (characters - before) // step * step),
    )


def window_start(text: str, split: int, most: int) -> int:
    """Return where the prefix begins: it holds between a half and all of `most` characters, if there are as many."""
    if split <= most:
        return 0
    step = max(1, most // 3)
    target = -(-(split - most) // step) * step
    limit = target + most // 6
    match = _TOP_LEVEL.search(text, target, limit) or _LINE_END.search(text, target, limit)
    return match.end() if match else target


def window_end(text: str, start: int, most: int) -> int:
    """Return where the suffix ends: after a whole line, unless a single line is longer than the window."""
    end = start + most
    if end >= len(text):
        return len(text)
    newline = text.rfind("\n", start + 1, end)
    return newline + 1 if newline >= 0 else end
