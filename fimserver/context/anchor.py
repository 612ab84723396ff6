r"""Turn a cursor into the split point of a prompt, and hold that point while the user types on.

A prompt is `prefix SUFFIX suffix MIDDLE typed` (or, for some models, `SUFFIX suffix MIDDLE prefix typed`). Whatever
changes before the middle token has to be evaluated again, so the split stays at the start of the line where typing
began (of a line of thousands of characters, at a place on it), and what is typed goes behind it: one or two new tokens
a key. An anchor holds while

- the cursor is at or below it, in the same document,
- the text before it is unchanged (as far as the prompt shows it; an edit above the window only shifts it),
- the text after the cursor is unchanged but for closing punctuation, which editors insert by themselves: in
  ``print(‸)`` and in ``{\n    ‸\n}`` the closers come before the suffix as it was, and the suggestion covers them,
- less than a budget has been typed since.

    anchor taken at      def area(‸
    still held at        def area(radius):\n    return ‸          typed: "def area(radius):\n    return "
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from fimserver.context.window import Budget, shares, window_end, window_start
from fimserver.syntax.closing import is_closing
from fimserver.values import Anchor, CursorContext

# Typing in turn at a definition, its caller, its test and its import: so many places of a document are remembered.
_PLACES = 4
_DOCUMENTS = 16

# Editors insert a handful of closers at a time, each perhaps on a line of its own.
_LONGEST_CLOSERS = 200

# From this share of the typing budget on, the next anchor should be prepared when the user pauses.
_DUE_SHARE = 0.5

# An anchor with less than this share of the text it could have was made for the first answer in a cold file.
_SMALL_SHARE = 0.6


@dataclass(frozen=True, slots=True)
class Held:
    """The anchor to use, and what to write behind it.

    `fresh`: nothing of it can be in the engine yet. `due`: prepare the next one when the user pauses.
    """

    anchor: Anchor
    typed: str
    fresh: bool
    due: bool = False


class Anchors:
    """The last few anchors of the last few documents, newest first."""

    def __init__(self) -> None:
        self._of: OrderedDict[str, tuple[Anchor, ...]] = OrderedDict()

    def of(self, uri: str) -> Sequence[Anchor]:
        """Return the anchors of a document, newest first."""
        return self._of.get(uri, ())

    def remember(self, anchor: Anchor) -> None:
        """Make this the newest anchor of its document: it was taken, used again, or has been warmed."""
        others = tuple(other for other in self.of(anchor.uri) if other.split != anchor.split)
        self._of[anchor.uri] = (anchor, *others)[:_PLACES]
        self._of.move_to_end(anchor.uri)
        if len(self._of) > _DOCUMENTS:
            self._of.popitem(last=False)

    def forget(self, uri: str) -> None:
        """Let go of a closed document's anchors."""
        self._of.pop(uri, None)

    def clear(self) -> None:
        """Let go of all anchors: the model or its budgets have changed."""
        self._of.clear()


def hold_or_take(context: CursorContext, anchors: Anchors, budget: Budget, *, prefix_first: bool = False) -> Held:
    """Return the remembered anchor that holds with the least typed since, or a fresh one; remember either.

    `prefix_first`: in this model's prompts the prefix stands before the suffix, so that after a jump nearby the engine
    still has it.
    """
    known = anchors.of(context.document.uri)
    holding = [found for anchor in known if (found := held(anchor, context, budget)) is not None]
    if not holding:
        anchor = fresh_anchor(context, budget, known[0] if known else None)
        anchor = _with_known_prefix(anchor, known[0], context.document.text) if known and prefix_first else anchor
        anchors.remember(anchor)
        return Held(anchor, typed_since(anchor, context), fresh=True)
    anchor = max(holding, key=lambda found: found.split)
    anchors.remember(anchor)
    return Held(anchor, typed_since(anchor, context), fresh=False, due=_is_due(anchor, context, budget))


def next_anchor(context: CursorContext, anchors: Anchors, budget: Budget) -> Anchor | None:
    """Return the anchor to warm while the user pauses, or None where the one in use will do.

    It will not do where much has been typed since, or where it was made for a smaller budget. Once the engine has
    evaluated the next one, `Anchors.remember` puts it to use.
    """
    known = anchors.of(context.document.uri)
    last = known[0] if known else None
    following = fresh_anchor(context, budget, last)
    in_use = held(last, context, budget) if last else None
    if in_use is None or _is_due(in_use, context, budget):
        return following
    seen = _length(in_use) + context.offset - in_use.split
    return following if seen < _length(following) * _SMALL_SHARE else None


def fresh_anchor(context: CursorContext, budget: Budget, last: Anchor | None = None) -> Anchor:
    """Return an anchor at the start of the cursor's line, with as much of the last one's window as still serves.

    What stands behind the split is never shortened, so that of a line too long for it the split is on the line.
    """
    return _anchor_at(_split(context, budget), context, budget, last)


def _split(context: CursorContext, budget: Budget) -> int:
    before_cursor = context.offset - context.line_start
    if before_cursor <= budget.typed_characters or context.blank_prefix:
        return context.line_start
    step = budget.typed_characters // 2  # a place that stays while half as much as may be is typed
    return context.line_start + (before_cursor - 1) // step * step


def plain_anchor(context: CursorContext, budget: Budget) -> Anchor:
    """Return the prompt's usual form, to compare with: split at the cursor itself, nothing typed since.

    Of a line of nothing but white space it leaves the blanks out, as `typed_since` does.
    """
    return _anchor_at(context.line_start if context.blank_prefix else context.offset, context, budget, None)


def _with_known_prefix(anchor: Anchor, last: Anchor, text: str) -> Anchor:
    """Return the anchor with the last one's longer prefix, where that stands as it was and not far above.

    The engine has it: only what lies between the two places, and the suffix, is evaluated.
    """
    common = min(anchor.split, last.split)
    stands = last.window_start < common and text.startswith(
        last.prefix[: common - last.window_start], last.window_start
    )
    if not stands or last.window_start >= anchor.window_start or anchor.split - common > len(anchor.prefix):
        return anchor
    prefix = text[last.window_start : anchor.split]
    return replace(anchor, window_start=last.window_start, prefix=prefix, snippets=last.snippets)


def typed_since(anchor: Anchor, context: CursorContext) -> str:
    """Return what stands between the anchor and the cursor, without a last line of nothing but white space.

    The model writes that line's indentation itself, and may write less of it than the editor did.
    """
    end = context.line_start if context.blank_prefix else context.offset
    return context.document.text[anchor.split : max(anchor.split, end)]


def held(anchor: Anchor, context: CursorContext, budget: Budget) -> Anchor | None:
    """Return the anchor, placed where its text stands now, or None where one of the rules is broken."""
    if anchor.uri != context.document.uri:
        return None
    placed = _with_text_before(anchor, context)
    if placed is None or not placed.split <= context.offset <= placed.split + budget.typed_characters:
        return None
    return _with_text_after(placed, context)


def _with_text_before(anchor: Anchor, context: CursorContext) -> Anchor | None:
    """Return the anchor where its prefix stands now: in its place, or shifted by an edit above the window."""
    text = context.document.text
    if text.startswith(anchor.prefix, anchor.window_start):
        return anchor
    if anchor.window_start == 0 or not anchor.prefix:
        return None
    start = text.rfind(anchor.prefix, 0, context.offset)
    return None if start < 0 else replace(anchor, window_start=start, split=start + len(anchor.prefix))


def _with_text_after(anchor: Anchor, context: CursorContext) -> Anchor | None:
    """Return the anchor where its suffix stands now: after the cursor and, at most, closing punctuation."""
    text, offset = context.document.text, context.offset
    start = len(text) - anchor.suffix_length
    if not (offset <= start and text.startswith(anchor.suffix, start)):
        if anchor.suffix_length == len(anchor.suffix):  # the window reached the text's end, and this is not it
            return None
        start = text.find(anchor.suffix, offset, offset + _LONGEST_CLOSERS + len(anchor.suffix))
    if start < 0 or start - offset > _LONGEST_CLOSERS or not is_closing(text[offset:start]):
        return None
    return replace(anchor, suffix_length=len(text) - start)


def _length(anchor: Anchor) -> int:
    return len(anchor.prefix) + len(anchor.suffix)


def _is_due(anchor: Anchor, context: CursorContext, budget: Budget) -> bool:
    return context.offset - anchor.split > budget.typed_characters * _DUE_SHARE


def _anchor_at(split: int, context: CursorContext, budget: Budget, last: Anchor | None) -> Anchor:
    text = context.document.text
    after = context.offset + len(context.tail) if context.closing_tail else context.offset
    for_prefix, for_suffix = shares(budget.window_characters, split, len(text) - after)
    start, end = window_start(text, split, for_prefix), window_end(text, after, for_suffix)
    if last is not None and last.uri == context.document.uri:
        start = last.window_start if _same_start(last, text, split, for_prefix) else start
        end = after + len(last.suffix) if _same_suffix(last, text, after, for_suffix) else end
    return Anchor(
        uri=context.document.uri,
        split=split,
        window_start=start,
        prefix=text[start:split],
        suffix=text[after:end],
        suffix_length=len(text) - after,
    )


def _same_start(last: Anchor, text: str, split: int, most: int) -> bool:
    """Say whether the last window's start may stay: its first lines still stand there, and the length is right."""
    head = last.prefix[:_LONGEST_CLOSERS]
    return most // 2 <= split - last.window_start <= most and text.startswith(head, last.window_start)


def _same_suffix(last: Anchor, text: str, after: int, most: int) -> bool:
    return most // 2 <= len(last.suffix) <= most and text.startswith(last.suffix, after)
