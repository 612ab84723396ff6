"""Say whether text is nothing but closing punctuation: what editors insert by themselves, and a suggestion replaces."""

import re

# Closers first, then what may follow them on a line: `):`, `");`, `) {`, ` */`, `</li>`, ` ?>`, and the `()` and `?` of
# a call whose type or arguments are being written. An opening brace counts at the end only: the header `if (‸) {` is
# not finished, and a suggestion for it ends with the brace again.
_CLOSING = re.compile(r"""(?:[\s)\]}>"'`;:,]|\*/|\?>|</[\w.:-]*>|(?<=>)\(\)|(?<=\))\?)*(?:\{\s*)?""")


def is_closing(text: str) -> bool:
    """Say whether nothing but closing punctuation and white space is in the text; an empty text is.

    >>> is_closing('"):'), is_closing(", b)")
    (True, False)
    """
    return _CLOSING.fullmatch(text) is not None
