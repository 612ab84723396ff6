"""How a model is loaded: what is chosen for the machine, and what happens where memory is short."""

import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest

from fimserver.engine.failures import load_failure
from fimserver.engine.loading import load_options
from fimserver.errors import EngineUnavailable, ModelBroken
from tests.engine.worker_rig import MODEL, OPTIONS


@pytest.mark.parametrize(
    ("options", "gpu", "layers", "attention"),
    [
        pytest.param({}, False, 0, "auto", id="a build without GPU support uses the CPU, with flash attention"),
        pytest.param({"kv_type": "q8_0"}, False, 0, "off", id="… but not with a quantised cache"),
        pytest.param({}, True, -1, "auto", id="with a GPU all layers go there, and llama.cpp chooses"),
        pytest.param({"gpu_layers": 0}, True, 0, "auto", id="the user may keep the CPU"),
        pytest.param({"gpu_layers": 12}, True, 12, "auto", id="or give the GPU a part"),
        pytest.param({"flash_attention": "on"}, False, 0, "on", id="what the user sets is used"),
    ],
)
def test_what_is_chosen_for_the_machine(options: dict[str, object], gpu: bool, layers: int, attention: str) -> None:
    chosen = load_options(dataclasses.replace(OPTIONS, **options), gpu=gpu)  # type: ignore[arg-type]
    assert (chosen.gpu_layers, chosen.flash_attention) == (layers, attention)


@pytest.mark.parametrize(
    ("words", "error", "says"),
    [
        ("unknown model architecture: 'new'", ModelBroken, "does not know the architecture"),
        ("mmap failed: Cannot allocate memory", EngineUnavailable, "not enough memory"),
        ("unable to allocate CPU buffer", EngineUnavailable, "not enough memory"),
        ("tensor 'x' data is not within the file bounds", ModelBroken, "Download it again"),
    ],
)
def test_why_a_model_was_not_loaded(words: str, error: type[Exception], says: str) -> None:
    failure = load_failure(Path("model.gguf"), words)
    assert type(failure) is error
    assert says in str(failure)
    assert words in str(failure)


# The limit counts from what the process has mapped once llama.cpp is imported. A context of 65,536 tokens takes 250 MiB
# with the embedded model, half of it half as much.
SCARCE = """
import resource, sys
from fimserver.engine.loading import load
from fimserver.engine.wire import EngineOptions
mapped = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
limit = mapped + int(sys.argv[2]) * 2**20
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
try:
    loaded = load(EngineOptions(model_path=sys.argv[1], context_tokens=65_536, threads=1), lambda _: None)
    print(loaded.llama.options.cells, loaded.warning)
except Exception as error:
    print(type(error).__name__, error)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux keeps to RLIMIT_AS")
@pytest.mark.parametrize(
    ("mebibytes", "says"),
    [
        pytest.param(185, "32768 There is not enough memory for a context of 65536 tokens", id="half of it fits"),
        pytest.param(90, "ContextTooLarge There is not enough memory for a context of 32768", id="nor does half"),
    ],
)
def test_a_context_that_does_not_fit_is_halved_once_and_that_is_said(
    mebibytes: int, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIMSERVER_HOME", str(tmp_path))
    answer = subprocess.run(
        [sys.executable, "-c", SCARCE, str(MODEL), str(mebibytes)], capture_output=True, text=True, check=True
    )
    assert answer.stdout.startswith(says)
    assert "engine.context_tokens" in answer.stdout
