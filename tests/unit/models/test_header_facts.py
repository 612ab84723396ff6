"""A file's header says what the loaded model says of itself, as far as choosing a profile goes."""

from pathlib import Path

import pytest

from fimserver.bench.make_model import make_model
from fimserver.bench.shapes import SHAPES
from fimserver.engine.llama import Llama
from fimserver.engine.loading import facts_of
from fimserver.engine.model import LoadOptions
from fimserver.models.header_facts import facts_of_file
from fimserver.models.store import embedded_model
from fimserver.prompt.profile import profile_for


@pytest.fixture(params=["embedded", "random"])
def model(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    random = request.param == "random"
    return make_model(tmp_path / "random.gguf", SHAPES["tiny"], "Q8_0") if random else embedded_model()


def test_the_header_says_what_the_loaded_model_says(model: Path) -> None:
    llama = Llama(LoadOptions(path=model, cells=256, sequences=1, threads=1))
    try:
        loaded, read = facts_of(llama), facts_of_file(model)
    finally:
        llama.close()
    assert read.control_texts == loaded.control_texts
    assert (read.name, read.path, read.architecture) == (loaded.name, loaded.path, loaded.architecture)
    assert (read.parameters, read.chat_template) == (loaded.parameters, loaded.chat_template)
    assert {role: loaded.fim[role] for role in read.fim} == dict(read.fim)
    for key in ("general.name", "tokenizer.ggml.model", "tokenizer.ggml.add_bos_token"):
        assert read.metadata.get(key) == loaded.metadata.get(key)
    assert profile_for(read) == profile_for(loaded)
