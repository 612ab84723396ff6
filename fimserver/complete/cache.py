"""Answer from what was suggested before: the user typed along it, or deleted back into it.

A suggestion is remembered as the text its line would hold if it were accepted (`whole`, from that line's start, over
its own line breaks). It fits again wherever that text begins with what now stands between the line's start and the
cursor, and the text around is as it was.
"""

from collections import OrderedDict
from dataclasses import dataclass, replace

from fimserver.values import Completion, CursorContext, Span, Timings

# What may differ further away than this does not change what a suggestion means.
_ABOVE_CHARACTERS = 1_500
_BELOW_CHARACTERS = 800
# As many as llama.vim keeps; an entry is a few kilobytes.
_MOST_ENTRIES = 250


@dataclass(frozen=True, slots=True)
class Remembered:
    """A suggestion and the place it was made for."""

    uri: str
    line_start: int
    above: str
    whole: str
    below: str
    completion: Completion

    def line_at(self, context: CursorContext) -> str | None:
        """Return the suggested text from the start of the cursor's line on, or None where it does not fit.

        White space before the cursor on an otherwise empty line is the editor's guess: it need not agree.
        """
        lines_length = context.line_start - self.line_start
        if context.document.uri != self.uri or not 0 <= lines_length < len(self.whole):
            return None
        earlier_lines = context.document.text[self.line_start : context.line_start]
        line = self.whole[lines_length:]
        fits = (
            self.whole.startswith(earlier_lines)
            and (context.blank_prefix or line.startswith(context.line_prefix))
            and line[len(context.line_prefix) :].strip() != ""
            and surroundings(context, self.line_start) == (self.above, self.below)
        )
        return line if fits else None

    def is_written_out(self, context: CursorContext) -> bool:
        """Say whether the suggestion was one line and stands in the document, the cursor at its end."""
        return (
            context.offset - self.line_start == len(self.whole)
            and "\n" not in self.whole
            and context.document.text.startswith(self.whole, self.line_start)
            and context.document.uri == self.uri
            and surroundings(context, self.line_start) == (self.above, self.below)
        )


class SuggestionCache:
    """The latest suggestions of all documents, newest first."""

    def __init__(self) -> None:
        self._entries: OrderedDict[tuple[str, int, str], Remembered] = OrderedDict()

    def remember(self, context: CursorContext, completion: Completion) -> None:
        """Keep a suggestion that was made at this cursor."""
        entry = remembered(context, completion)
        key = (entry.uri, entry.line_start, entry.whole)
        self._entries[key] = entry
        self._entries.move_to_end(key)
        while len(self._entries) > _MOST_ENTRIES:
            self._entries.popitem(last=False)

    def look_up(self, context: CursorContext) -> Completion | None:
        """Return the newest suggestion that still fits, as it reads from this cursor; it costs no token."""
        for entry in reversed(self._entries.values()):
            if (line := entry.line_at(context)) is not None:
                return at_cursor(context, line, replace(entry.completion, source="cache", timings=Timings()))
        return None

    def wrote_out(self, context: CursorContext) -> bool:
        """Say whether a suggested line has just been written to its end, by accepting it or by typing it."""
        return any(entry.is_written_out(context) for entry in reversed(self._entries.values()))

    def forget(self, uri: str) -> None:
        """Drop a closed document's suggestions."""
        for key in [key for key in self._entries if key[0] == uri]:
            del self._entries[key]


def remembered(context: CursorContext, completion: Completion) -> Remembered:
    """Return a suggestion with its surroundings."""
    above, below = surroundings(context, context.line_start)
    return Remembered(
        uri=context.document.uri,
        line_start=context.line_start,
        above=above,
        whole=context.document.text[context.line_start : completion.replaces.start] + completion.text,
        below=below,
        completion=completion,
    )


def surroundings(context: CursorContext, line_start: int) -> tuple[str, str]:
    """Return the text before a line and the text after the cursor that a suggestion leaves alone, both cut short.

    Closing punctuation on the cursor's line is replaced, so a bracket the editor has just closed does not count.
    """
    text = context.document.text
    below = context.offset + (len(context.tail) if context.closing_tail else 0)
    return text[max(0, line_start - _ABOVE_CHARACTERS) : line_start], text[below : below + _BELOW_CHARACTERS]


def at_cursor(context: CursorContext, line: str, completion: Completion) -> Completion:
    """Return the completion that makes the cursor's line (and what follows it) read `line`.

    On a line of nothing but white space it replaces that white space too, so that it can stand further left.
    """
    end = context.offset + (len(context.tail) if context.closing_tail else 0)
    if context.blank_prefix:
        return replace(completion, text=line, replaces=Span(context.line_start, end))
    return replace(completion, text=line[len(context.line_prefix) :], replaces=Span(context.offset, end))
