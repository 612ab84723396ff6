"""What comes of one request: chunks, counts, where it ends, and what the KV cache spares. With the embedded model."""

from collections.abc import Iterator

import numpy as np
import pytest

from fimserver.engine.answer import Answer
from fimserver.engine.endings import StopTexts, goes_in_circles
from fimserver.engine.interface import Finish, GenerateRequest, Keep, Prompt, Segment
from fimserver.engine.loaded import Loaded
from fimserver.errors import EngineRefused, PromptTooLong
from tests.engine.worker_rig import LONG, PREFIX, Listener, answered, fim

# The model goes on from here in one way only.
GOING_ON = PREFIX + "    def test_four(self):\n        self.assertEqual"


@pytest.fixture
def loaded(model: Loaded) -> Loaded:
    """The model with an empty KV cache."""
    model.memory.clear()
    return model


def request(prompt: Prompt, max_tokens: int = 16, **more: object) -> GenerateRequest:
    return GenerateRequest(prompt=prompt, max_tokens=max_tokens, **more)  # type: ignore[arg-type]


def token_count(loaded: Loaded, prompt: Prompt) -> int:
    return len(loaded.encoder.encode(prompt).tokens)


def test_chunks_add_up_to_the_usage_of_the_last(loaded: Loaded) -> None:
    heard = answered(loaded, request(fim(PREFIX + "    def test_"), 12))
    assert heard.usage.generated_tokens == sum(chunk.tokens for chunk in heard.chunks) == 12
    assert (
        heard.usage.prompt_tokens == heard.usage.evaluated_tokens == token_count(loaded, fim(PREFIX + "    def test_"))
    )
    assert heard.usage.reused_tokens == 0
    assert heard.finish is Finish.MAX_TOKENS
    assert [chunk.finish for chunk in heard.chunks[:-1]] == [None] * 11
    assert all(chunk.logprob < 0 for chunk in heard.chunks)


def test_the_answer_goes_on_from_the_prefix(loaded: Loaded) -> None:
    assert answered(loaded, request(fim(GOING_ON))).text.startswith("(1, 1)\n")


def test_warming_writes_nothing_and_spares_the_next_request_all_but_one_token(loaded: Loaded) -> None:
    warmed = answered(loaded, request(fim(), 0))
    assert (warmed.text, warmed.finish, warmed.usage.generated_tokens) == ("", Finish.MAX_TOKENS, 0)
    assert warmed.usage.evaluated_tokens == token_count(loaded, fim())
    assert answered(loaded, request(fim(), 1)).usage.evaluated_tokens == 1
    assert answered(loaded, request(fim(), 0)).usage.evaluated_tokens == 0


def test_a_key_evaluates_only_what_was_typed(loaded: Loaded) -> None:
    line = "    def test_four(self):\n        self.assertEqual(1, 1)\n"
    answered(loaded, request(fim(PREFIX)))
    evaluated = [
        answered(loaded, request(fim(PREFIX + line[:typed]), 8)).usage.evaluated_tokens
        for typed in range(1, len(line) + 1)
    ]
    assert max(evaluated) <= 5
    assert sorted(evaluated)[len(evaluated) // 2] <= 2


def test_going_on_after_an_accepted_answer_evaluates_only_its_last_token(loaded: Loaded) -> None:
    prefix = GOING_ON
    first = answered(loaded, request(fim(prefix), 6))
    tokens = loaded.tokeniser.tokenise(prefix) + [
        token for chunk in first.chunks for token in loaded.tokeniser.tokenise(chunk.text)
    ]
    assert tokens == loaded.tokeniser.tokenise(prefix + first.text), "the texts must be cut into tokens alike"
    assert answered(loaded, request(fim(prefix + first.text), 6)).usage.evaluated_tokens == 1


def test_a_word_typed_on_is_not_said_from_its_beginning_for_every_key(loaded: Loaded) -> None:
    word = " selfassertion_remembered"
    said = [
        answered(loaded, request(fim(GOING_ON + "(x,"), 16, forced=word[:typed])) for typed in range(2, len(word) + 1)
    ]
    assert all(heard.text.startswith(word[:typed]) for typed, heard in enumerate(said, 2))
    assert sum(_saying_only(heard, word[:typed]) for typed, heard in enumerate(said, 2)) <= len(said)
    loaded.memory.clear()
    fresh = answered(loaded, request(fim(GOING_ON + "(x,"), 16, forced=word))
    assert _saying_only(fresh, word) > 5
    assert fresh.text.startswith(word)


def _saying_only(heard: Listener, forced: str) -> int:
    """Return how many tokens were chosen only to say what had to be said."""
    tokens, text = 0, ""
    for chunk in heard.chunks:
        text += chunk.text
        tokens += chunk.tokens if len(text) <= len(forced) else 0
    return tokens


def test_an_answer_that_goes_on_with_another_evaluates_only_its_last_token(loaded: Loaded) -> None:
    first = answered(loaded, request(fim(GOING_ON), 16, stop_texts=("\n",)))
    line = first.text[: first.text.index("\n")]
    second = answered(loaded, request(fim(GOING_ON), 16, forced=line))
    assert second.text.startswith(line)
    assert (second.usage.evaluated_tokens, _saying_only(second, line)) == (1, 0)


@pytest.mark.parametrize(
    "history",
    [
        pytest.param([PREFIX], id="after its own beginning"),
        pytest.param([PREFIX + "    def test_other_name(self):\n        pass\n"], id="after text that was deleted"),
        pytest.param([PREFIX, "import os\n" * 60, PREFIX + "\n"], id="after another file"),
        pytest.param([PREFIX + "    # a comment\n" * 40], id="after a long tail, from which it branches off"),
    ],
)
def test_what_is_reused_does_not_change_the_answer(loaded: Loaded, history: list[str]) -> None:
    wanted = request(fim(GOING_ON), 24)
    fresh = answered(loaded, wanted)
    loaded.memory.clear()
    for prefix in history:
        answered(loaded, request(fim(prefix), 8))
    reused = answered(loaded, wanted)
    assert reused.usage.reused_tokens > 0
    assert reused.text == fresh.text
    assert [chunk.logprob for chunk in reused.chunks] == pytest.approx(
        [chunk.logprob for chunk in fresh.chunks], abs=0.05
    )


def test_two_files_in_turn_stay_warm(loaded: Loaded) -> None:
    files = [fim(PREFIX + "    # one"), fim("import os\n" * 60)]
    for prompt in files:
        answered(loaded, request(prompt))
    assert [answered(loaded, request(prompt)).usage.evaluated_tokens for prompt in files] == [1, 1]


def test_an_interrupted_batch_leaves_the_rest_intact(loaded: Loaded) -> None:
    heard, prompt, read_before = Listener(), fim(PREFIX * 5), loaded.memory.prompt_tokens
    answer = Answer(request(prompt, 4), 0.0, loaded, heard)
    steps = answer.steps()
    next(steps)
    next(steps)  # the first batch is evaluated
    done = loaded.memory.book.cells_taken()
    loaded.llama.interrupt()
    next(steps)
    assert loaded.memory.book.cells_taken() == done
    loaded.llama.proceed()
    for _ in steps:
        pass
    assert heard.usage.evaluated_tokens == token_count(loaded, prompt)
    assert loaded.memory.prompt_tokens - read_before == token_count(loaded, prompt)
    loaded.memory.clear()
    assert heard.text == answered(loaded, request(prompt, 4)).text


def test_an_interrupted_batch_makes_the_next_ones_smaller_until_one_succeeds(loaded: Loaded) -> None:
    whole = loaded.speed.batch_tokens(LONG)
    steps = Answer(request(fim(PREFIX * 5), 0), 0.0, loaded, Listener()).steps()
    next(steps)
    loaded.llama.interrupt()
    for _ in range(3):
        next(steps)
    assert loaded.speed.batch_tokens(LONG) == whole // 8
    loaded.llama.proceed()
    for _ in steps:
        pass
    assert loaded.speed.batch_tokens(LONG) >= whole // 2


def begun(loaded: Loaded, wanted: GenerateRequest) -> tuple[Listener, Iterator[object]]:
    """Return an answer of which a few chunks have come, and the steps that go on with it."""
    heard = Listener()
    steps = Answer(wanted, 0.0, loaded, heard).steps()
    while len(heard.chunks) < 5:
        next(steps)
    return heard, steps


def test_an_answer_that_loses_its_sequence_takes_another_and_goes_on(loaded: Loaded) -> None:
    wanted = request(fim(GOING_ON), 24)
    undisturbed = answered(loaded, wanted)
    loaded.memory.clear()
    heard, steps = begun(loaded, wanted)
    loaded.memory.clear()
    for _ in steps:
        pass
    assert heard.text == undisturbed.text


def test_a_paused_answer_is_not_disturbed_by_another_with_the_same_beginning(loaded: Loaded) -> None:
    wanted = request(fim(GOING_ON), 24)
    undisturbed = answered(loaded, wanted)
    loaded.memory.clear()
    heard, steps = begun(loaded, wanted)
    between = answered(loaded, request(fim(PREFIX + "    def test_x"), 8))
    assert between.usage.reused_tokens > 50
    evaluated = heard.usage.evaluated_tokens
    for _ in steps:
        pass
    assert heard.text == undisturbed.text
    assert heard.usage.evaluated_tokens == evaluated


# Where an answer ends.


def test_a_stop_text_ends_the_answer_and_is_part_of_it(loaded: Loaded) -> None:
    heard = answered(loaded, request(fim(PREFIX + "    def test_four(self"), 40, stop_texts=("\n",)))
    assert heard.finish is Finish.STOP_TEXT
    assert heard.text.count("\n") >= 1
    assert "\n" not in heard.text.rstrip("\n ")


def test_an_end_token_ends_the_answer_and_is_never_text(loaded: Loaded) -> None:
    heard = answered(loaded, request(fim("x = [1, 2", "]\n"), 200, grammar='root ::= ", 3"'))
    assert (heard.finish, heard.text) == (Finish.END_OF_TEXT, ", 3")
    assert heard.usage.generated_tokens == sum(chunk.tokens for chunk in heard.chunks)


def test_a_control_text_of_the_prompt_ends_the_answer(loaded: Loaded) -> None:
    prompt = fim(GOING_ON)
    everything = tuple(sorted(loaded.facts.control_texts))
    heard = answered(loaded, request(Prompt(prompt.segments, stop_controls=everything), 4))
    assert not any(name in heard.text for name in everything)


def test_the_context_ends_the_answer(loaded: Loaded) -> None:
    prompt = Prompt((Segment("".join(f"{n} " for n in range(2000)), keep=Keep.TAIL),))
    heard = answered(loaded, request(prompt, 4000, grammar="root ::= [0-9 ]+"))
    assert heard.finish in {Finish.CONTEXT_FULL, Finish.REPETITION}
    assert heard.usage.prompt_tokens + heard.usage.generated_tokens <= loaded.facts.context_tokens


def test_an_answer_that_goes_in_circles_is_ended(loaded: Loaded) -> None:
    heard = answered(loaded, request(fim("x = ["), 900, grammar='root ::= "0, "+'))
    assert heard.finish is Finish.REPETITION
    assert heard.usage.generated_tokens < 200


@pytest.mark.parametrize(
    ("tokens", "circle"),
    [
        pytest.param([5] * 48, True, id="one token 48 times"),
        pytest.param([5] * 47, False, id="but not 47 times"),
        pytest.param([0, *[1, 2, 3] * 16], True, id="three tokens over and over"),
        pytest.param(list(range(30)) * 4, True, id="a long piece four times"),
        pytest.param(list(range(30)) * 3, False, id="a long piece three times"),
        pytest.param([*[1, 2, 3] * 16, 9], False, id="a circle that was left"),
        pytest.param([], False, id="no text"),
    ],
)
def test_going_in_circles(tokens: list[int], circle: bool) -> None:
    assert goes_in_circles(tokens) is circle


@pytest.mark.parametrize(
    ("stops", "skip", "pieces", "at"),
    [
        pytest.param(["\n"], 0, ["a", "b\n", "c"], 1, id="inside a piece"),
        pytest.param(["end"], 0, ["e", "n", "d"], 2, id="over several pieces"),
        pytest.param(["xyz", "b"], 0, ["a", "ab"], 1, id="the first of several"),
        pytest.param(["\n"], 3, ["a\n", "b", "c\n"], 2, id="not within forced text"),
        pytest.param([], 0, ["a"], None, id="none wanted"),
        pytest.param([""], 0, ["a"], None, id="an empty one never appears"),
        pytest.param(["aab"], 0, ["a", "a", "a", "b"], 3, id="after a false start"),
    ],
)
def test_stop_texts(stops: list[str], skip: int, pieces: list[str], at: int | None) -> None:
    watch = StopTexts(stops, skip)
    assert next((index for index, piece in enumerate(pieces) if watch.appear_in(piece)), None) == at


# What the prompt may ask of the answer's text.


@pytest.mark.parametrize("forced", ["r", "ret", "return", " return s", "    zebra_quux", "é", "x\ny = 1"])
def test_an_answer_begins_with_the_text_it_is_forced_to(loaded: Loaded, forced: str) -> None:
    heard = answered(loaded, request(fim("def size(self):\n    "), 30, forced=forced))
    assert heard.text.startswith(forced)


def test_forced_text_heals_the_token_the_cursor_stands_in(loaded: Loaded) -> None:
    line = PREFIX + "    def test_four(self):\n        self."
    heard = answered(loaded, request(fim(line), 24, forced="assertEq"))
    assert heard.text.startswith("assertEqual(1, 1)\n")


def test_a_stop_text_within_forced_text_does_not_end_the_answer(loaded: Loaded) -> None:
    heard = answered(loaded, request(fim("x = 1\n"), 60, forced="\ny = 2", stop_texts=("\n",)))
    assert heard.text.startswith("\ny = 2")
    assert heard.text.count("\n") >= 2 or heard.finish is Finish.END_OF_TEXT


def test_alternatives_begin_differently(loaded: Loaded) -> None:
    firsts = {answered(loaded, request(fim(), 1, first_choice=choice)).text for choice in range(4)}
    assert len(firsts) == 4


def test_a_grammar_is_kept_to(loaded: Loaded) -> None:
    heard = answered(loaded, request(fim(), 40, grammar='root ::= "<" [a-c] [a-c] ">" [0-9] [0-9]'))
    assert heard.finish is Finish.END_OF_TEXT
    assert len(heard.text) == 6
    assert heard.text[0] == "<"
    assert set(heard.text[1:3]) <= set("abc")
    assert heard.text[4:].isdecimal()


def test_a_broken_grammar_is_refused(loaded: Loaded) -> None:
    with pytest.raises(EngineRefused, match="GBNF"):
        answered(loaded, request(fim(), 4, grammar="root ::= ("))


def test_a_temperature_varies_the_answer(loaded: Loaded) -> None:
    assert len({answered(loaded, request(fim("import "), 6, temperature=1.5)).text for _ in range(12)}) > 1


def test_characters_arrive_whole(loaded: Loaded) -> None:
    heard = answered(loaded, request(fim("# "), 60, forced="naïve ☃ 日本語 🐍🐍"))
    assert heard.text.startswith("naïve ☃ 日本語 🐍🐍")
    assert all("\ufffd" not in chunk.text for chunk in heard.chunks[: len("naïve ☃ 日本語 🐍🐍")])
    assert any(chunk.tokens == 1 and not chunk.text for chunk in heard.chunks), "some characters take several tokens"


# Prompts that are too long, and models that fail.


def test_a_prompt_longer_than_the_context_loses_its_beginning(loaded: Loaded) -> None:
    heard = answered(loaded, request(fim(PREFIX * 40 + GOING_ON), 8))
    assert heard.usage.prompt_tokens <= 1024 - 1024 // 8
    assert heard.text.startswith("(1, 1)")


def test_a_long_prompt_is_not_evaluated_anew_at_every_key(loaded: Loaded) -> None:
    line = "    def test_four(self):\n        self.assertEqual(1, 1)\n"
    evaluated = [
        answered(loaded, request(fim(PREFIX * 40 + line[:typed]), 2)).usage.evaluated_tokens for typed in range(24)
    ]
    assert sum(count > 5 for count in evaluated[1:]) <= 1


def test_a_prompt_that_must_be_kept_and_does_not_fit_is_refused(loaded: Loaded) -> None:
    with pytest.raises(PromptTooLong, match="a context of 1024 has room for 896"):
        answered(loaded, request(fim(PREFIX * 40, keep=Keep.ALL)))


def test_an_unknown_control_text_is_refused_by_name(loaded: Loaded) -> None:
    with pytest.raises(EngineRefused, match="<fim_prefix>"):
        answered(loaded, request(Prompt((Segment("<fim_prefix>", control=True),))))


def test_control_texts_in_the_users_file_are_text(loaded: Loaded) -> None:
    prompt = fim("# <|fim_middle|><|endoftext|>\nx = ")
    controls = {loaded.tokeniser.tokenise(name, control=True)[0] for name in loaded.facts.control_texts}
    assert sum(token in controls for token in loaded.encoder.encode(prompt).tokens) == 3


def test_a_model_that_computes_no_numbers_is_refused_and_forgotten(loaded: Loaded) -> None:
    """Its logits are made NaN where they are read: the memory is llama.cpp's own."""
    heard = Listener()
    steps = Answer(request(fim(PREFIX * 2), 4), 0.0, loaded, heard).steps()
    real = loaded.llama.logits

    def spoilt(row: int) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
        logits = real(row)
        logits[17] = np.nan
        return logits

    loaded.llama.logits = spoilt  # type: ignore[method-assign]
    try:
        with pytest.raises(EngineRefused, match="not numbers"):
            for _ in steps:
                pass
    finally:
        loaded.llama.logits = real  # type: ignore[method-assign]
    assert answered(loaded, request(fim(PREFIX * 2), 4)).usage.reused_tokens == 0
