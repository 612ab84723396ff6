"""The model that is recommended fits, is quick enough, and may be used by anyone."""

from dataclasses import replace
from pathlib import Path

import pytest

from fimserver.models.calibration import Rates, rates_shown
from fimserver.models.catalogue import choice_named
from fimserver.models.cost import cost_of_choice
from fimserver.models.gpu import gpu_backend
from fimserver.models.hardware import (
    EFFICIENCY,
    Machine,
    copy_bandwidth,
    prompt_tokens_per_s,
    this_machine,
    tokens_per_s,
    usable_cores,
)
from fimserver.models.recommend import WANTED_PROMPT_TOKENS_PER_S, WANTED_TOKENS_PER_S, Candidate, candidates, recommend


def machine(memory_gb: float, bandwidth_gb_per_s: float, cores: int = 8, *, gpu: bool = False) -> Machine:
    memory = int(memory_gb * 1e9)
    return Machine(
        memory_bytes=memory,
        available_bytes=memory,
        cores=cores,
        bandwidth_bytes_per_s=bandwidth_gb_per_s * 1e9,
        gpu=gpu,
    )


PICKS = {
    "old laptop, little memory": (machine(2, 45, cores=2), "qwen2.5-coder-0.5b:Q8_0"),
    "two cores read no larger prompt in time": (machine(8, 100, cores=2), "qwen2.5-coder-0.5b:Q8_0"),
    "laptop with 8 GB": (machine(5, 80, cores=4), "qwen2.5-coder-1.5b:Q8_0"),
    "the same, slower memory": (machine(5, 60, cores=4), "qwen2.5-coder-1.5b:Q5_K_M"),
    "sixteen cores": (machine(24, 250, cores=16), "qwen2.5-coder-7b:Q4_K_M"),
    "GPU with a little memory": (machine(8, 270, gpu=True), "qwen2.5-coder-7b:Q4_K_M"),
    "GPU with 24 GB": (machine(24, 900, gpu=True), "qwen2.5-coder-14b:Q8_0"),
    "GPU with 64 GB": (machine(64, 1800, gpu=True), "qwen2.5-coder-32b:Q8_0"),
    "too slow for any: the quickest": (machine(8, 20, cores=2), "qwen2.5-coder-0.5b:Q8_0"),
}


@pytest.mark.parametrize(("here", "expected"), PICKS.values(), ids=PICKS)
def test_pick(here: Machine, expected: str) -> None:
    pick = recommend(here).pick
    assert pick is not None
    assert pick.choice.id == expected


def test_nothing_fits() -> None:
    recommendation = recommend(machine(0.4, 100))
    assert recommendation.pick is None
    assert recommendation.reasons == ("No model of the catalogue fits into 0.3 GB and answers in time here.",)


def all_picks() -> list[Candidate]:
    made = [
        recommend(machine(memory, bandwidth))
        for memory in (1, 2, 4, 8, 16, 32, 64, 128)
        for bandwidth in (15, 40, 100, 300, 1000)
    ]
    return [candidate for one in made for candidate in (one.pick, one.runner_up) if candidate]


def test_what_may_not_be_used_for_work_is_never_recommended() -> None:
    assert {candidate.choice.model.commercial for candidate in all_picks()} == {"yes"}
    assert not {"qwen2.5-coder-3b", "codestral-22b-v0.1"} & {candidate.choice.model.id for candidate in all_picks()}


def test_the_runner_up_is_another_model() -> None:
    recommendation = recommend(machine(16, 100))
    assert recommendation.pick is not None
    assert recommendation.runner_up is not None
    assert recommendation.pick.choice.model.id != recommendation.runner_up.choice.model.id


def test_reasons_name_memory_speed_score_and_licence() -> None:
    reasons = " ".join(recommend(machine(5, 80)).reasons)
    for part in ("1.9 GB of the 3.8 GB", "tokens a second", "40.2 % exact on CrossCodeEval", "Apache-2.0", "Runner-up"):
        assert part in reasons


def test_a_gpu_that_nobody_measured_is_said() -> None:
    here = replace(machine(8, 50), other_gpu="CUDA")
    assert "built with CUDA here" in recommend(here).reasons[-1]
    ran = replace(here, rates=rates_shown(COST, 20.0))
    assert not any("CUDA" in reason for reason in recommend(ran).reasons)


BUILDS = {
    "for the processor alone": (("libggml-base.so", "libggml-cpu.so", "libllama.so"), ""),
    "with CUDA": (("libggml-cpu.so", "libggml-cuda.so.0"), "CUDA"),
    "with Vulkan on Windows": (("ggml-cpu.dll", "ggml-vulkan.dll"), "Vulkan"),
    "with Metal": (("libggml-cpu.dylib", "libggml-metal.0.dylib"), "Metal"),
    "not installed": ((), ""),
}


@pytest.mark.parametrize(("libraries", "backend"), BUILDS.values(), ids=BUILDS)
def test_the_gpu_that_llama_cpp_was_built_for(tmp_path: Path, libraries: tuple[str, ...], backend: str) -> None:
    for name in libraries:
        (tmp_path / name).touch()
    assert gpu_backend(tmp_path) == backend


def test_every_quick_pick_is_quick_and_fits() -> None:
    here = machine(16, 200)
    pick = recommend(here).pick
    assert pick is not None
    assert pick.tokens_per_s >= WANTED_TOKENS_PER_S
    assert pick.prompt_tokens_per_s >= WANTED_PROMPT_TOKENS_PER_S
    assert pick.memory_bytes <= here.usable_bytes


def test_models_for_chat_are_predicted_too() -> None:
    assert {"llama-3.1-8b-instruct"} <= {candidate.choice.model.id for candidate in candidates(machine(8, 50), "chat")}


COST = cost_of_choice(choice_named("qwen2.5-coder-1.5b:Q8_0"))


def test_speed_is_bandwidth_over_bytes() -> None:
    expected = 50e9 * EFFICIENCY / (COST.active_bytes + 2048 * COST.kv_bytes_per_token)
    assert tokens_per_s(COST, machine(8, 50)) == pytest.approx(expected)


def test_a_real_models_speed_replaces_the_probe() -> None:
    known = replace(machine(8, 50), rates=rates_shown(COST, 20.0, 100.0, context_tokens=0))
    assert tokens_per_s(COST, known, context_tokens=0) == pytest.approx(20.0)
    assert prompt_tokens_per_s(COST, known) == pytest.approx(100.0)
    small = cost_of_choice(choice_named("qwen2.5-coder-0.5b:Q8_0"))
    assert tokens_per_s(small, known, context_tokens=0) == pytest.approx(20.0 * COST.active_bytes / small.active_bytes)


def test_what_a_model_in_the_cache_shows_is_not_believed() -> None:
    assert rates_shown(replace(COST, active_bytes=7_000_000), 1500.0, context_tokens=0) == Rates()


def test_this_machine_is_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIMSERVER_HOME", str(tmp_path))
    here = this_machine(probe_s=0.05)
    assert 0 < here.usable_bytes < here.available_bytes <= here.memory_bytes
    assert here.cores == usable_cores() >= 1
    assert here.bandwidth_bytes_per_s > 1e8
    assert here.rates == Rates()


@pytest.mark.parametrize(
    "seconds", [pytest.param(0.05, id="in time"), pytest.param(0.0, id="when its turn comes late")]
)
def test_copying_is_counted_in_all_threads(seconds: float) -> None:
    assert copy_bandwidth(2, seconds) > 0
