"""Tell how much of a file has been read before: the share of its long lines that stand in other files.

Copies, other versions of a file and held-out code that was pasted elsewhere share their lines, whatever else changed.
"""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet

# Shorter lines (`return None`, `import os`) are everybody's.
_LONG_CHARACTERS = 25


def long_lines(text: str) -> list[str]:
    """Return the stripped lines that are long enough to tell files apart."""
    stripped = map(str.strip, text.split("\n"))
    return [line for line in stripped if len(line) > _LONG_CHARACTERS]


def share_seen(text: str, seen: AbstractSet[int]) -> float:
    """Return which share of the long lines is in `seen`, between 0 and 1; a file without long lines has seen none."""
    lines = set(long_lines(text))
    return sum(hash(line) in seen for line in lines) / len(lines) if lines else 0.0


def line_hashes(texts: Iterable[str]) -> set[int]:
    """Return the hashes of all long lines, for `share_seen`; good within one process."""
    return {hash(line) for text in texts for line in long_lines(text)}
