"""Which tokens a prompt becomes, and what is cut where it is too long."""

import pytest

from fimserver.engine.encoding import CUT_TOKENS, Encoder, Vocabulary, text_tokens, trim
from fimserver.engine.interface import Keep, Prompt, Segment
from fimserver.errors import EngineRefused, PromptTooLong

# A toy vocabulary: one token per character, and names in angle brackets for controls. `<keep>` is user-defined: the
# tokeniser matches it in any text, as llama.cpp does.
CONTROLS = {"<pre>": 1, "<mid>": 2, "<end>": 3, "<keep>": 4}


def tokenise(text: str, control: bool) -> list[int]:
    names = [name for name in CONTROLS if control or name == "<keep>"]
    tokens = []
    while text:
        name = next((name for name in names if text.startswith(name)), text[0])
        tokens.append(CONTROLS.get(name, 1000 + ord(name[0])))
        text = text[len(name) :]
    return tokens


TOY = Vocabulary(tokenise, lambda token: token < 1000, frozenset({1, 2, 3, 4}), "toy")


def letters(text: str) -> list[int]:
    return [1000 + ord(letter) for letter in text]


def encode(*segments: Segment, context_tokens: int = 1000) -> list[int]:
    return Encoder(TOY, context_tokens).encode(Prompt(segments)).tokens


@pytest.mark.parametrize(
    ("segments", "tokens"),
    [
        pytest.param([Segment("<pre>", control=True)], [1], id="a control segment is its control token"),
        pytest.param([Segment("<pre><mid>", control=True)], [1, 2], id="or several"),
        pytest.param([Segment("a<mid>")], letters("a<mid>"), id="a control token's name in a text stays text"),
        pytest.param([Segment("a<keep>b")], letters("a<keep>b"), id="even where the tokeniser would match it"),
        pytest.param([Segment("<keep><keep>")], letters("<keep><keep>"), id="however often"),
        pytest.param([Segment("a", leading_space=True)], letters(" a"), id="a leading space is added where asked for"),
        pytest.param([Segment("a"), Segment("b")], letters("ab"), id="segments stand in their order"),
    ],
)
def test_segments_become_tokens(segments: list[Segment], tokens: list[int]) -> None:
    assert encode(*segments) == tokens


@pytest.mark.parametrize("text", ["<nope>", "<pre>x", ""], ids=["unknown", "followed by text", "empty"])
def test_a_control_text_the_model_does_not_know_is_refused_by_name(text: str) -> None:
    with pytest.raises(EngineRefused, match=f"toy has no control token {text!r}"):
        encode(Segment(text, control=True))


def test_stop_controls_are_tokens() -> None:
    assert Encoder(TOY, 100).stop_tokens(Prompt((), stop_controls=("<end>", "<mid>"))) == {2, 3}


def test_a_prompt_without_text_is_refused() -> None:
    with pytest.raises(EngineRefused, match="empty"):
        encode(Segment(""))


def test_a_guarded_token_of_one_character_is_left_out() -> None:
    odd = Vocabulary(lambda text, _: [7 if letter == "␄" else ord(letter) for letter in text], bool, frozenset({7}))
    assert text_tokens("a␄b", odd) == [ord("a"), ord("b")]


def test_a_segment_is_tokenised_once() -> None:
    calls = []

    def counting(text: str, control: bool) -> list[int]:
        calls.append(text)
        return tokenise(text, control)

    encoder = Encoder(Vocabulary(counting, TOY.is_control, TOY.guarded), 1000)
    for typed in ("a", "ab", "abc"):
        encoder.encode(Prompt((Segment("prefix"), Segment(typed))))
    assert calls == ["prefix", "a", "ab", "abc"]


# A context of 512 tokens has room for a prompt of 448.
A, B = list(range(1000, 1400)), list(range(2000, 2200))


@pytest.mark.parametrize(
    ("parts", "left"),
    [
        pytest.param([(Keep.TAIL, A)], A, id="what fits stays whole"),
        pytest.param([(Keep.TAIL, A), (Keep.ALL, B)], A[192:] + B, id="a prefix loses its beginning"),
        pytest.param([(Keep.HEAD, A), (Keep.ALL, B)], A[:208] + B, id="a suffix loses its end"),
        pytest.param([(Keep.ALL, B), (Keep.TAIL, A)], B + A[192:], id="in whatever order they stand"),
        pytest.param([(Keep.TAIL, A), (Keep.HEAD, B)], A[192:] + B, id="the longest part gives first"),
        pytest.param([(Keep.TAIL, A), (Keep.HEAD, A)], A[192:] + A[:208], id="equals give in turn"),
        pytest.param([(Keep.TAIL, B), (Keep.ALL, A)], B[192:] + A, id="a part may shrink to almost nothing"),
    ],
)
def test_what_is_cut(parts: list[tuple[Keep, list[int]]], left: list[int]) -> None:
    assert trim(parts, 512) == left


def test_what_must_be_kept_and_does_not_fit_is_refused() -> None:
    with pytest.raises(PromptTooLong, match="take 449 tokens; a context of 512 has room for 448"):
        trim([(Keep.ALL, list(range(449))), (Keep.TAIL, A)], 512)


def test_typing_on_moves_the_cut_once_in_a_block() -> None:
    beginnings = [trim([(Keep.TAIL, A), (Keep.ALL, A[:typed])], 512)[0] for typed in range(100, 100 + 2 * CUT_TOKENS)]
    assert len(set(beginnings)) == 3


def test_the_last_segment_is_the_one_that_changes() -> None:
    prompt = Prompt((Segment("<pre>", control=True), Segment("ab"), Segment("typed")))
    assert Encoder(TOY, 1000).encode(prompt).stable == 3
