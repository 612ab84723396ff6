"""The anchor is held for every way people really type, and taken anew where the text around it has changed.

A row is a typing session: what the editor does, and after each step whether the anchor was held or a fresh one taken.
"""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from fimserver.context.anchor import (
    Anchors,
    Held,
    fresh_anchor,
    held,
    hold_or_take,
    next_anchor,
    plain_anchor,
    typed_since,
)
from fimserver.context.cursor import look_around
from fimserver.context.window import Budget
from fimserver.settings import CompletionSettings
from fimserver.syntax.kept import forget
from fimserver.values import Anchor, CursorContext, Document
from tests.drawn import CURSOR, drawn

BUDGET = Budget(window_characters=4000, typed_characters=200)
Step = tuple[str, ...]


class Editor:
    """A text and a cursor, and what people do with them."""

    def __init__(self, text: str, language: str = "python") -> None:
        document, self.offset = drawn(text, language=language)
        self.text, self.language = document.text, language
        self.anchors = Anchors()
        self.states: list[tuple[str, int]] = []
        forget(document.uri)

    def do(self, action: str, text: str = "", behind: str = "") -> None:
        """Type (and let the editor close brackets behind the cursor), erase what is before it, go somewhere, undo."""
        if action == "undo":
            self.text, self.offset = self.states.pop()
            return
        self.states.append((self.text, self.offset))
        if action == "type":
            self._replace(self.offset, self.offset, text, behind)
        elif action == "erase":
            assert self.text[: self.offset].endswith(text)
            self._replace(self.offset - len(text), self.offset, "", "")
        elif action == "go behind":
            self.offset = self.text.index(text) + len(text)
        elif action == "elsewhere":  # another part of the editor changes the text: an import is added
            self._replace(self.offset, self.offset, "", "")
            self.text = text + self.text
            self.offset += len(text)

    def _replace(self, start: int, end: int, text: str, behind: str) -> None:
        self.text = self.text[:start] + text + behind + self.text[end:]
        self.offset = start + len(text)

    @property
    def context(self) -> CursorContext:
        document = Document.of(self.text, uri="file:///project/main.py", language=self.language)
        return look_around(document, self.offset, completion=CompletionSettings(), invoked=True)

    def ask(self) -> Held:
        return hold_or_take(self.context, self.anchors, BUDGET)


TYPING: Sequence[tuple[str, str, str, Sequence[Step], str, str]] = (
    # rule, language, text, steps, "h" for held and "t" for taken after the first request, what was typed since
    ("typing on holds", "python", "x = ‸\ny", [("type", "a"), ("type", "b")], "hh", "x = ab"),
    ("deleting what was typed holds", "python", "x = ‸\ny", [("type", "abc"), ("erase", "bc")], "hh", "x = a"),
    ("deleting the line's own start holds", "python", "x = 1‸\ny", [("erase", " = 1")], "h", "x"),
    ("a new line holds", "python", "a‸\ny", [("type", "\nb"), ("type", "\nc")], "hh", "a\nb\nc"),
    ("a line of blanks adds no text", "python", "a:‸\ny", [("type", "\n    ")], "h", "a:\n"),
    ("a dedent adds no text", "python", "if a:\n    b‸\ny", [("type", "\n    "), ("erase", "    ")], "hh", "    b\n"),
    ("an auto-closed bracket holds", "python", "print‸\ny", [("type", "(", ")"), ("type", "x")], "hh", "print(x"),
    ("nested auto-closed brackets hold", "python", "f‸\ny", [("type", "(", ")"), ("type", "[", "]")], "hh", "f(["),
    ("an auto-closed quote holds", "python", "f(‸)\ny", [("type", "'", "'"), ("type", "a")], "hh", "f('a"),
    ("typing over the closer holds", "python", "f‸\ny", [("type", "(", ")"), ("go behind", "f()")], "hh", "f()"),
    ("a word behind the closer holds", "python", "f(‸)\ny", [("go behind", "f()"), ("type", ".g")], "hh", "f().g"),
    (
        "Enter between auto-closed braces holds",
        "javascript",
        "function f() ‸\ny",
        [("type", "{", "}"), ("type", "\n  ", "\n"), ("type", "return 1;")],
        "hhh",
        "function f() {\n  return 1;",
    ),
    (
        "Enter between braces and closers of a call holds",
        "javascript",
        "rows.map‸\ny",
        [("type", "(", ")"), ("type", "(row) => "), ("type", "{", "}"), ("type", "\n  ", "\n"), ("type", "row")],
        "hhhhh",
        "rows.map((row) => {\n  row",
    ),
    (
        "a comment closed by the editor holds",
        "c",
        "int x;\n‸\ny",
        [("type", "/*", " */"), ("type", " the mean")],
        "hh",
        "/* the mean",
    ),
    ("a small paste holds", "python", "‸\ny", [("type", "a = 1\nb = 2\nc = ")], "h", "a = 1\nb = 2\nc = "),
    ("a paste beyond the budget takes", "python", "‸\ny", [("type", "a" * 300)], "t", "a" * 100),
    (
        "typing on in a line beyond the budget holds",
        "python",
        "x" * 1_000 + "‸\ny",
        [("type", "a"), ("type", "b" * 99)],
        "hh",
        "x" * 100 + "a" + "b" * 99,
    ),
    (
        "typing beyond the budget takes",
        "python",
        "‸\ny",
        [("type", "a" * 190 + "\n"), ("type", "b" * 20)],
        "ht",
        "b" * 20,
    ),
    ("undoing holds", "python", "x = ‸\ny", [("type", "abc"), ("undo",)], "hh", "x = "),
    ("undoing what was before takes", "python", "a\nb‸\ny", [("erase", "a\nb"), ("undo",)], "th", "b"),
    ("joining with the line above takes", "python", "a\n‸b\ny", [("erase", "\n")], "t", "a"),
    ("a jump down takes", "python", "a‸\nb\nc\nd\n", [("go behind", "c")], "t", "c"),
    ("a jump up takes", "python", "a\nb\nc‸\nd\n", [("go behind", "a")], "t", "a"),
    ("jumping back holds", "python", "a‸\nb\nc\n", [("go behind", "c"), ("go behind", "a")], "th", "a"),
    (
        "jumping back after typing there takes: the suffix has changed",
        "python",
        "a‸\nb\nc\nd\n",
        [("go behind", "c"), ("type", "x"), ("go behind", "a")],
        "tht",
        "a",
    ),
    (
        "a jump within the line that leaves code behind takes",
        "python",
        "f(a, b‸)\ny",
        [("go behind", "f(a")],
        "t",
        "f(a",
    ),
    ("typing inside a statement holds", "python", "f(a‸ + b)\ny", [("type", "c"), ("type", "d")], "hh", "f(acd"),
    ("deleting the auto-closed bracket holds", "python", "f(‸)\ny", [("erase", "(")], "h", "f"),
    ("an edit above takes", "python", "a\nb‸\ny", [("elsewhere", "import os\n")], "t", "b"),
    ("carriage returns change nothing", "python", "a\r\nb‸\r\ny", [("type", "\r\nc"), ("type", "d")], "hh", "b\r\ncd"),
    (
        "wide characters change nothing",
        "python",
        "a = '😀'\nb = '‸'\ny",
        [("type", "漢"), ("type", "字")],
        "hh",
        "b = '漢字",
    ),
    ("the end of the text", "python", "a\nb‸", [("type", "c"), ("type", "\nd")], "hh", "bc\nd"),
    ("the end of the text, closers behind", "python", "f‸", [("type", "(", ")"), ("type", "x")], "hh", "f(x"),
    ("an empty document", "python", "‸", [("type", "a"), ("type", "\nb")], "hh", "a\nb"),
    ("a language without a grammar", "ruby", "def f‸\nend", [("type", "(", ")"), ("type", "x")], "hh", "def f(x"),
)


@pytest.mark.parametrize(
    ("language", "text", "steps", "expected", "typed"), [pytest.param(*row[1:], id=row[0]) for row in TYPING]
)
def test_a_typing_session(language: str, text: str, steps: Sequence[Step], expected: str, typed: str) -> None:
    editor = Editor(text, language)
    first = editor.ask()
    assert first.fresh
    found = ""
    for step in steps:
        editor.do(*step)
        answer = editor.ask()
        found += "t" if answer.fresh else "h"
        assert_tells_the_truth(answer, editor)
    assert found == expected
    assert answer.typed == typed


def assert_tells_the_truth(answer: Held, editor: Editor) -> None:
    """Check that prefix, typed text, closers and suffix stand in the document, one behind the other."""
    anchor, text = answer.anchor, editor.text
    assert text[anchor.window_start : anchor.split] == anchor.prefix
    assert text.startswith(answer.typed, anchor.split)
    start = len(text) - anchor.suffix_length
    assert text.startswith(anchor.suffix, start)
    assert start >= editor.offset
    assert not any(character.isalnum() for character in text[editor.offset : start])


@pytest.mark.parametrize("length", [150, 201, 5_000, 100_000])
@pytest.mark.parametrize("tail", ["", ")", " + more"], ids=["at its end", "before a closer", "before code"])
def test_of_a_long_line_no_more_stands_in_the_prompt_than_of_many(length: int, tail: str) -> None:
    editor = Editor("first\n" + "x" * length + f"‸{tail}\n" + far(400))
    answer = editor.ask()
    assert 0 < len(answer.typed) <= BUDGET.typed_characters
    assert len(answer.anchor.prefix) + len(answer.anchor.suffix) <= BUDGET.window_characters
    assert_tells_the_truth(answer, editor)


def far(lines: int) -> str:
    return "".join(f"value_{number} = {number}\n" for number in range(lines))


def test_two_places_in_turn_far_apart_are_both_held() -> None:
    editor = Editor(far(400) + "first = ‸\n" + far(400) + "second = 1\n" + far(400))
    assert editor.ask().fresh
    editor.do("go behind", "second = 1")
    assert editor.ask().fresh
    for turn in range(3):
        for place in ("first = " + "0" * turn, "second = 1" + "0" * turn):
            editor.do("go behind", place)
            assert not editor.ask().fresh
            editor.do("type", "0")
            assert not editor.ask().fresh


def test_an_import_added_above_the_window_only_moves_the_anchor() -> None:
    editor = Editor(far(400) + "total = ‸\n" + far(400))
    before = editor.ask().anchor
    editor.do("elsewhere", "import os\n")
    after = editor.ask()
    assert not after.fresh
    assert after.anchor == replace(before, split=before.split + 10, window_start=before.window_start + 10)
    assert_tells_the_truth(after, editor)


def test_an_edit_far_below_the_window_is_not_noticed() -> None:
    editor = Editor(far(10) + "total = ‸\n" + far(800) + "end")
    editor.ask()
    offset = editor.offset
    editor.do("go behind", "end")
    editor.do("type", "ing")
    editor.offset = offset
    answer = editor.ask()
    assert not answer.fresh
    assert_tells_the_truth(answer, editor)


def test_another_document_has_its_own_anchors() -> None:
    editor = Editor("x = ‸\ny")
    anchor = editor.ask().anchor
    assert held(replace(anchor, uri="file:///project/other.py"), editor.context, BUDGET) is None


def test_of_two_anchors_that_hold_the_nearer_is_used() -> None:
    editor = Editor("a‸\ny")
    editor.ask()
    editor.do("type", "\nb\nc")
    editor.anchors.remember(fresh_anchor(editor.context, BUDGET))
    answer = editor.ask()
    assert (answer.fresh, answer.typed) == (False, "c")
    editor.do("erase", "\nc")  # above the nearer one: the older still holds
    answer = editor.ask()
    assert (answer.fresh, answer.typed) == (False, "a\nb")


def test_the_next_anchor_is_wanted_after_half_the_budget() -> None:
    editor = Editor("x\n‸\ny")
    assert not editor.ask().due
    editor.do("type", "a" * 90 + "\n")
    assert not editor.ask().due
    assert next_anchor(editor.context, editor.anchors, BUDGET) is None
    editor.do("type", "b" * 20)
    assert editor.ask().due
    following = next_anchor(editor.context, editor.anchors, BUDGET)
    assert following is not None
    assert typed_since(following, editor.context) == "b" * 20


def test_the_next_anchor_is_wanted_where_the_one_in_use_is_small() -> None:
    editor = Editor(far(300) + "total = ‸\n" + far(300))
    small = hold_or_take(editor.context, editor.anchors, Budget(window_characters=500)).anchor
    full = next_anchor(editor.context, editor.anchors, BUDGET)
    assert full is not None
    assert len(full.prefix) > 4 * len(small.prefix)
    editor.anchors.remember(full)
    assert editor.ask().anchor == full
    assert next_anchor(editor.context, editor.anchors, BUDGET) is None


def test_where_nothing_is_held_the_next_anchor_is_a_fresh_one() -> None:
    editor = Editor("total = ‸\n")
    assert next_anchor(editor.context, editor.anchors, BUDGET) == fresh_anchor(editor.context, BUDGET)


def test_a_next_anchor_with_an_unchanged_suffix_keeps_it() -> None:
    editor = Editor(far(300) + "‸\n" + far(300))
    first = editor.ask().anchor
    editor.do("type", "a" * 150 + "\n")
    following = next_anchor(editor.context, editor.anchors, BUDGET)
    assert following is not None
    assert (following.suffix, following.window_start) == (first.suffix, first.window_start)
    assert following.prefix == first.prefix + "a" * 150 + "\n"


@pytest.mark.parametrize(
    ("to", "prefix_first", "known"),
    [
        pytest.param("line_280", True, True, id="up: all of the prefix is known"),
        pytest.param("line_303", True, True, id="down a little: what lies between is new"),
        pytest.param("line_390", True, False, id="far down: the small window is cheaper"),
        pytest.param("line_10", True, False, id="far up: above the known window"),
        pytest.param("line_280", False, False, id="where the suffix stands first nothing is known"),
    ],
)
def test_a_fresh_anchor_nearby_goes_on_from_the_prefix_the_engine_has(to: str, prefix_first: bool, known: bool) -> None:
    lines = [f"line_{number} = {number}\n" for number in range(600)]
    editor = Editor("".join(lines[:300]) + "x = ‸\n" + "".join(lines[300:]))
    last = editor.ask().anchor
    editor.do("go behind", f"{to} = ")
    small = Budget(window_characters=200)
    anchor = hold_or_take(editor.context, editor.anchors, small, prefix_first=prefix_first).anchor
    assert (anchor.window_start == last.window_start) is known
    assert anchor.prefix == editor.text[anchor.window_start : anchor.split]
    assert len(anchor.suffix) < 200


@pytest.mark.parametrize(
    ("text", "prefix", "typed", "suffix"),
    [
        pytest.param("a\nx = ‸\nb", "a\n", "x = ", "\nb", id="a line's end"),
        pytest.param("a\nf(‸)\nb", "a\n", "f(", "\nb", id="closing punctuation is left out"),
        pytest.param("a\nf(‸, c)\nb", "a\n", "f(", ", c)\nb", id="code behind the cursor is suffix"),
        pytest.param("a\n    ‸\nb", "a\n", "", "\nb", id="blanks are left out"),
        pytest.param("‸", "", "", "", id="an empty document"),
    ],
)
def test_a_fresh_anchor(text: str, prefix: str, typed: str, suffix: str) -> None:
    context = Editor(text).context
    anchor = fresh_anchor(context, BUDGET)
    assert (anchor.prefix, typed_since(anchor, context), anchor.suffix) == (prefix, typed, suffix)


@pytest.mark.parametrize(
    ("text", "prefix", "suffix"),
    [
        pytest.param("a\nx = ‸\nb", "a\nx = ", "\nb", id="split at the cursor"),
        pytest.param("a\n    ‸\nb", "a\n", "\nb", id="blanks are left out here too"),
        pytest.param("a\nf(‸)\nb", "a\nf(", "\nb", id="closing punctuation is replaced here too"),
    ],
)
def test_a_plain_anchor(text: str, prefix: str, suffix: str) -> None:
    context = Editor(text).context
    anchor = plain_anchor(context, BUDGET)
    assert (anchor.prefix, typed_since(anchor, context), anchor.suffix) == (prefix, "", suffix)


def anchor_at(split: int, uri: str = "file:///a.py") -> Anchor:
    return Anchor(uri=uri, split=split, window_start=0, prefix="", suffix="", suffix_length=0)


def test_the_last_four_places_of_a_document_are_remembered() -> None:
    anchors = Anchors()
    for split in (1, 2, 3, 4, 5, 3):
        anchors.remember(anchor_at(split))
    assert [anchor.split for anchor in anchors.of("file:///a.py")] == [3, 5, 4, 2]


def test_sixteen_documents_are_remembered() -> None:
    anchors = Anchors()
    for number in range(17):
        anchors.remember(anchor_at(1, f"file:///{number}.py"))
    assert not anchors.of("file:///0.py")
    assert anchors.of("file:///1.py")


def test_a_closed_document_is_forgotten() -> None:
    anchors = Anchors()
    anchors.remember(anchor_at(1))
    anchors.forget("file:///a.py")
    anchors.forget("file:///never-seen.py")
    assert not anchors.of("file:///a.py")


def test_a_cursor_is_drawn_once() -> None:
    assert all(row[2].count(CURSOR) == 1 for row in TYPING)
