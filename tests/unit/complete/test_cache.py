"""A suggestion serves again while the user types along it or deletes back into it."""

import pytest

from fimserver.complete.cache import SuggestionCache
from fimserver.context.cursor import look_around
from fimserver.settings import CompletionSettings
from fimserver.values import CursorContext
from tests.drawn import CURSOR, applied, completion_of, drawn

SETTINGS = CompletionSettings()
ABOVE = "def total(rows):\n"


def context_at(text: str, language: str = "python") -> CursorContext:
    document, offset = drawn(text, language=language)
    return look_around(document, offset, completion=SETTINGS)


def remembered(at: str, suggestion: str, start_of_line: bool = False) -> SuggestionCache:
    cache, context = SuggestionCache(), context_at(at)
    end = context.offset + (len(context.tail) if context.closing_tail else 0)
    start = context.line_start if start_of_line else context.offset
    cache.remember(context, completion_of(suggestion, start, end))
    return cache


@pytest.mark.parametrize(
    ("asked", "suggested", "now", "becomes"),
    [
        pytest.param("x = ‸", "total(rows)", "x = ‸", "x = total(rows)‸", id="the same place again"),
        pytest.param("x = ‸", "total(rows)", "x = tot‸", "x = total(rows)‸", id="typed along"),
        pytest.param("x = ‸", "total(rows)", "x = total(‸)", "x = total(rows)‸", id="over a bracket the editor closed"),
        pytest.param("x = to‸", "tal(rows)", "x = t‸", "x = total(rows)‸", id="deleted back before the request"),
        pytest.param("x = ‸", "a\ny = b", "x = a\n‸", "x = a\ny = b‸", id="over the suggestion's own line break"),
        pytest.param("x = ‸", "a\ny = b", "x = a\ny‸", "x = a\ny = b‸", id="into the suggestion's second line"),
        pytest.param("print(‸)", "a)", "print(a‸)", "print(a)‸", id="only the closer is left"),
        pytest.param("x = ‸\nz = 1", "a", "x = ‸\nz = 1", "x = a‸\nz = 1", id="text below stays"),
    ],
)
def test_serves_again(asked: str, suggested: str, now: str, becomes: str) -> None:
    found = remembered(ABOVE + asked, suggested).look_up(context_at(ABOVE + now))
    assert found is not None
    assert found.source == "cache"
    assert applied(drawn(ABOVE + now)[0], found) == ABOVE + becomes


@pytest.mark.parametrize(
    ("asked", "suggested", "now"),
    [
        pytest.param("x = ‸", "total(rows)", "x = tox‸", id="typed something else"),
        pytest.param("x = ‸", "total(rows)", "x = total(rows)‸", id="typed to its end"),
        pytest.param("x = ‸", "total(rows)", "y = ‸", id="the line differs"),
        pytest.param("x = ‸", "total(rows)", "x = ‸\nz = 1", id="text below differs"),
        pytest.param("x = ‸", "total(rows)", "x = tot‸ + 1", id="code follows now"),
    ],
)
def test_does_not_serve(asked: str, suggested: str, now: str) -> None:
    assert remembered(ABOVE + asked, suggested).look_up(context_at(ABOVE + now)) is None


def test_an_edit_right_above_makes_it_worthless() -> None:
    assert remembered(ABOVE + "x = ‸", "a").look_up(context_at("def other(rows):\nx = ‸")) is None


@pytest.mark.parametrize(
    ("indented_by_the_editor", "suggested"),
    [("    ‸", "    return 1"), ("        ‸", "    else:"), ("‸", "    return 1")],
    ids=["as it is", "a dedent", "not indented at all"],
)
def test_white_space_alone_need_not_agree(indented_by_the_editor: str, suggested: str) -> None:
    cache = remembered(ABOVE + "    ‸", suggested, start_of_line=True)
    found = cache.look_up(context_at(ABOVE + indented_by_the_editor))
    assert found is not None
    assert applied(drawn(ABOVE + indented_by_the_editor)[0], found) == ABOVE + suggested + CURSOR


def test_the_newest_that_fits_is_taken() -> None:
    cache = remembered(ABOVE + "x = ‸", "first")
    context = context_at(ABOVE + "x = ‸")
    cache.remember(context, completion_of("second", context.offset))
    found = cache.look_up(context)
    assert found is not None
    assert found.text == "second"


def test_a_closed_document_is_forgotten() -> None:
    cache = remembered(ABOVE + "x = ‸", "a")
    cache.forget("file:///project/main.py")
    assert cache.look_up(context_at(ABOVE + "x = ‸")) is None


@pytest.mark.parametrize(("now", "written_out"), [("x = a‸", True), ("x = ‸", False), ("x = a‸b", False)])
def test_knows_when_a_line_was_written_out(now: str, written_out: bool) -> None:
    assert remembered("x = ‸", "a").wrote_out(context_at(now)) is written_out
