"""What doctor says of how the engine runs: each choice with its reason, and what the user has set as that."""

from typing import Any

import pytest

from fimserver.engine.chosen import Machine, chosen
from fimserver.engine.wire import EngineOptions

LARGE = 1_000_000_000


def said(options: dict[str, Any], **machine: Any) -> str:
    known = Machine(**{"cores": 4, "threads": 3, "gpu": False, "file_bytes": LARGE, "repack": None, **machine})
    return "\n".join(chosen(EngineOptions(model_path="model.gguf", **options), known))


@pytest.mark.parametrize(
    ("options", "machine", "sentence"),
    [
        pytest.param({"threads": 6}, {}, "threads: 6, as set", id="threads that are set"),
        pytest.param({}, {"gpu": False}, "GPU layers: none, for this llama.cpp was built without one", id="no GPU"),
        pytest.param({}, {"gpu": True}, "GPU layers: all that fit", id="a GPU takes all"),
        pytest.param({"gpu_layers": 7}, {"gpu": True}, "GPU layers: 7, as set", id="layers that are set"),
        pytest.param({}, {}, "flash attention: on where it can be", id="flash attention is used"),
        pytest.param({"kv_type": "q8_0"}, {}, "flash attention: off, for a CPU", id="… not with a quantised cache"),
        pytest.param({"kv_type": "q8_0"}, {"gpu": True}, "flash attention: on where it can be", id="… but on a GPU"),
        pytest.param({"flash_attention": "on"}, {}, "flash attention: on, as set", id="flash attention that is set"),
        pytest.param({}, {}, "KV cache: f16, for smaller ones are read more slowly", id="the usual cache"),
        pytest.param({"kv_type": "q8_0"}, {}, "KV cache: q8_0, as set", id="a cache that is set"),
        pytest.param({}, {"repack": True}, "weights: repacked, which is quicker here", id="repacked weights"),
        pytest.param({}, {"repack": False}, "weights: as in the file", id="weights as they are"),
        pytest.param({}, {}, "is tried once the engine is idle", id="nobody has tried to repack yet"),
    ],
)
def test_each_choice_has_its_reason(options: dict[str, Any], machine: dict[str, Any], sentence: str) -> None:
    assert sentence in said(options, **machine)


@pytest.mark.parametrize(
    ("cores", "threads", "sentence"),
    [
        (8, 7, "at the moment; this machine has 8 cores, one of which is left to the editor"),
        (2, 2, "threads: 2 or 1, whichever is quickest at the moment; this machine has 2 cores"),
        (1, 1, "threads: 1; this machine has one core"),
    ],
)
def test_threads_that_are_chosen_say_of_how_many_cores(cores: int, threads: int, sentence: str) -> None:
    assert sentence in said({}, cores=cores, threads=threads)
