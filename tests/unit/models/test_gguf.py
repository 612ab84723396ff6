"""A sound header is read whole; a broken one is refused with the name of the field, and costs nothing."""

import random
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from fimserver.bench.gguf_file import TensorToWrite, header_bytes, write_gguf
from fimserver.errors import ModelBroken, ModelMissing
from fimserver.models.gguf import Gguf, LongArray, Tensor, read_gguf

EMBEDDED = Path(__file__).parents[3] / "fimserver" / "models" / "embedded" / "tiny-fim.gguf"

METADATA = {
    "general.architecture": "qwen2",
    "general.name": "Tiny",
    "qwen2.block_count": 2,
    "qwen2.rope.freq_base": 10000.0,
    "qwen2.attention.head_count_kv": [2, 4],
    "tokenizer.ggml.add_bos_token": False,
    "tokenizer.ggml.tokens": [f"t{index}" for index in range(5000)],
    "tokenizer.ggml.token_type": [1] * 5000,
    "note": "ÄÖ",
}


def tensor(name: str, shape: tuple[int, ...], kind: str) -> TensorToWrite:
    made = TensorToWrite(name, shape, kind, list)
    return TensorToWrite(name, shape, kind, lambda: [bytes(made.size_bytes)])


TENSORS = (tensor("token_embd.weight", (64, 3), "Q8_0"), tensor("output_norm.weight", (64,), "F32"))


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    path = tmp_path / "sound.gguf"
    write_gguf(path, METADATA, TENSORS)
    return path


def read(tmp_path: Path, content: bytes) -> Gguf:
    path = tmp_path / "model.gguf"
    path.write_bytes(content)
    return read_gguf(path)


def test_reads_facts_and_tensors(sound: Path) -> None:
    gguf = read_gguf(sound)
    assert (gguf.version, gguf.architecture, gguf.text("general.name"), gguf.text("note")) == (3, "qwen2", "Tiny", "ÄÖ")
    assert gguf.number("block_count") == 2
    assert gguf.number("attention.head_count_kv") == 4
    assert gguf.number("absent", 7) == 7
    assert gguf.metadata["qwen2.rope.freq_base"] == 10000.0
    assert gguf.metadata["tokenizer.ggml.add_bos_token"] is False
    assert gguf.tensors == (
        Tensor("token_embd.weight", (64, 3), "Q8_0", 0),
        Tensor("output_norm.weight", (64,), "F32", 224),
    )
    assert gguf.parameters == 64 * 3 + 64
    assert gguf.file_bytes == sound.stat().st_size


def test_steps_over_long_arrays_unless_they_are_asked_for(sound: Path) -> None:
    assert read_gguf(sound).metadata["tokenizer.ggml.tokens"] == LongArray(5000)
    assert read_gguf(sound).metadata["tokenizer.ggml.token_type"] == LongArray(5000)
    kept = read_gguf(sound, keep=("tokenizer.ggml.tokens",)).metadata["tokenizer.ggml.tokens"]
    assert isinstance(kept, tuple)
    assert kept[4999] == "t4999"
    assert read_gguf(sound).count("tokenizer.ggml.tokens") == 5000


def test_reads_the_embedded_model() -> None:
    gguf = read_gguf(EMBEDDED)
    assert gguf.architecture == "qwen2"
    assert gguf.parameters > 1_000_000


def test_a_file_that_is_not_there_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match="No such file"):
        read_gguf(tmp_path / "none.gguf")


HEADER = header_bytes(METADATA, TENSORS)
DATA = bytes(224 + 256)


def entry(key: str, kind: int, value: bytes) -> bytes:
    return struct.pack("<Q", len(key)) + key.encode() + struct.pack("<I", kind) + value


def start(tensors: int = 0, entries: int = 0, version: int = 3) -> bytes:
    return b"GGUF" + struct.pack("<IQQ", version, tensors, entries)


def place(name: bytes, shape: tuple[int, ...], kind: int, offset: int) -> bytes:
    dimensions = struct.pack(f"<I{len(shape)}q", len(shape), *shape)
    return struct.pack("<Q", len(name)) + name + dimensions + struct.pack("<IQ", kind, offset)


BROKEN = {
    "empty file": (b"", "it is empty"),
    "three bytes": (b"GGU", "does not begin with the letters GGUF"),
    "a web page": (b"<!DOCTYPE html><html>", "does not begin with the letters GGUF"),
    "a safetensors file": (struct.pack("<Q", 9000) + b'{"__metadata__":{}}', "it is a safetensors file"),
    "nothing after the magic": (b"GGUF", "ends in the middle of version"),
    "version 1": (start(version=1), "its version is 1"),
    "version 4": (start(version=4), "its version is 4"),
    "big-endian": (b"GGUF" + struct.pack(">IQQ", 3, 0, 0), "big-endian"),
    "more tensors than can be": (start(tensors=2**63), "number of tensors is"),
    "more entries than can be": (start(entries=2**32), "number of metadata entries is"),
    "entries that are not there": (start(entries=3), "length of key 0"),
    "a key longer than the file": (start(entries=1) + struct.pack("<Q", 1 << 20), "middle of key 0"),
    "a key of 2^64-1 bytes": (start(entries=1) + struct.pack("<Q", 2**64 - 1), "length of key 0"),
    "an empty key": (start(entries=1) + entry("", 7, b"\1"), "is empty or stands there twice"),
    "a key that stands there twice": (start(entries=2) + entry("a", 7, b"\1") * 2, "is empty or stands there twice"),
    "an unknown type": (start(entries=1) + entry("a", 99, b""), "a has the unknown type 99"),
    "an array of arrays": (
        start(entries=1) + entry("a", 9, struct.pack("<IQ", 9, 1)),
        "a is an array of the unknown type 9",
    ),
    "an array longer than can be": (start(entries=1) + entry("a", 9, struct.pack("<IQ", 0, 2**62)), "length of a is"),
    "an array longer than the file": (
        start(entries=1) + entry("a", 9, struct.pack("<IQ", 12, 4_000_000)),
        "middle of a",
    ),
    "texts longer than the file": (
        start(entries=1) + entry("a", 9, struct.pack("<IQQ", 8, 5000, 2**63)),
        "ends in the middle of a",
    ),
    "a kept text longer than the file": (
        start(entries=1) + entry("a", 9, struct.pack("<IQQ", 8, 1, 100)),
        "ends in the middle of a",
    ),
    "a tensor's name too long": (start(tensors=1) + place(b"n" * 64, (1,), 0, 0), "length of name of tensor 0 is 64"),
    "five dimensions": (start(tensors=1) + place(b"t", (1, 1, 1, 1, 1), 0, 0), "'t' has 5 dimensions"),
    "a negative dimension": (start(tensors=1) + place(b"t", (-1,), 0, 0), "impossible shape"),
    "more numbers than can be counted": (start(tensors=1) + place(b"t", (2**40, 2**40), 0, 0), "impossible shape"),
    "a row that is no whole block": (start(tensors=1) + place(b"t", (255,), 12, 0), "impossible shape"),
    "a removed tensor type": (start(tensors=1) + place(b"t", (1,), 4, 0), "'t' has the unknown type 4"),
    "two tensors of one name": (start(tensors=2) + place(b"t", (1,), 0, 0) * 2 + bytes(99), "the same name"),
    "a tensor that begins elsewhere": (
        start(tensors=1) + place(b"t", (1,), 0, 32) + bytes(99),
        "begins at 32 and not at 0",
    ),
    "a tensor beyond the end": (start(tensors=1) + place(b"t", (1024,), 0, 0), "middle of tensor 't'"),
    "an alignment of three": (
        start(entries=1) + entry("general.alignment", 4, struct.pack("<I", 3)),
        "general.alignment is 3",
    ),
    "an alignment of zero": (
        start(entries=1) + entry("general.alignment", 4, struct.pack("<I", 0)),
        "general.alignment is 0",
    ),
    "a download that was cut": ((HEADER + DATA)[:-200], "ends in the middle of tensor 'output_norm.weight'"),
}


@pytest.mark.parametrize(("content", "what"), BROKEN.values(), ids=BROKEN)
def test_refuses(tmp_path: Path, content: bytes, what: str) -> None:
    with pytest.raises(ModelBroken) as refusal:
        read(tmp_path, content)
    assert what in str(refusal.value)
    assert "model.gguf" in str(refusal.value)
    assert "fimserver models" in str(refusal.value)


def ends_well(make: Callable[[], Gguf]) -> bool:
    """Run a reading that may refuse, but may not fail in another way."""
    try:
        make()
    except ModelBroken:
        return False
    return True


def test_every_cut_of_a_header_is_refused(tmp_path: Path) -> None:
    small = header_bytes({**METADATA, "tokenizer.ggml.tokens": ["a"], "tokenizer.ggml.token_type": [1]}, TENSORS)
    assert not any(ends_well(lambda end=end: read(tmp_path, small[:end])) for end in range(len(small)))


def test_changed_bytes_cost_a_refusal_and_nothing_else(tmp_path: Path) -> None:
    rows = random.Random(20261121)
    small = header_bytes({**METADATA, "tokenizer.ggml.tokens": ["a"], "tokenizer.ggml.token_type": [1]}, TENSORS) + DATA
    outcomes = set()
    for _ in range(800):
        changed = bytearray(small)
        for _ in range(rows.randint(1, 4)):
            changed[rows.randrange(len(changed) - len(DATA))] = rows.randrange(256)
        outcomes.add(ends_well(lambda content=bytes(changed): read(tmp_path, content)))
    assert outcomes == {True, False}
