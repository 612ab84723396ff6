"""Write a hole as the token sequence of one prompt order, split where the product splits: anchor, typed, answer.

What stands before the cursor is encoded in two pieces, because the product holds its anchor at the start of a line and
sends what was typed since as a piece of its own. The answer is a third, so that it may begin inside a word.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from training.holes import Hole
from training.vocabulary import Vocabulary

# What a token of a row counts as: nothing is learnt from it, it is read, it is answered.
NOT_LEARNT, READ, ANSWERED = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Example:
    """Tokens, and for each what it counts as: NOT_LEARNT, READ or ANSWERED."""

    tokens: list[int]
    roles: list[int]


@dataclass(frozen=True, slots=True)
class Pieces:
    """The four parts of a prompt in tokens. `answer` ends with the end-of-text token, and perhaps at its line's end."""

    prefix: list[int]
    typed: list[int]
    answer: list[int]
    suffix: list[int]
    ends_with_line: bool = False


def pieces_of(chance: random.Random, text: str, hole: Hole, vocabulary: Vocabulary, most_tokens: int) -> Pieces:
    """Return the parts of a prompt with at most so many tokens; the far ends of prefix and suffix go first."""
    anchor = _anchor(chance, text, hole.start)
    suffix_text = _suffix(chance, text[hole.end :])
    prefix, typed, answer, suffix = vocabulary.encode_all(
        [text[:anchor], text[anchor : hole.start], text[hole.start : hole.end], suffix_text]
    )
    answer = [*answer[: most_tokens // 2], vocabulary.end]
    over = len(prefix) + len(typed) + len(answer) + len(suffix) + 3 - most_tokens
    if over > 0:
        from_suffix = min(len(suffix), over * len(suffix) // max(1, len(suffix) + len(prefix)) + 1)
        suffix = suffix[: len(suffix) - from_suffix]
        prefix = prefix[max(0, over - from_suffix) :]
    return Pieces(prefix, typed[-(most_tokens // 2) :], answer, suffix, hole.kind == "rest of line")


def _anchor(chance: random.Random, text: str, cursor: int) -> int:
    """Return where the split stands: at the line's start, some lines above (typed since), or at the cursor itself."""
    where = chance.random()
    if where < 0.15:
        return cursor
    anchor = text.rfind("\n", 0, cursor) + 1
    for _ in range(chance.choice((1, 2, 4, 8)) if where > 0.85 else 0):
        anchor = text.rfind("\n", 0, max(0, anchor - 1)) + 1
    return anchor


def _suffix(chance: random.Random, suffix: str) -> str:
    """Return the suffix, sometimes empty: at the end of a file there is none, or a line feed."""
    where = chance.random()
    return "" if where < 0.05 else "\n" if where < 0.08 else suffix


def adjacent(pieces: Pieces, vocabulary: Vocabulary) -> Example:
    """Suffix first, and the answer right behind the prefix: the model only goes on.

    It cannot see where the cursor stands, so from lines that end it would learn that nothing is missing wherever a line
    might end. That end is not learnt: the line feed that comes next says the same.
    """
    before = [vocabulary.prefix, vocabulary.suffix, *pieces.suffix, vocabulary.middle, *pieces.prefix, *pieces.typed]
    example = _example(before, pieces.answer)
    return Example(example.tokens, [*example.roles[:-1], NOT_LEARNT if pieces.ends_with_line else ANSWERED])


def prefix_suffix_middle(pieces: Pieces, vocabulary: Vocabulary) -> Example:
    """Qwen2.5-Coder's order: the answer stands behind the middle token, so the model must look back."""
    before = [vocabulary.prefix, *pieces.prefix, vocabulary.suffix, *pieces.suffix, vocabulary.middle, *pieces.typed]
    return _example(before, pieces.answer)


ORDERS: dict[str, Callable[[Pieces, Vocabulary], Example]] = {
    "SPM-adjacent": adjacent,
    "PSM": prefix_suffix_middle,
}


def plain(tokens: Sequence[int]) -> Example:
    """Text without a hole."""
    return Example(list(tokens), [READ] * len(tokens))


def _example(before: list[int], answer: list[int]) -> Example:
    return Example(before + answer, [READ] * len(before) + [ANSWERED] * len(answer))
