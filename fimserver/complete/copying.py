"""Find the one line, here or in the snippets of other files, that goes on from what is typed: a candidate for nothing.

Code repeats itself. Where every other line that begins as the cursor's does goes on in the same way, that way is right
in two cases of five (measured on this project's own source, at one position in fourteen): more often than a small
model is where it is unsure. Lines that go on in different ways say nothing, and give no candidate.
"""

from collections.abc import Iterable, Iterator

from fimserver.values import CursorContext, Snippet

# Lines further away than this are not searched: a keystroke must not read a whole novel.
_FURTHEST_CHARACTERS = 60_000


def copied_rest(context: CursorContext, snippets: Iterable[Snippet] = ()) -> str | None:
    """Return what all lines that begin as the cursor's line go on with, or None where there is none or they differ.

    Indentation does not count, and lines that only say what is typed already do not either.
    """
    typed = context.line_prefix.lstrip()
    if not typed or not context.closing_tail:
        return None
    rests = {line[len(typed) :].rstrip() for line in _other_lines(context, snippets) if line.startswith(typed)} - {""}
    return rests.pop() if len(rests) == 1 else None


def _other_lines(context: CursorContext, snippets: Iterable[Snippet]) -> Iterator[str]:
    """Yield all lines but the cursor's own, without their indentation."""
    text = context.document.text
    above = text[max(0, context.line_start - _FURTHEST_CHARACTERS) : context.line_start]
    below = text[context.offset + len(context.tail) :][:_FURTHEST_CHARACTERS]
    for block in (above, below, *(snippet.text for snippet in snippets)):
        yield from (line.lstrip() for line in block.splitlines())
