"""Turn what the model wrote into something a user would want to accept, or into the reason why it is not shown.

`FILTERS` run in order. Each takes the text and the cursor it will land at and returns text, or a `Rejection`. They are
pure, and a text that is good passes all of them untouched. On a line of nothing but white space the text begins at
the line's start and brings its own indentation; elsewhere it begins at the cursor.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fimserver.complete.brackets import drop_surplus_closers, keep_the_closing_tail
from fimserver.complete.indentation import follow_the_files_indentation, mend_the_indentation
from fimserver.complete.junk import (
    cut_at_broken_characters,
    cut_at_control_text,
    drop_invisible_characters,
    refuse_boilerplate,
    refuse_emptiness,
    strip_fences_and_prose,
)
from fimserver.complete.line_ends import drop_trailing_white_space, follow_the_files_line_endings, read_line_endings
from fimserver.complete.overlap import (
    cut_what_follows_already,
    drop_a_doubled_space,
    drop_what_is_typed_already,
    drop_what_the_tail_says,
    refuse_repetition,
    refuse_the_lines_above_again,
)
from fimserver.complete.soundness import mend_or_refuse_syntax_errors
from fimserver.values import CursorContext, Rejection

Filtered = str | Rejection
Filter = Callable[[str, CursorContext], Filtered]


@dataclass(frozen=True, slots=True)
class Step:
    """What one filter did, for `fimserver why`."""

    filter: str
    before: str
    after: Filtered


def refine(text: str, context: CursorContext, filters: Sequence[Filter] = ()) -> tuple[Filtered, list[Step]]:
    """Return the text after all filters (or the first rejection), and the steps that changed it."""
    steps: list[Step] = []
    for one in filters or FILTERS:
        after = one(text, context)
        if after != text:
            steps.append(Step(one.__name__, text, after))
        if isinstance(after, Rejection):
            return after, steps
        text = after
    return text, steps


# What is no code goes first, then what stands there already; brackets and indentation are mended on what is left, and
# the parser has the last word.
FILTERS: tuple[Filter, ...] = (
    read_line_endings,
    drop_invisible_characters,
    cut_at_broken_characters,
    strip_fences_and_prose,
    cut_at_control_text,
    refuse_emptiness,
    drop_trailing_white_space,
    refuse_boilerplate,
    drop_what_is_typed_already,
    drop_what_the_tail_says,
    drop_a_doubled_space,
    follow_the_files_indentation,
    mend_the_indentation,
    cut_what_follows_already,
    refuse_the_lines_above_again,
    refuse_repetition,
    drop_surplus_closers,
    keep_the_closing_tail,
    mend_or_refuse_syntax_errors,
    follow_the_files_line_endings,
)
