"""Turn the header of a GGUF file into its facts and its tensors, without believing a word of it.

Every count, length and offset is checked against the file's size before it is used: a hostile file costs one error and
no more memory than its header. llama.cpp gets to see a file only after this. The layout is that of
https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, versions 2 and 3, little-endian.
"""

import math
import struct
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from fimserver.errors import ModelBroken, ModelMissing
from fimserver.models.tensor_types import TENSOR_TYPES, tensor_bytes


@dataclass(frozen=True, slots=True)
class LongArray:
    """An array that was stepped over: a vocabulary, say."""

    count: int


Scalar = bool | int | float | str
Value = Scalar | tuple[Scalar, ...] | LongArray


@dataclass(frozen=True, slots=True)
class Tensor:
    """Where a tensor lies. `shape` begins with the length of a row; `offset` counts from the data's beginning."""

    name: str
    shape: tuple[int, ...]
    type: str
    offset: int

    @property
    def size_bytes(self) -> int:
        """Return the bytes of its numbers."""
        return tensor_bytes(self.type, self.shape)


@dataclass(frozen=True, slots=True)
class Gguf:
    """What a file says of itself."""

    path: Path
    version: int
    file_bytes: int
    metadata: Mapping[str, Value]
    tensors: tuple[Tensor, ...]

    @property
    def architecture(self) -> str:
        """Return the name of its architecture, by which its keys begin."""
        return self.text("general.architecture")

    @property
    def parameters(self) -> int:
        """Return the number of weights in this file."""
        return sum(math.prod(tensor.shape) for tensor in self.tensors)

    def text(self, key: str) -> str:
        """Return a text, empty where it is absent or something else."""
        value = self.metadata.get(key, "")
        return value if isinstance(value, str) else ""

    def number(self, key: str, default: int = 0) -> int:
        """Return a whole number of the architecture, such as `block_count`; of one per layer, the largest."""
        value = self.metadata.get(f"{self.architecture}.{key}", default)
        if isinstance(value, tuple):
            value = max((item for item in value if isinstance(item, int)), default=default)
        return value if isinstance(value, int) else default

    def count(self, key: str) -> int:
        """Return the length of an array, 0 where there is none."""
        value = self.metadata.get(key)
        return value.count if isinstance(value, LongArray) else len(value) if isinstance(value, tuple) else 0


# A header of a model with 262,144 tokens takes 15 MB; the most tensors seen are a few thousand.
_LARGEST_HEADER_BYTES = 256 * 1024 * 1024
_MOST_ENTRIES = 65_536
_MOST_ELEMENTS = 4 * 1024 * 1024
_LONGEST_KEPT_ARRAY = 4096
_LONGEST_TENSOR_NAME_BYTES = 63
_MOST_DIMENSIONS = 4
_USUAL_ALIGNMENT = 32

# By the number of its type in the file: the format of one value.
_NUMBERS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_STRING, _ARRAY = 8, 9


def read_gguf(path: Path, keep: Collection[str] = ()) -> Gguf:
    """Return the header of a GGUF file; arrays longer than 4,096 only where `keep` names them.

    Raises ModelMissing where the file cannot be opened, ModelBroken where it is no sound GGUF, naming the field.
    """
    try:
        with path.open("rb") as file:
            return _Header(path, file, keep).read()
    except OSError as error:
        raise ModelMissing(
            f"The model file {path} cannot be read: {error.strerror or error}. Choose another: fimserver models"
        ) from error


class _Header:
    """Reads a file from its beginning, counting what is left."""

    def __init__(self, path: Path, file: BinaryIO, keep: Collection[str]) -> None:
        self._path = path
        self._file = file
        self._keep = keep
        self._file_bytes = file.seek(0, 2)
        file.seek(0)
        self._left = min(self._file_bytes, _LARGEST_HEADER_BYTES)

    def read(self) -> Gguf:
        self._check_magic()
        version = self._version()
        tensor_count = self._up_to(_MOST_ENTRIES, "number of tensors")
        entry_count = self._up_to(_MOST_ENTRIES, "number of metadata entries")
        metadata = self._metadata(entry_count)
        tensors = self._tensors(tensor_count)
        self._check_places(tensors, metadata)
        return Gguf(self._path, version, self._file_bytes, metadata, tensors)

    def _check_magic(self) -> None:
        start = self._take(min(self._left, 4), "magic")
        if start == b"GGUF":
            return
        following = self._take(min(self._left, 5), "magic")
        # A safetensors file begins with the length of its header, eight bytes, and that header's brace.
        if following[4:] == b"{":
            raise self._broken("it is a safetensors file; fimserver reads GGUF files only")
        raise self._broken("it is empty" if not start else "it does not begin with the letters GGUF")

    def _version(self) -> int:
        version = self._number("I", "version")
        if version in (2, 3):
            return version
        if version & 0xFFFF == 0 and version:
            raise self._broken("it is big-endian")
        raise self._broken(f"its version is {version}, and only 2 and 3 can be read")

    def _metadata(self, count: int) -> dict[str, Value]:
        metadata: dict[str, Value] = {}
        for index in range(count):
            key = self._string(f"key {index} of the metadata")
            if not key or key in metadata:
                raise self._broken(f"key {index} of the metadata, {key!r}, is empty or stands there twice")
            metadata[key] = self._value(self._number("I", f"type of {key}"), key)
        return metadata

    def _value(self, kind: int, key: str) -> Value:
        if kind == _STRING:
            return self._string(key)
        if kind == _ARRAY:
            return self._array(key)
        if kind not in _NUMBERS:
            raise self._broken(f"{key} has the unknown type {kind}")
        value: Scalar = struct.unpack("<" + _NUMBERS[kind], self._take(_size(kind), key))[0]
        return value

    def _array(self, key: str) -> Value:
        kind = self._number("I", f"element type of {key}")
        count = self._up_to(_MOST_ELEMENTS, f"length of {key}")
        kept = count <= _LONGEST_KEPT_ARRAY or key in self._keep
        if kind == _STRING:
            return self._texts(count, key) if kept else self._step_over(count, key)
        if kind not in _NUMBERS:
            raise self._broken(f"{key} is an array of the unknown type {kind}")
        numbers = self._take(count * _size(kind), key)
        return struct.unpack(f"<{count}{_NUMBERS[kind]}", numbers) if kept else LongArray(count)

    def _texts(self, count: int, key: str) -> tuple[str, ...]:
        return tuple(self._string(key) for _ in range(count))

    def _step_over(self, count: int, key: str) -> LongArray:
        """Skip texts. A vocabulary has 150,000 of them, so this loop does by hand what `_take` does."""
        read, left, unpack = self._file.read, self._left, struct.Struct("<Q").unpack
        for _ in range(count):
            left -= 8
            length = unpack(read(8).ljust(8, b"\0"))[0] if left >= 0 else 0
            left -= length
            if left < 0 or len(read(length)) < length:
                raise self._broken(f"it ends in the middle of {key}")
        self._left = left
        return LongArray(count)

    def _tensors(self, count: int) -> tuple[Tensor, ...]:
        tensors = tuple(self._tensor(index) for index in range(count))
        if len({tensor.name for tensor in tensors}) < count:
            raise self._broken("two tensors have the same name")
        return tensors

    def _tensor(self, index: int) -> Tensor:
        name = self._string(f"name of tensor {index}", _LONGEST_TENSOR_NAME_BYTES)
        dimensions = self._number("I", f"dimensions of tensor {name!r}")
        if dimensions > _MOST_DIMENSIONS:
            raise self._broken(f"tensor {name!r} has {dimensions} dimensions")
        shape = struct.unpack(f"<{dimensions}q", self._take(8 * dimensions, f"shape of tensor {name!r}")) or (1,)
        kind = self._number("I", f"type of tensor {name!r}")
        offset = self._number("Q", f"offset of tensor {name!r}")
        if kind not in TENSOR_TYPES:
            raise self._broken(f"tensor {name!r} has the unknown type {kind}")
        kept_type = TENSOR_TYPES[kind]
        if min(shape) < 0 or math.prod(shape) >= 2**63 or shape[0] % kept_type.block:
            raise self._broken(f"tensor {name!r} has the impossible shape {shape} for {kept_type.name}")
        return Tensor(name, shape, kept_type.name, offset)

    def _check_places(self, tensors: tuple[Tensor, ...], metadata: Mapping[str, Value]) -> None:
        """Check that each tensor lies in the file, and begins where the one before it ends, as llama.cpp expects."""
        alignment = metadata.get("general.alignment", _USUAL_ALIGNMENT)
        if not isinstance(alignment, int) or alignment <= 0 or alignment & (alignment - 1):
            raise self._broken(f"general.alignment is {alignment!r}, which is no power of two")
        start, expected = _aligned(self._file.tell(), alignment), 0
        for tensor in tensors:
            if tensor.offset != expected:
                raise self._broken(f"tensor {tensor.name!r} begins at {tensor.offset} and not at {expected}")
            if start + expected + tensor.size_bytes > self._file_bytes:
                raise self._broken(
                    f"it ends in the middle of tensor {tensor.name!r}: {self._file_bytes:,} bytes are there"
                )
            expected = _aligned(expected + tensor.size_bytes, alignment)

    def _up_to(self, most: int, what: str) -> int:
        value = self._number("Q", what)
        if value > most:
            raise self._broken(f"{what} is {value:,}, and {most:,} is the most that can be")
        return value

    def _number(self, kind: str, what: str) -> int:
        return int(struct.unpack("<" + kind, self._take(struct.calcsize("<" + kind), what))[0])

    def _string(self, what: str, longest: int = _LARGEST_HEADER_BYTES) -> str:
        return self._take(self._up_to(longest, f"length of {what}"), what).decode("utf-8", "replace")

    def _take(self, count: int, what: str) -> bytes:
        """Return the next bytes. Nothing is allocated before it is known that they are there."""
        if count > self._left:
            raise self._broken(f"it ends in the middle of {what}")
        taken = self._file.read(count)
        if len(taken) < count:
            raise self._broken(f"it grew shorter while {what} was read")
        self._left -= count
        return taken

    def _broken(self, what: str) -> ModelBroken:
        return ModelBroken(
            f"{self._path} is no sound GGUF file: {what}. Download it again, or choose another: fimserver models"
        )


def _size(kind: int) -> int:
    return struct.calcsize("<" + _NUMBERS[kind])


def _aligned(offset: int, alignment: int) -> int:
    return -(-offset // alignment) * alignment
