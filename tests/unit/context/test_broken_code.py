"""Whatever the text and wherever the cursor, there is an answer, and it fits the text."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fimserver.context.anchor import Anchors, hold_or_take
from fimserver.context.cursor import look_around
from fimserver.context.window import Budget
from fimserver.settings import CompletionSettings
from fimserver.syntax.ends import finished_at
from fimserver.syntax.errors import error_count
from fimserver.values import Document, Shape
from tests.texts import ANY_TEXT
from tests.unit.syntax.samples import SAMPLES

LANGUAGES = sorted(SAMPLES)
BUDGET = Budget(window_characters=200, typed_characters=50)


def assert_all_is_well(document: Document, offset: int, anchors: Anchors) -> None:
    context = look_around(document, offset, completion=CompletionSettings())
    text = document.text
    assert text[context.line_start :].startswith(context.line_prefix + context.tail)
    assert 0 <= context.scope.start <= context.scope.end <= len(text)
    assert not context.indent.strip()
    assert not context.scope_indent.strip()
    assert (context.shape is Shape.NOTHING) == (context.reason is not None)
    answer = hold_or_take(context, anchors, BUDGET)
    assert text[answer.anchor.window_start : answer.anchor.split] == answer.anchor.prefix
    assert text.startswith(answer.anchor.suffix, len(text) - answer.anchor.suffix_length)
    assert text.startswith(answer.typed, answer.anchor.split)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_text_typed_from_its_first_character_to_its_last(language: str) -> None:
    text, anchors = SAMPLES[language], Anchors()
    for length in range(len(text) + 1):
        assert_all_is_well(Document.of(text[:length], uri="file:///typed", language=language), length, anchors)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_place_of_a_whole_text(language: str) -> None:
    document, anchors = Document.of(SAMPLES[language], uri="file:///whole", language=language), Anchors()
    for offset in range(len(document.text) + 1):
        assert_all_is_well(document, offset, anchors)


@settings(max_examples=150)
@given(st.sampled_from(LANGUAGES), ANY_TEXT, st.integers(0, 600), st.integers(0, 60), st.integers(-5, 900))
def test_a_text_with_a_hole_and_something_else_in_it(
    language: str, inserted: str, start: int, removed: int, offset: int
) -> None:
    sample = SAMPLES[language]
    text = sample[:start] + inserted + sample[start + removed :]
    assert_all_is_well(Document.of(text, uri="file:///holed", language=language), offset, Anchors())


@settings(max_examples=150)
@given(st.sampled_from(LANGUAGES), ANY_TEXT, st.integers(0, 600), st.sampled_from((Shape.LINE, Shape.BLOCK)))
def test_any_answer_ends_within_itself(language: str, generated: str, offset: int, shape: Shape) -> None:
    document = Document.of(SAMPLES[language], uri="file:///answered", language=language)
    offset = min(offset, len(document.text))
    end = finished_at(document, offset, generated, shape)
    assert end is None or 0 <= end <= len(generated)
    before, after = error_count(document, offset, offset, generated)
    assert before >= 0 <= after


@pytest.mark.parametrize(
    ("text", "language"),
    [
        pytest.param("x" * 900_000, "python", id="a line of 900,000 letters"),
        pytest.param("(" * 100_000, "python", id="100,000 brackets"),
        pytest.param("a(b, " * 100_000, "javascript", id="500,000 characters of calls on one line"),
        pytest.param("'" * 100_000, "plaintext", id="100,000 quotes"),
        pytest.param("\n" * 100_000, "python", id="100,000 empty lines"),
        pytest.param("if x:\n    " * 50_000, "python", id="100,000 lines"),
        pytest.param("{" * 50_000 + "\n" + "}" * 50_000, "c", id="50,000 braces on a line"),
        pytest.param("\0\x01\x02" * 10_000, "go", id="control characters"),
    ],
)
def test_absurd_text(text: str, language: str) -> None:
    document = Document.of(text, uri="file:///absurd", language=language)
    for offset in (0, len(text) // 2, len(text)):
        assert_all_is_well(document, offset, Anchors())
