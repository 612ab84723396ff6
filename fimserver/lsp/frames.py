"""Turn the bytes a client sends into the bodies of its messages, whatever else is among them.

A frame is header lines, an empty line, and as many bytes as `Content-Length` says (LSP 3.18, "Base Protocol"). Bytes
that make no frame are stepped over: the next header is found even where it is glued to rubbish without a line break.
"""

import re
from collections.abc import Iterator

# The largest message an editor sends is a didOpen: this is 64 times the largest file that is completed in.
LARGEST_BODY_BYTES = 64 * 1024 * 1024

# A header line is shorter than this. Of a longer one the end is kept: the next header may be glued to it.
_LONGEST_LINE_BYTES = 4096

_CONTENT_LENGTH = re.compile(rb"content-length\s*:\s*([+-]?\d+)\s*$", re.IGNORECASE)


class TooLarge(int):
    """A body that was not read, and the number of bytes it was said to have."""


class FrameReader:
    r"""Cuts a stream into bodies, however its bytes arrive.

    >>> list(FrameReader().feed(b"content-length:2\r\n\r\n{}Content-Le"))
    [b'{}']
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._announced = 0  # bytes the header read so far says the body has
        self._in_body = False

    def feed(self, received: bytes) -> Iterator[bytes | TooLarge]:
        """Yield each body that these bytes complete, and each that is refused for its size."""
        self._buffer += received
        while True:
            if self._in_body:
                if len(self._buffer) < self._announced:
                    return
                yield self._take(self._announced)
                self._in_body, self._announced = False, 0
            elif (end := self._buffer.find(b"\n")) < 0:
                del self._buffer[:-_LONGEST_LINE_BYTES]
                return
            elif (refused := self._read_header_line(self._take(end + 1).strip())) is not None:
                yield refused

    def _read_header_line(self, line: bytes) -> TooLarge | None:
        """Take in one header line; return what is refused at the header's end."""
        if match := _CONTENT_LENGTH.search(line[-_LONGEST_LINE_BYTES:]):
            self._announced = _bounded(match.group(1))  # of several, the last counts
        if line or self._announced <= 0:
            return None
        if self._announced <= LARGEST_BODY_BYTES:
            self._in_body = True
            return None
        # The body is not waited for: the length may be a lie, and then every later message would be lost with it.
        refused, self._announced = TooLarge(self._announced), 0
        return refused

    def _take(self, count: int) -> bytes:
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        return taken


def _bounded(digits: bytes) -> int:
    """Return a length; one of absurdly many digits is only known to be too large."""
    return int(digits) if len(digits) <= 18 else LARGEST_BODY_BYTES + 1
