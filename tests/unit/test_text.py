"""Line starts that are carried through edits are those of the text as it is."""

from hypothesis import given
from hypothesis import strategies as st

from fimserver.text import SplicedStarts, line_starts, spliced_line_starts
from fimserver.values import Document, Span

TEXTS = st.text("a\r\n", max_size=30)
EDITS = st.lists(st.tuples(st.integers(0, 99), st.integers(0, 4), st.text("a\r\n", max_size=4)), max_size=12)


@given(TEXTS, EDITS)
def test_starts_are_carried_through_any_edits(text: str, edits: list[tuple[int, int, str]]) -> None:
    document = Document.of(text)
    for place, length, inserted in edits:
        start = min(place, len(document.text))
        document = document.edited(Span(start, min(start + length, len(document.text))), inserted)
        fresh = line_starts(document.text)
        assert list(document.starts) == fresh
        assert [document.starts[line] for line in range(-len(fresh), len(fresh))] == 2 * fresh
        assert document.starts[1:3] == fresh[1:3]


def test_after_edits_far_apart_all_starts_are_written_anew() -> None:
    text = "x\n" * 3_000
    starts = spliced_line_starts(line_starts(text), "a" + text, 0, 0, "a")
    text = "a" + text + "b"
    starts = spliced_line_starts(starts, text, len(text) - 1, len(text) - 1, "b")
    assert isinstance(starts, SplicedStarts)
    assert len(starts.fresh) == 0
    assert list(starts) == line_starts(text)
