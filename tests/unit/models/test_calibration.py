"""What a model's measured speed says of this machine, read from what the engine keeps."""

import json
from pathlib import Path
from typing import Any

import pytest

from fimserver.bench.gguf_file import TensorToWrite, header_bytes
from fimserver.engine.measured import remember
from fimserver.engine.speed import Measured
from fimserver.models.calibration import Rates, measured_rates
from fimserver.models.store import embedded_model

NUMBERS = 60_000_000  # 240 MB of F32: more than a processor's cache
MEASURED = Measured(prefill_tokens_per_s=100, decode_tokens_per_s=10)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FIMSERVER_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A file with a header of 240 MB of weights, and a hole where they would be."""
    path = tmp_path / "large.gguf"
    header = header_bytes({"general.architecture": "qwen2"}, [TensorToWrite("t", (NUMBERS,), "F32", list)])
    with path.open("wb") as file:
        file.write(header)
        file.truncate(len(header) + 4 * NUMBERS)
    return path


def test_nothing_is_known_before_a_model_has_run(home: Path) -> None:
    assert measured_rates() == Rates()


def test_what_the_engine_measured_is_known(home: Path, model: Path) -> None:
    remember("key", MEASURED, model)
    assert measured_rates() == Rates(10 * 4 * NUMBERS, 100 * NUMBERS)


def test_the_newest_of_large_models_counts(home: Path, model: Path) -> None:
    remember("old", Measured(decode_tokens_per_s=99), model)
    remember("new", MEASURED, model)
    remember("small", Measured(decode_tokens_per_s=1500), embedded_model())
    remember("gone", Measured(decode_tokens_per_s=50), home / "gone.gguf")
    assert measured_rates().decode_bytes_per_s == 10 * 4 * NUMBERS


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        '{"key": 3}',
        '{"key": {"model": 3}}',
        '{"key": {"decode_tokens_per_s": 3}}',
        json.dumps({"key": {"model": str(embedded_model()), "decode_tokens_per_s": "x", "prefill_tokens_per_s": 1}}),
    ],
)
def test_a_damaged_file_says_nothing(home: Path, content: Any) -> None:
    (home / "cache").mkdir()
    (home / "cache" / "speeds.json").write_text(content)
    assert measured_rates() == Rates()
