"""Tell whether what was accepted still stands in a document."""

from collections.abc import Iterable


def still_stands(accepted: Iterable[str], text: str) -> bool:
    r"""Return whether every line of the accepted pieces stands somewhere in the text, however it is indented now.

    A line that was changed by one character does not. Pieces without a line that says anything do.

    >>> still_stands(["x = 1\n    y = 2"], "if x:\n  x = 1\n  y = 2\n"), still_stands(["x = 1"], "x = 2")
    (True, False)
    """
    lines = (line.strip() for piece in accepted for line in piece.splitlines())
    return all(line in text for line in lines)
