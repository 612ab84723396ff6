"""What one engine process takes: the figures, and the same measured through the real socket and a llama-bench."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from fimserver.bench.engine import Measured, Speeds, engine_figures, measure_engine
from fimserver.bench.llama_bench import llama_bench_round, read_report
from fimserver.engine.client import EngineClient
from fimserver.engine.wire import EngineOptions
from fimserver.errors import FimError
from tests.engine.rig import private_home
from tests.engine.test_engine_process import EMBEDDED

REPORT = [{"n_prompt": 512, "n_gen": 0, "avg_ts": 80.0}, {"n_prompt": 0, "n_gen": 64, "avg_ts": 16.0}]


def measured(*, baseline: list[Speeds]) -> Measured:
    rounds = [Speeds(90.0, 15.0), Speeds(45.0, 8.0), Speeds(88.0, 16.0)]
    return Measured(rounds, baseline, Speeds(20.0, 5.0), [10.0, 20.0, 30.0], [1_000, 1_010], 2, 0.001)


def test_each_figure_is_the_median_of_the_rounds() -> None:
    figures = engine_figures(measured(baseline=[]))
    assert (figures["decode_tokens_per_s"], figures["prefill_tokens_per_s"], figures["rounds"]) == (15.0, 88.0, 3)
    assert (figures["cancel_ms_median"], figures["cancel_ms_p95"], figures["cancels"]) == (20.0, 30.0, 3)
    assert (figures["memory_bytes_one_window"], figures["memory_bytes_two_windows"]) == (1_000, 1_010)
    assert figures["full_cache"] == {"decode_tokens_per_s": 5.0, "prefill_tokens_per_s": 20.0}
    assert "ratio" not in figures


def test_a_round_is_compared_with_the_one_beside_it_so_that_a_busy_minute_hits_both() -> None:
    figures = engine_figures(measured(baseline=[Speeds(100.0, 15.0), Speeds(50.0, 8.0), Speeds(80.0, 16.0)]))
    assert figures["ratio"] == {"decode": 1.0, "prefill": 0.9}
    assert figures["llama_bench"] == {"decode_tokens_per_s": 15.0, "prefill_tokens_per_s": 80.0}


def test_a_report_of_llama_bench_has_one_speed_of_each_kind() -> None:
    assert read_report(json.dumps(REPORT)) == Speeds(80.0, 16.0)


@pytest.mark.parametrize("report", ["", "{}", "[1]", json.dumps(REPORT[:1]), '[{"n_prompt": 1}]'])
def test_what_is_no_report_of_llama_bench_is_said_to_be_none(report: str) -> None:
    with pytest.raises(FimError, match="no report"):
        read_report(report)


def program(folder: Path, body: str) -> Path:
    path = folder / "llama-bench"
    path.write_text(f"#!{sys.executable}\nimport json, os, signal, sys\n{body}\n", "utf-8")
    path.chmod(0o700)
    return path


def test_a_llama_bench_that_crashes_with_repacked_weights_is_asked_to_do_without(tmp_path: Path) -> None:
    crash = "os.kill(os.getpid(), signal.SIGILL) if '--repack' not in sys.argv else None"
    path = program(tmp_path, f"{crash}\nprint(json.dumps({REPORT}))")
    assert llama_bench_round(path, EMBEDDED, threads=1) == Speeds(80.0, 16.0)


def test_why_a_llama_bench_failed_is_said(tmp_path: Path) -> None:
    path = program(tmp_path, "sys.exit('it has no such option')")
    with pytest.raises(FimError, match="no such option"):
        llama_bench_round(path, EMBEDDED, threads=1)


async def test_the_real_engine_is_measured_with_two_windows_on_it() -> None:
    own: dict[str, Any] = {"threads": 1, "drafting": "off", "save_state": False}
    for _ in private_home():
        client = EngineClient(EngineOptions(model_path=str(EMBEDDED), **own))
        try:
            found = await measure_engine(client, (), {"engine": own}, rounds=1, cancels=2, idle_s=0.1)
        finally:
            await client.close()
            await client.stop()
    assert found.windows == 2
    assert len(found.cancel_ms) == 2
    assert found.rounds[0].prefill > 0
    assert found.rounds[0].decode > 0
    assert found.windows_bytes[0] > EMBEDDED.stat().st_size
