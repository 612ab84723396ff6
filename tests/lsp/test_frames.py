"""Frames are found in what a client sends, whatever else it sends and however it is cut up."""

import pytest

from fimserver.lsp.frames import LARGEST_BODY_BYTES, FrameReader, TooLarge

STREAMS = {
    "a plain frame": (b"Content-Length: 2\r\n\r\n{}", [b"{}"]),
    "two frames in a row": (b"Content-Length: 2\r\n\r\n{}Content-Length: 4\r\n\r\nnull", [b"{}", b"null"]),
    "P1: header names are case-insensitive": (b"CONTENT-length: 2\r\n\r\n{}", [b"{}"]),
    "P1: space around the colon is optional": (b"Content-Length:2\r\n\r\n{}", [b"{}"]),
    "P1: space before the colon is tolerated": (b"Content-Length : 2 \r\n\r\n{}", [b"{}"]),
    "other headers before": (b"Content-Type: a; charset=utf-8\r\nContent-Length: 2\r\n\r\n{}", [b"{}"]),
    "other headers after": (b"Content-Length: 2\r\nContent-Type: a\r\n\r\n{}", [b"{}"]),
    "line feeds alone end headers too": (b"Content-Length: 2\n\n{}", [b"{}"]),
    "P2: a line of rubbish before a header": (b"hello\r\nContent-Length: 2\r\n\r\n{}", [b"{}"]),
    "P2: empty lines before a header": (b"\r\n\r\nContent-Length: 2\r\n\r\n{}", [b"{}"]),
    "P3: rubbish glued to a header": (b"helloContent-Length: 2\r\n\r\n{}", [b"{}"]),
    "P4: a negative length is stepped over": (b"Content-Length: -2\r\n\r\n{}Content-Length: 2\r\n\r\n[]", [b"[]"]),
    "P4: a length of 0 is stepped over": (b"Content-Length: 0\r\n\r\nContent-Length: 2\r\n\r\n[]", [b"[]"]),
    "P4: a header without a length is stepped over": (b"X: y\r\n\r\nContent-Length: 2\r\n\r\n[]", [b"[]"]),
    "P4: a length that is no number is stepped over": (
        b"Content-Length: x\r\n\r\nContent-Length: 2\r\n\r\n[]",
        [b"[]"],
    ),
    "P5: a length of 10^14 is refused": (
        b"Content-Length: 100000000000000\r\n\r\nContent-Length: 2\r\n\r\n[]",
        [TooLarge(10**14), b"[]"],
    ),
    "P5: a length of 5000 digits is stepped over": (
        b"Content-Length: " + b"9" * 5000 + b"\r\n\r\nContent-Length: 2\r\n\r\n[]",
        [b"[]"],
    ),
    "P6: of two lengths the last counts": (b"Content-Length: 9\r\nContent-Length: 2\r\n\r\n{}", [b"{}"]),
    "P7: a body that is cut short is not delivered": (b"Content-Length: 9\r\n\r\n{}", []),
    "a body may hold what looks like a header": (
        b"Content-Length: 21\r\n\r\nContent-Length: 2\r\n\r\n",
        [b"Content-Length: 2\r\n\r\n"],
    ),
    "a length that is too short costs that message only": (
        b"Content-Length: 3\r\n\r\n[1,2]Content-Length: 2\r\n\r\n{}",
        [b"[1,", b"{}"],
    ),
}


@pytest.mark.parametrize(("stream", "bodies"), STREAMS.values(), ids=STREAMS)
def test_bodies_are_found(stream: bytes, bodies: list[bytes]) -> None:
    assert list(FrameReader().feed(stream)) == bodies


@pytest.mark.parametrize(("stream", "bodies"), STREAMS.values(), ids=STREAMS)
def test_it_does_not_matter_how_the_bytes_arrive(stream: bytes, bodies: list[bytes]) -> None:
    reader = FrameReader()
    assert [body for at in range(len(stream)) for body in reader.feed(stream[at : at + 1])] == bodies


def test_the_largest_body_is_read() -> None:
    reader = FrameReader()
    assert list(reader.feed(b"Content-Length: %d\r\n\r\n" % LARGEST_BODY_BYTES)) == []
    [body] = reader.feed(bytes(LARGEST_BODY_BYTES))
    assert len(body) == LARGEST_BODY_BYTES


def test_a_body_of_one_byte_more_is_refused_and_the_next_frame_found() -> None:
    reader = FrameReader()
    found = list(reader.feed(b"Content-Length: %d\r\n\r\n" % (LARGEST_BODY_BYTES + 1)))
    found += reader.feed(b"x" * (LARGEST_BODY_BYTES + 1))
    found += reader.feed(b"Content-Length: 2\r\n\r\n{}")
    assert found == [TooLarge(LARGEST_BODY_BYTES + 1), b"{}"]


def test_rubbish_without_line_breaks_does_not_pile_up() -> None:
    reader = FrameReader()
    for _ in range(1000):
        assert list(reader.feed(b"x" * 65_536)) == []
    assert len(reader._buffer) < 10_000
    assert list(reader.feed(b"Content-Length: 2\r\n\r\n{}")) == [b"{}"]
