"""Read some parts of a document as one text, and know where its characters stand in the document."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from fimserver.values import Span

Part = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Joined:
    """The text of some parts as if nothing stood between them, and where each part begins: in the document, in it.

    >>> joined = Joined.of("class A: one two", [(0, 9), (13, 16)])
    >>> joined.text
    'class A: two'
    >>> joined.inside(13), joined.outside(Span(9, 12))
    (9, Span(start=13, end=16))
    """

    text: str
    begins: Sequence[int]
    starts: Sequence[int]

    @classmethod
    def of(cls, whole: str, parts: Sequence[Part]) -> "Joined":
        """Join parts of a text, which are in order and apart from each other. Of no parts the text is empty."""
        parts = parts or [(0, 0)]
        texts = [whole[start:end] for start, end in parts]
        return cls("".join(texts), [start for start, _ in parts], list(accumulate(map(len, texts[:-1]), initial=0)))

    def inside(self, offset: int) -> int:
        """Return where an offset of the document stands in the text; of what was left out, where that was."""
        number = max(0, bisect_right(self.begins, offset) - 1)
        return self.starts[number] + max(0, min(offset, self._end(number)) - self.begins[number])

    def outside(self, span: Span) -> Span:
        """Return where a span of the text stands in the document, without what was left out at its ends."""
        last = max(0, bisect_left(self.starts, span.end) - 1)
        end = self.begins[last] + span.end - self.starts[last]
        first = bisect_right(self.starts, span.start) - 1
        return Span(min(self.begins[first] + span.start - self.starts[first], end), end)

    def holds_all_of(self, span: Span) -> bool:
        """Say whether nothing of a span of the document was left out."""
        return self.inside(span.end) - self.inside(span.start) == span.end - span.start

    def edited(self, replaced: Span, inserted: str) -> "Joined | None":
        """Return the parts as they stand after an edit of the document; None where it touches what was left out."""
        number = bisect_right(self.begins, replaced.start) - 1
        if not self.begins[0] <= replaced.start <= replaced.end < self._end(number):
            return None
        shift = len(inserted) - (replaced.end - replaced.start)
        begins = [*self.begins[: number + 1], *[begin + shift for begin in self.begins[number + 1 :]]]
        starts = [*self.starts[: number + 1], *[start + shift for start in self.starts[number + 1 :]]]
        return Joined(self.replaced(replaced, inserted), begins, starts)

    def _end(self, number: int) -> int:
        """Return where a part ends in the document."""
        end = self.starts[number + 1] if number + 1 < len(self.starts) else len(self.text)
        return self.begins[number] + end - self.starts[number]

    def replaced(self, span: Span, replacement: str) -> str:
        """Return the text with another one in the place of a span of the document that lies within one part."""
        return self.text[: self.inside(span.start)] + replacement + self.text[self.inside(span.end) :]
