"""Models that cannot forget a part of what they have read are answered correctly, and still read little at each key."""

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fimserver.engine.answer import Answer
from fimserver.engine.interface import GenerateRequest, Prompt, Segment
from fimserver.engine.loaded import Loaded
from fimserver.engine.loading import load
from tests.engine.odd_models import write_mamba, write_sliding_window
from tests.engine.worker_rig import OPTIONS, PREFIX, SUFFIX, Listener, answered

FILE, OTHER = PREFIX * 3, "import os\n" * 60


@pytest.fixture(scope="module", params=[write_mamba, write_sliding_window], ids=["recurrent", "sliding window"])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loaded]:
    write: Callable[[Path], None] = request.param
    home = tmp_path_factory.mktemp("home")
    write(home / "odd.gguf")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("FIMSERVER_HOME", str(home))
        loaded = load(dataclasses.replace(OPTIONS, model_path=str(home / "odd.gguf")), lambda _: None)
        yield loaded
        loaded.llama.close()


@pytest.fixture
def loaded(model: Loaded) -> Loaded:
    model.memory.clear()
    return model


def typed(text: str, file: str = FILE, max_tokens: int = 6) -> GenerateRequest:
    """Return a request with what was typed after the middle token."""
    prompt = Prompt(
        (
            Segment("<|fim_prefix|>", control=True),
            Segment(file),
            Segment("<|fim_suffix|>", control=True),
            Segment(SUFFIX),
            Segment("<|fim_middle|>", control=True),
            *([Segment(text)] if text else []),
        )
    )
    return GenerateRequest(prompt=prompt, max_tokens=max_tokens)


def test_it_is_known_that_it_cannot_rewind(loaded: Loaded) -> None:
    assert not loaded.llama.rewindable


@pytest.mark.parametrize(
    "history",
    [
        pytest.param([typed("    def")], id="after less was typed"),
        pytest.param([typed("    def test_four(self):\n        self.ass")], id="after more was typed and deleted"),
        pytest.param([typed("x"), typed("", OTHER), typed("", FILE + "\n")], id="after other files"),
        pytest.param([typed("    def test_", max_tokens=0)], id="after it was warmed"),
    ],
)
def test_what_is_reused_does_not_change_the_answer(loaded: Loaded, history: list[GenerateRequest]) -> None:
    wanted = typed("    def test_")
    fresh = answered(loaded, wanted)
    loaded.memory.clear()
    for request in history:
        answered(loaded, request)
    reused = answered(loaded, wanted)
    assert reused.usage.reused_tokens > 100
    assert reused.text == fresh.text
    assert [chunk.logprob for chunk in reused.chunks] == pytest.approx([c.logprob for c in fresh.chunks], abs=0.02)


def test_a_key_reads_only_what_was_typed_since_the_middle(loaded: Loaded) -> None:
    line = "    def test_four"
    evaluated = [answered(loaded, typed(line[:count])).usage.evaluated_tokens for count in range(len(line))]
    assert max(evaluated[2:]) <= 10


def test_warming_leaves_one_token_for_the_request(loaded: Loaded) -> None:
    answered(loaded, typed("", max_tokens=0))
    assert answered(loaded, typed("")).usage.evaluated_tokens == 1


def test_it_is_not_interrupted_within_a_batch_as_it_would_lose_everything(loaded: Loaded) -> None:
    heard = Listener()
    steps = Answer(typed(""), 0.0, loaded, heard).steps()
    next(steps)
    loaded.llama.interrupt()
    next(steps)
    loaded.llama.proceed()
    for _ in steps:
        pass
    assert heard.usage.evaluated_tokens == heard.usage.prompt_tokens


def test_an_answer_that_loses_its_sequence_reads_everything_again(loaded: Loaded) -> None:
    undisturbed = answered(loaded, typed("x"))
    loaded.memory.clear()
    heard = Listener()
    steps = Answer(typed("x"), 0.0, loaded, heard).steps()
    while len(heard.chunks) < 3:
        next(steps)
    loaded.memory.clear()
    for _ in steps:
        pass
    assert heard.text == undisturbed.text
