"""A chat model is loaded only where the completion model keeps its memory; else one that fits is named."""

from pathlib import Path

import pytest

from fimserver.bench.gguf_file import TensorToWrite, header_bytes
from fimserver.errors import ModelTooLarge
from fimserver.models.room import Context, check_room

CONTEXT = Context(tokens=4096, kv_type="f16")
GB = 1_000_000_000


def model(path: Path, gigabytes: int) -> Path:
    """Write the header of a file of this size, and a hole where its weights would be."""
    numbers = gigabytes * GB // 4
    header = header_bytes({"general.architecture": "llama"}, [TensorToWrite("t", (numbers,), "F32", list)])
    with path.open("wb") as file:
        file.write(header)
        file.truncate(len(header) + 4 * numbers)
    return path


def refusal(chat: Path, completion: Path, usable_bytes: int) -> str:
    with pytest.raises(ModelTooLarge) as caught:
        check_room(chat, completion, CONTEXT, usable_bytes)
    return str(caught.value)


def test_two_models_that_fit(tmp_path: Path) -> None:
    check_room(model(tmp_path / "chat.gguf", 5), model(tmp_path / "completion.gguf", 2), CONTEXT, 8 * GB)


def test_the_completion_models_memory_is_kept_for_it(tmp_path: Path) -> None:
    sentence = refusal(model(tmp_path / "chat.gguf", 5), model(tmp_path / "completion.gguf", 2), 6 * GB)
    assert sentence.startswith("The chat model chat.gguf needs 5.05 GB of memory, and there are 3.95 GB for it here")
    assert "beside the 2.05 GB of the completion model." in sentence
    assert sentence.endswith(
        "granite-4.0-micro fits: fimserver pull granite-4.0-micro && fimserver use --chat granite-4.0-micro"
    )


def test_one_model_for_both_is_in_memory_once(tmp_path: Path) -> None:
    both = model(tmp_path / "both.gguf", 5)
    check_room(both, both, CONTEXT, 6 * GB)
    assert "beside" not in refusal(both, both, 4 * GB)


def test_where_nothing_fits_the_way_out_is_named(tmp_path: Path) -> None:
    sentence = refusal(model(tmp_path / "chat.gguf", 5), model(tmp_path / "completion.gguf", 2), 2 * GB)
    assert "0.0 MB for it here" in sentence
    assert sentence.endswith("free some memory, or choose a smaller completion model.")
