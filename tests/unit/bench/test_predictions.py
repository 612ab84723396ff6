"""What is promised of a model's file, memory and speed is what random models of real shapes take."""

import json
from pathlib import Path

import pytest

from fimserver.bench.predictions import Compared, Measurement, compared
from fimserver.models.calibration import rates_shown
from fimserver.models.catalogue import choice_named
from fimserver.models.cost import cost_of_choice
from fimserver.models.hardware import Machine
from tests.cli import commands

HERE = Machine(memory_bytes=1, available_bytes=1, cores=2, bandwidth_bytes_per_s=20e9)


def ran(model: str, tokens_per_s: float) -> Measurement:
    choice = choice_named(model)
    one = Compared(1, 1)
    rates = rates_shown(cost_of_choice(choice), tokens_per_s)
    return Measurement(choice=choice, file_bytes=one, memory_bytes=one, tokens_per_s=tokens_per_s, rates=rates)


def test_a_models_speed_follows_from_that_of_the_one_before_it() -> None:
    small, large = compared([ran("qwen2.5-coder-0.5b:Q8_0", 30), ran("qwen2.5-coder-1.5b:Q8_0", 10)], HERE)
    assert large.tokens_per_s.predicted == pytest.approx(30 * 531.05 / 1646.5, rel=0.01)
    assert large.tokens_per_s.error == pytest.approx(-0.03, abs=0.01)
    assert small.tokens_per_s.measured == 30
    assert small.tokens_per_s.error == pytest.approx(0.03, abs=0.01)
    assert large.probed_tokens_per_s == pytest.approx(20e9 * 0.65 / 1.66e9, rel=0.02)


@pytest.mark.parametrize(("predicted", "error"), [(110, 0.1), (90, -0.1), (100, 0.0)])
def test_a_prediction_that_is_too_high_has_an_error_above_zero(predicted: float, error: float) -> None:
    assert Compared(predicted, 100).error == pytest.approx(error)


def test_a_model_that_cannot_be_made_is_refused_in_a_sentence() -> None:
    refused = commands.run("bench", "predictions", "starcoder2-3b:Q4_K_M")
    assert refused.code == 2
    assert "The shape of starcoder2-3b is not known here" in refused.err


def test_a_random_model_is_written_without_a_vocabulary_at_hand(tmp_path: Path) -> None:
    out = tmp_path / "random.gguf"
    made = commands.run("bench", "make-model", "--shape", "tiny", "--quant", "Q8_0", out)
    assert (made.code, out.stat().st_size > 1_000_000) == (0, True)
    explained = commands.run("models", "--explain", out, "--json").json
    assert (explained["billions"], explained["trained_tokens"]) == (pytest.approx(0.0063, rel=0.1), 1024)


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_files_and_memory_are_as_promised_on_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIMSERVER_HOME", str(tmp_path))
    done = commands.run("bench", "predictions", "--json", "--folder", tmp_path, timeout_s=900)
    rows = json.loads(done.out)
    assert len(rows) == 3
    for row in rows:
        assert abs(row["file_bytes_error"]) <= 0.01
        assert abs(row["memory_bytes_error"]) <= 0.10
        assert row["tokens_per_s"]["predicted"] > 0  # how near it is depends on what else this machine does
