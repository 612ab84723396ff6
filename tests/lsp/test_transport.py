"""Frames come whole and in order, whoever writes them, and a client that does not read blocks nobody."""

import os
import threading
from contextlib import suppress
from functools import partial

import pytest

from fimserver.lsp.frames import FrameReader
from fimserver.lsp.transport import Channel, has_room
from fimserver.lsp.writer import Writer

SHORT, LONG = b'"short"', b'"' + b"l" * 300_000 + b'"'


class Pipe:
    """A pipe to a client; `writers` are the threads that wrote to it."""

    def __init__(self, *, has_room: bool) -> None:
        self.reading, self.writing = os.pipe()
        self.writers: list[str] = []
        self.writer = Writer(Channel(partial(os.read, self.reading), self._write, lambda: has_room))

    def _write(self, data: memoryview) -> int:
        self.writers.append(threading.current_thread().name)
        return os.write(self.writing, data)

    def received(self, count: int) -> list[bytes]:
        frames, bodies = FrameReader(), list[bytes]()
        while len(bodies) < count:
            bodies += frames.feed(os.read(self.reading, 65_536))
        return bodies

    def close(self) -> None:
        os.close(self.reading)
        os.close(self.writing)


@pytest.mark.parametrize(
    ("has_room", "name"),
    [pytest.param(True, "MainThread", id="at once"), pytest.param(False, "fimserver-writer", id="later")],
)
def test_a_short_frame_is_written_at_once_where_there_is_room(has_room: bool, name: str) -> None:
    pipe = Pipe(has_room=has_room)
    pipe.writer.send(SHORT)
    assert pipe.received(1) == [SHORT]
    assert pipe.writers == [name]
    pipe.close()


def test_what_is_sent_behind_a_frame_that_waits_comes_behind_it() -> None:
    pipe = Pipe(has_room=True)
    bodies = [SHORT, LONG, b"1", b"2", LONG, b"3"]
    for body in bodies:  # nobody reads yet, and nothing blocks
        pipe.writer.send(body)
    assert pipe.received(len(bodies)) == bodies
    pipe.close()


def test_to_a_client_that_is_gone_nothing_is_written() -> None:
    pipe = Pipe(has_room=True)
    os.close(pipe.reading)
    pipe.writer.send(SHORT)
    pipe.writer.send(SHORT)
    assert len(pipe.writers) == 1
    os.close(pipe.writing)


def test_a_pipe_has_room_until_it_is_full_and_none_once_the_client_is_gone() -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    assert has_room(writing)
    with suppress(BlockingIOError):
        while os.write(writing, b"x" * 4_096):
            pass
    assert not has_room(writing)
    os.close(reading)
    assert not has_room(writing)
    os.close(writing)
