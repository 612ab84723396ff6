"""Turn metadata and tensors into a GGUF file (version 3, little-endian), the counterpart of `models/gguf.py`."""

import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fimserver.models.tensor_types import TYPE_NUMBERS, tensor_bytes

ALIGNMENT = 32

Entry = bool | int | float | str | Sequence[int] | Sequence[float] | Sequence[str]

# What a value of Python's becomes in the file: the number of its type, and its format.
_FORMATS: tuple[tuple[type, int, str], ...] = ((bool, 7, "?"), (int, 4, "I"), (float, 6, "f"))
_SIGNED_INTEGER = (5, "i")
_STRING, _ARRAY = 8, 9


@dataclass(frozen=True, slots=True)
class TensorToWrite:
    """A tensor; `shape` begins with the length of a row. `pieces` makes its bytes when they are due."""

    name: str
    shape: tuple[int, ...]
    type: str
    pieces: Callable[[], Iterable[bytes]]

    @property
    def size_bytes(self) -> int:
        """Return the bytes its numbers take."""
        return tensor_bytes(self.type, self.shape)


def write_gguf(path: Path, metadata: Mapping[str, Entry], tensors: Sequence[TensorToWrite]) -> None:
    """Write the file. Whole numbers are stored as uint32, those of arrays as int32, floating ones as float32."""
    with path.open("wb") as file:
        file.write(header_bytes(metadata, tensors))
        for tensor in tensors:
            written = 0
            for piece in tensor.pieces():
                written += file.write(piece)
            assert written == tensor.size_bytes, f"{tensor.name} has {written} bytes, not {tensor.size_bytes}"
            file.write(_padding(written))


def header_bytes(metadata: Mapping[str, Entry], tensors: Sequence[TensorToWrite]) -> bytes:
    """Return all that stands before the first tensor's numbers, padding included."""
    parts = [b"GGUF", struct.pack("<IQQ", 3, len(tensors), len(metadata))]
    parts += [_text(key) + _entry(value) for key, value in metadata.items()]
    offset = 0
    for tensor in tensors:
        parts.append(_place(tensor, offset))
        offset += tensor.size_bytes + len(_padding(tensor.size_bytes))
    header = b"".join(parts)
    return header + _padding(len(header))


def _place(tensor: TensorToWrite, offset: int) -> bytes:
    shape = struct.pack(f"<I{len(tensor.shape)}Q", len(tensor.shape), *tensor.shape)
    return _text(tensor.name) + shape + struct.pack("<IQ", TYPE_NUMBERS[tensor.type], offset)


def _entry(value: Entry) -> bytes:
    if isinstance(value, str):
        return struct.pack("<I", _STRING) + _text(value)
    if isinstance(value, bool | int | float):
        kind, code = next((kind, code) for of, kind, code in _FORMATS if isinstance(value, of))
        return struct.pack("<I" + code, kind, value)
    return struct.pack("<I", _ARRAY) + _elements(value)


def _elements(values: Sequence[int] | Sequence[float] | Sequence[str]) -> bytes:
    texts = [value for value in values if isinstance(value, str)]
    if texts:
        return struct.pack("<IQ", _STRING, len(texts)) + b"".join(map(_text, texts))
    kind, code = (6, "f") if any(isinstance(value, float) for value in values) else _SIGNED_INTEGER
    return struct.pack(f"<IQ{len(values)}{code}", kind, len(values), *values)


def _text(text: str) -> bytes:
    encoded = text.encode()
    return struct.pack("<Q", len(encoded)) + encoded


def _padding(length: int) -> bytes:
    return b"\0" * (-length % ALIGNMENT)
