"""Which tokens may begin an answer that must say a given text."""

import pytest

from fimserver.engine.healing import PrefixIndex, rest_of

PIECES = [b"r", b"re", b"return", b"retry", b"x", b" return", b"", b"\xc3", b"\xc3\xa9", b"re", b"\xff\xff", b"\n"]


@pytest.mark.parametrize(
    ("forced", "agreeing"),
    [
        pytest.param(b"ret", [b"r", b"re", b"re", b"retry", b"return"], id="its beginnings and what goes beyond it"),
        pytest.param(b"return", [b"r", b"re", b"re", b"return"], id="the text itself"),
        pytest.param(b"return x", [b"r", b"re", b"re", b"return"], id="only beginnings of a long text"),
        pytest.param(b"r", [b"r", b"re", b"re", b"retry", b"return"], id="a single byte"),
        pytest.param(b" ", [b" return"], id="white space is text"),
        pytest.param("é".encode(), [b"\xc3", b"\xc3\xa9"], id="half a character begins a character"),
        pytest.param(b"\xff", [b"\xff\xff"], id="the last byte there is"),
        pytest.param(b"q", [], id="nothing agrees"),
    ],
)
def test_tokens_that_agree_with_a_text(forced: bytes, agreeing: list[bytes]) -> None:
    assert sorted(PIECES[token] for token in PrefixIndex(PIECES.__getitem__, len(PIECES)).agreeing(forced)) == sorted(
        agreeing
    )


def test_every_answer_is_what_a_search_of_the_whole_vocabulary_finds() -> None:
    index = PrefixIndex(PIECES.__getitem__, len(PIECES))
    for forced in {piece[:length] for piece in PIECES for length in range(1, len(piece) + 1)}:
        found = {
            token
            for token, piece in enumerate(PIECES)
            if piece and (piece.startswith(forced) or forced.startswith(piece))
        }
        assert set(index.agreeing(forced).tolist()) == found


def test_what_remains_of_a_forced_text() -> None:
    assert rest_of(b"return", b"re") == b"turn"
    assert rest_of(b"re", b"return") == b""


def test_the_index_is_made_in_steps() -> None:
    index = PrefixIndex(lambda token: str(token).encode(), 10_000)
    assert [index.step() for _ in range(5)] == [True, True, True, False, False]
    assert len(index.agreeing(b"999")) == 13
