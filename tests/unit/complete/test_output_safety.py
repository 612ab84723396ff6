"""Whatever a model writes, nothing invisible reaches the editor that the document does not hold itself."""

import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fimserver.complete.filters import refine
from fimserver.complete.junk import drop_invisible_characters
from fimserver.values import Rejection
from tests.unit.complete.landings import looked

PLACES = [
    ("python", "x = ‸\n"),
    ("python", 'def f():\n    """\u200bSay it."""\n    ‸\n'),
    ("python", 'print("‸")\n'),
    ("javascript", "function f(a) {\r\n\t‸\r\n}\r\n"),
    ("javascriptreact", "const a = <li>‸</li>;\n"),
    ("go", "func f() {\n\tg(‸)\n}\n"),
    ("rust", "fn f(x: Vec<‸>) {}\n"),
    ("c", "/* ‸ */\n"),
    ("markdown", "# A\u200d B\n\n‸"),
    ("", "‸"),
]

# Zero-width, bidirectional, tag and other invisible characters, and what ends lines elsewhere.
HIDDEN = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b\u180e\u200b\u200c\u200d\u200e\u200f\u2028\u2029\u202a\u202b\u202c"
    "\u202d\u202e\u2060\u2061\u2062\u2063\u2064\u2066\u2067\u2068\u2069\u206f\u2800\u3164\ufeff\uffa0\ufff9\U000e0001"
    "\U000e0041\U000e007f\U000e0100\ud800\udfff\x00\x07\x08\x0b\x0c\x1b\x7f\x80\x85\x9b\x9f"
    "\u0600\u0605\u06dd\u070f\u0890\u08e2\U000110bd\U000110cd\U00013430\U0001343f\U0001bca0"
)
PIECES = st.one_of(
    st.sampled_from(["\n", "\r\n", "\r", "    ", "\t", "return a", "if a:", "{", "}", ")", '"', "`", "<|fim_", "|>"]),
    st.sampled_from(["```", "\x1b[31m", "x = ", "f(a, b)", "else", "// ", "# ", "</li>", "0, ", "case 1:", ";"]),
    st.sampled_from(HIDDEN),
    st.characters(),
)
ANSWERS = st.lists(PIECES, max_size=25).map("".join)


def is_hidden(character: str) -> bool:
    """Say whether a character is one that Unicode or our own list calls invisible; a tab and line ends are not."""
    return character not in "\t\n\r" and (character in HIDDEN or unicodedata.category(character) in ("Cc", "Cf", "Cs"))


# Every answer lands at every place: to make one up takes longer than to look at what becomes of it.


@settings(max_examples=100)
@given(answer=ANSWERS)
@example(answer="a\x1b[31mb\x1b[0m")
@example(answer="\u202ea\u2066\u200b")
@example(answer="a\n\x0c\n\x85b")
def test_nothing_hidden_is_shown_that_the_document_does_not_hold(answer: str) -> None:
    for language, at in PLACES:
        context = looked(at, language)
        shown, _ = refine(answer, context)
        if not isinstance(shown, Rejection):
            hidden = {character for character in shown if is_hidden(character)}
            assert hidden <= set(context.document.text), (language, at)


@settings(max_examples=100)
@given(answer=ANSWERS)
def test_what_is_shown_is_neither_blank_nor_ends_in_blanks(answer: str) -> None:
    for language, at in PLACES:
        shown, steps = refine(answer, looked(at, language))
        if isinstance(shown, Rejection):
            assert shown.detail.endswith("."), (language, at)
            assert steps[-1].after == shown, (language, at)
        else:
            assert shown.strip(), (language, at)
            assert shown == shown.rstrip(), (language, at)


@pytest.mark.parametrize("character", HIDDEN)
def test_each_hidden_character_is_dropped_unless_the_document_has_it(character: str) -> None:
    assert drop_invisible_characters(f"a{character}b", looked("x = ‸", "python")) == "ab"
    has_it = looked(f"y = '{character}'\nx = ‸", "markdown")
    steers = unicodedata.category(character) == "Cc" and character != "\x0c"
    assert drop_invisible_characters(f"a{character}b", has_it) == ("ab" if steers else f"a{character}b")
