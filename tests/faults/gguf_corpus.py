"""Make model files that are wrong: crafted ones, bytes changed, ends cut off, and programs in place of chat templates.

The crafted kinds are those of llama.cpp's own test-gguf.cpp: a header, an entry or a tensor that lies in one thing.
"""

import random
import struct
from collections.abc import Iterator

from fimserver.bench.gguf_file import Entry, TensorToWrite, header_bytes

F32, Q4_K = 0, 12
UINT32, STRING, ARRAY = 4, 8, 9

METADATA: dict[str, Entry] = {"general.architecture": "llama", "llama.block_count": 1, "llama.context_length": 64}
TENSORS = (TensorToWrite("token_embd.weight", (32, 4), "F32", list),)
SOUND = header_bytes(METADATA, TENSORS) + bytes(32 * 4 * 4)


def header(tensors: int, entries: int, version: int = 3, magic: bytes = b"GGUF") -> bytes:
    return magic + struct.pack("<IQQ", version, tensors, entries)


def text(value: bytes, length: int | None = None) -> bytes:
    return struct.pack("<Q", len(value) if length is None else length) + value


def entry(key: bytes, kind: int, value: bytes) -> bytes:
    return text(key) + struct.pack("<I", kind) + value


def tensor(
    name: bytes, shape: tuple[int, ...], kind: int = F32, offset: int = 0, dimensions: int | None = None
) -> bytes:
    count = len(shape) if dimensions is None else dimensions
    return text(name) + struct.pack(f"<I{len(shape)}QIQ", count, *shape, kind, offset)


def align(value: int) -> bytes:
    return entry(b"general.alignment", UINT32, struct.pack("<I", value))


CRAFTED = {
    "header: bad magic": header(0, 0, magic=b"FGUF"),
    "header: nothing": b"",
    "header: version 0": header(0, 0, version=0),
    "header: version 1": header(0, 0, version=1),
    "header: version of the future": header(0, 0, version=4),
    "header: version of the other byte order": b"GGUF" + struct.pack(">IQQ", 3, 0, 0),
    "header: more tensors than fit in memory": header(2**60, 0),
    "header: more entries than fit in memory": header(0, 2**60),
    "header: counts of all ones": header(2**64 - 1, 2**64 - 1),
    "entry: a key longer than the file": header(0, 1) + text(b"key", 2**40),
    "entry: a key of all ones": header(0, 1) + text(b"key", 2**64 - 1),
    "entry: an unknown type": header(0, 1) + entry(b"key", 99, b"\0" * 8),
    "entry: an array of an unknown type": header(0, 1) + entry(b"key", ARRAY, struct.pack("<IQ", 99, 1)),
    "entry: an array of arrays": header(0, 1) + entry(b"key", ARRAY, struct.pack("<IQ", ARRAY, 1)),
    "entry: an array whose bytes overflow": header(0, 1) + entry(b"key", ARRAY, struct.pack("<IQ", 10, 2**61)),
    "entry: texts whose number overflows": header(0, 1) + entry(b"key", ARRAY, struct.pack("<IQ", STRING, 2**60)),
    "entry: a text longer than the file": header(0, 1) + entry(b"key", STRING, text(b"x", 2**33)),
    "entry: a key twice": header(0, 2) + entry(b"key", 7, b"\1") * 2,
    "entry: alignment 0": header(0, 1) + align(0),
    "entry: alignment 13": header(0, 1) + align(13),
    "entry: alignment 2^31": header(1, 1) + align(2**31) + tensor(b"t", (32,)) + bytes(128),
    "entry: alignment that is a text": header(1, 1) + entry(b"general.alignment", STRING, text(b"32")),
    "tensor: a name of 64 bytes": header(1, 0) + tensor(b"n" * 64, (32,)) + bytes(256),
    "tensor: a name of all ones": header(1, 0) + text(b"n", 2**64 - 1),
    "tensor: 5 dimensions": header(1, 0) + tensor(b"t", (1, 1, 1, 1, 1)) + bytes(256),
    "tensor: 2^32-1 dimensions": header(1, 0) + tensor(b"t", (1,), dimensions=2**32 - 1) + bytes(256),
    "tensor: a negative length": header(1, 0) + tensor(b"t", (2**64 - 1,)) + bytes(256),
    "tensor: lengths whose product overflows": header(1, 0) + tensor(b"t", (2**32, 2**31, 2)) + bytes(256),
    "tensor: bytes that wrap when padded": header(1, 0) + tensor(b"t", (2**62 - 8,)) + bytes(256),
    "tensor: bytes that overflow when added": header(2, 0)
    + tensor(b"a", (2**61,))
    + tensor(b"b", (2**61,))
    + bytes(256),
    "tensor: an unknown type": header(1, 0) + tensor(b"t", (32,), 999) + bytes(256),
    "tensor: half a block": header(1, 0) + tensor(b"t", (255,), Q4_K) + bytes(256),
    "tensor: an offset that is not aligned": header(1, 0) + tensor(b"t", (32,), offset=1) + bytes(256),
    "tensor: an offset beyond the end": header(1, 0) + tensor(b"t", (32,), offset=2**40) + bytes(256),
    "tensor: an offset of all ones": header(1, 0) + tensor(b"t", (32,), offset=2**64 - 32) + bytes(256),
    "tensor: a name twice": header(2, 0) + tensor(b"t", (32,)) + tensor(b"t", (32,), offset=128) + bytes(512),
    "tensor: places that overlap": header(2, 0) + tensor(b"a", (32,)) + tensor(b"b", (32,)) + bytes(512),
    "data: none": header(1, 0) + tensor(b"t", (32,)),
    "data: too little": SOUND[:-1],
}

# Programs that would write a file, or take all memory or time, wherever a template is compiled or run.
TEMPLATES = {
    "a program": "{{ cycler.__init__.__globals__.os.system('touch CANARY') }}",
    "a program by its class": "{{ ''.__class__.__mro__ }}{{ lipsum.__globals__.os.popen('touch CANARY') }}",
    "a program by import": "{% import 'os' as os %}{{ self.__init__.__globals__.__builtins__.open('CANARY', 'w') }}",
    "a constant of 10 GB": "{{ 'a' * 10000000000 }}",
    "loops in loops": "{% for a in range(99999) %}{% for b in range(99999) %}{{ a * b }}{% endfor %}{% endfor %}",
    "deep nesting": "{% if 1 %}" * 5_000 + "{% endif %}" * 5_000,
    "a megabyte": "{# " + "x" * 1_000_000 + " #}",
}


def flipped(sound: bytes, header_bytes_count: int, count: int) -> Iterator[bytes]:
    """Yield the file with one byte changed, mostly in its header, where lengths and counts are."""
    chance = random.Random(count)
    for _ in range(count):
        changed = bytearray(sound)
        at = chance.randrange(header_bytes_count if chance.random() < 0.9 else len(sound))
        changed[at] ^= 1 << chance.randrange(8) if chance.random() < 0.5 else chance.randrange(1, 256)
        yield bytes(changed)


def truncated(sound: bytes, header_bytes_count: int, count: int) -> Iterator[bytes]:
    """Yield the file without its end."""
    chance = random.Random(count)
    for number in range(count):
        yield sound[: chance.randrange(header_bytes_count if number % 2 else len(sound))]
