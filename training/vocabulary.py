"""What examples need of a tokenizer: the numbers of the control tokens, and text turned into numbers."""

from collections.abc import Sequence
from typing import Protocol


class Vocabulary(Protocol):
    """A tokenizer, as the makers of examples see it."""

    end: int  # of a text, and of an answer
    prefix: int
    middle: int
    suffix: int
    padding: int
    repository: int
    file: int

    def encode(self, text: str) -> list[int]:
        """Return the tokens of a text; control texts in it stay text."""

    def encode_all(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the tokens of several texts."""
