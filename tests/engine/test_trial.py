"""Whether repacked weights are quicker is tried in a process that may die, while there is nothing to do."""

import dataclasses
import sys
import threading
from pathlib import Path

import pytest

from fimserver.engine.loading import load, load_options, speeds_key
from fimserver.engine.measured import recall
from fimserver.engine.speed import Measured
from fimserver.engine.trial import Trial, command_for, is_quicker, worth_trying
from tests.engine.worker_rig import MODEL, OPTIONS

PLAIN = Measured(prefill_tokens_per_s=125, decode_tokens_per_s=22)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FIMSERVER_HOME", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(
    ("repacked", "quicker"),
    [
        pytest.param(Measured(prefill_tokens_per_s=300, decode_tokens_per_s=24), True, id="quicker in both"),
        pytest.param(Measured(prefill_tokens_per_s=90, decode_tokens_per_s=30), True, id="much quicker in writing"),
        pytest.param(Measured(prefill_tokens_per_s=60, decode_tokens_per_s=23), False, id="much slower in reading"),
        pytest.param(None, False, id="the process died"),
        pytest.param(Measured(), False, id="nothing was measured"),
    ],
)
def test_what_the_next_engine_takes(repacked: Measured | None, quicker: bool) -> None:
    assert is_quicker(repacked, PLAIN) is quicker


class Result:
    """Waits for what a trial says."""

    def __init__(self) -> None:
        self.came = threading.Event()
        self.measured: Measured | None = None

    def __call__(self, measured: Measured | None) -> None:
        self.measured = measured
        self.came.set()


PRINTS = 'print("noise"); print(\'{"prefill_tokens_per_s": 5, "decode_tokens_per_s": 3}\')'


@pytest.mark.parametrize(
    ("program", "measured"),
    [
        pytest.param(PRINTS, Measured(prefill_tokens_per_s=5, decode_tokens_per_s=3), id="it says how fast it is"),
        pytest.param("import os; os.abort()", None, id="it crashes"),
        pytest.param("import os, signal; os.kill(os.getpid(), 9)", None, id="it is killed"),
        pytest.param("", None, id="it says nothing"),
        pytest.param("print('nonsense')", None, id="it says nonsense"),
    ],
)
def test_what_comes_of_a_trial(program: str, measured: Measured | None) -> None:
    result = Result()
    trial = Trial((sys.executable, "-c", program), result)
    assert trial.wait_s is not None
    trial.begin()
    assert result.came.wait(200)
    assert result.measured == measured
    assert trial.wait_s is None


def test_a_trial_gives_way_and_begins_anew_later(tmp_path: Path) -> None:
    result = Result()
    mark = tmp_path / "mark"
    waits_the_first_time = (
        "import pathlib, time\n"
        f"mark = pathlib.Path({str(mark)!r})\n"
        f"mark.exists() or (mark.touch(), time.sleep(600))\n{PRINTS}"
    )
    trial = Trial((sys.executable, "-c", waits_the_first_time), result)
    trial.begin()
    while not mark.exists():
        threading.Event().wait(0.01)
    trial.give_way()
    assert trial.wait_s is not None
    trial.begin()
    assert result.came.wait(200)
    assert result.measured == Measured(prefill_tokens_per_s=5, decode_tokens_per_s=3)


def test_nothing_to_try_waits_for_nothing() -> None:
    trial = Trial((), Result())
    assert trial.wait_s is None
    trial.begin()
    trial.give_way()


def test_a_small_model_is_not_worth_it() -> None:
    assert not worth_trying(MODEL, 0)


def test_the_real_trial_measures_or_dies_but_harms_nobody() -> None:
    result = Result()
    Trial(command_for(MODEL, 1), result).begin()
    assert result.came.wait(200)
    assert result.measured is None or result.measured.decode_tokens_per_s > 0


def test_the_result_is_remembered_for_the_next_engine() -> None:
    key = speeds_key(load_options(OPTIONS, gpu=False))
    loaded = load(OPTIONS, lambda _: None)
    quick = Measured(prefill_tokens_per_s=10**9, decode_tokens_per_s=10**9)
    loaded.note_trial(quick)
    loaded.keep()
    loaded.llama.close()
    assert recall(key) == dataclasses.replace(quick, repack=True)


def test_a_trial_that_died_is_not_repeated() -> None:
    loaded = load(OPTIONS, lambda _: None)
    loaded.note_trial(None)
    loaded.keep()
    loaded.llama.close()
    known = recall(loaded.speeds_key)
    assert known is not None
    assert known.repack is False
    assert known.decode_tokens_per_s == loaded.speed.decode_tokens_per_s
