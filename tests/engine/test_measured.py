"""What is remembered of a machine's speed, and how big a batch of a prompt may be."""

import dataclasses
import json
from pathlib import Path

import pytest

from fimserver.engine.interface import GenerateRequest
from fimserver.engine.loading import load, load_options, speeds_key
from fimserver.engine.measured import recall, remember
from fimserver.engine.speed import Measured, Speed, choose_threads, usable_cores
from tests.engine.worker_rig import LONG, OPTIONS, answered, fim

SLOW, FAST = Measured(prefill_tokens_per_s=90, decode_tokens_per_s=25), Measured(prefill_tokens_per_s=5000)
MODEL = Path("model.gguf")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FIMSERVER_HOME", str(tmp_path))
    return tmp_path


def test_what_is_remembered_is_recalled(home: Path) -> None:
    measured = Measured(prefill_tokens_per_s=90, decode_tokens_per_s=25, drafts_s={"9": 0.2})
    remember("one", measured, MODEL)
    remember("other", FAST, MODEL)
    assert recall("one") == measured
    assert recall("another") is None


@pytest.mark.parametrize("content", ["", "{", "[]", '{"one": 3}', '{"one": {"nonsense": 1}}'])
def test_a_damaged_file_is_measured_anew(home: Path, content: str) -> None:
    path = home / "cache" / "speeds.json"
    path.parent.mkdir()
    path.write_text(content)
    assert recall("one") is None
    remember("one", SLOW, MODEL)
    assert recall("one") == SLOW


def test_only_so_many_models_are_remembered(home: Path) -> None:
    for number in range(60):
        remember(str(number), SLOW, MODEL)
    assert len(json.loads((home / "cache" / "speeds.json").read_text())) == 50
    assert recall("59") == SLOW


def test_a_model_is_measured_when_it_is_loaded_first(home: Path) -> None:
    loaded = load(OPTIONS, lambda _: None)
    loaded.llama.close()
    assert loaded.facts.decode_tokens_per_s > 0
    assert recall(loaded.speeds_key) == loaded.speed.measured()


def test_what_was_measured_before_is_believed(home: Path) -> None:
    known = dataclasses.replace(SLOW, drafts_s={"5": 0.1, "9": 0.2, "17": 0.3, "33": 0.5})
    remember(speeds_key(load_options(OPTIONS, gpu=False)), known, MODEL)
    loaded = load(OPTIONS, lambda _: None)
    loaded.llama.close()
    assert loaded.speed.measured() == known
    assert loaded.facts.prefill_tokens_per_s == 90
    assert loaded.speed.cost_of(9) == pytest.approx(5.0)


def test_measuring_leaves_nothing_in_the_cache(home: Path) -> None:
    loaded = load(OPTIONS, lambda _: None)
    heard = answered(loaded, GenerateRequest(prompt=fim(), max_tokens=4))
    loaded.llama.close()
    assert heard.usage.reused_tokens == 0


@pytest.mark.parametrize(
    ("measured", "tokens"),
    [
        pytest.param(Measured(), 64, id="a speed that is not known yet"),
        pytest.param(SLOW, 64, id="a slow model, a quarter of a second and no less than is worth it"),
        pytest.param(Measured(prefill_tokens_per_s=420), 96, id="a quicker one, a quarter of a second"),
        pytest.param(FAST, 128, id="a fast one, whole batches"),
    ],
)
def test_how_much_of_a_prompt_is_evaluated_at_once(measured: Measured, tokens: int) -> None:
    speed = Speed(128)
    speed.recall(measured)
    assert speed.batch_tokens(LONG) == tokens


@pytest.mark.parametrize(("left", "tokens"), [(0, 0), (1, 1), (64, 64), (96, 96), (97, 64), (LONG, 64)])
def test_a_small_rest_is_evaluated_along_with_the_others(left: int, tokens: int) -> None:
    speed = Speed(128)
    speed.recall(SLOW)
    assert speed.batch_tokens(left) == tokens


def test_no_batch_is_larger_than_the_engine_takes() -> None:
    speed = Speed(128)
    speed.recall(FAST)
    assert speed.batch_tokens(150) == 128


def test_interrupted_batches_shrink_and_finished_ones_grow_again() -> None:
    speed = Speed(128)
    speed.recall(FAST)
    sizes = []
    for _ in range(9):
        speed.note_interrupted()
        sizes.append(speed.batch_tokens(LONG))
    assert sizes == [64, 32, 16, 8, 4, 2, 1, 1, 1]
    for _ in range(7):
        speed.note(speed.batch_tokens(LONG), 0.001 * speed.batch_tokens(LONG))
    assert speed.batch_tokens(LONG) == 128


def test_speeds_follow_what_is_measured() -> None:
    speed = Speed(128)
    speed.note(64, 1.0)
    speed.note(1, 0.1)
    assert dataclasses.asdict(speed.measured()) == {
        "prefill_tokens_per_s": 64,
        "decode_tokens_per_s": 10,
        "drafts_s": {},
        "repack": None,
    }
    for _ in range(30):
        speed.note(64, 0.5)
    assert speed.prefill_tokens_per_s == pytest.approx(128, rel=0.01)
    speed.note(9, 0.5, drafted=True)
    assert speed.cost_of(9) == pytest.approx(5.0)
    assert speed.cost_of(17) is None


def test_threads_are_the_users_own_or_those_the_editor_does_not_need() -> None:
    cores = usable_cores()
    assert choose_threads(7) == 7
    assert choose_threads(0) == (cores - 1 if cores > 2 else cores)
