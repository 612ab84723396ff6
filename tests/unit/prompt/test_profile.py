"""Every family has a profile, the right one is found, and what cannot work is refused with a way out."""

import re

import pytest

from fimserver.engine.interface import ModelFacts
from fimserver.errors import ModelError, ModelWithoutFim
from fimserver.prompt.profile import LAYOUTS, Order, Profile, all_profiles, profile_for

QWEN = frozenset(
    {"<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>", "<|endoftext|>", "<|repo_name|>", "<|file_sep|>"}
)
STAR = frozenset({"<fim_prefix>", "<fim_suffix>", "<fim_middle>", "<|endoftext|>", "<filename>", "<reponame>"})
LLAMA = frozenset({"<s>", "</s>", "▁<PRE>", "▁<SUF>", "▁<MID>", "▁<EOT>"})

PLACES = {"bos", "repository", "files", "header", "PRE", "SUF", "MID", "prefix", "suffix", "typed"}


def facts(
    name: str = "",
    controls: frozenset[str] = frozenset(),
    *,
    path: str = "",
    fim: dict[str, str] | None = None,
    **general: str,
) -> ModelFacts:
    metadata = {f"general.{key.removesuffix('_')}": value for key, value in general.items()}
    return ModelFacts(
        name=name,
        path=path,
        architecture="",
        context_tokens=0,
        metadata=metadata,
        fim=fim or {},
        control_texts=controls,
    )


@pytest.mark.parametrize("profile", all_profiles().values(), ids=lambda profile: profile.id)
class TestEveryProfile:
    def test_names_its_file_its_licence_and_the_models_it_is_for(self, profile: Profile) -> None:
        assert profile.licence
        assert profile.name_patterns
        assert all(re.compile(pattern) for pattern in profile.name_patterns)

    def test_says_where_everything_goes_and_puts_typed_text_last(self, profile: Profile) -> None:
        layout = profile.layout or LAYOUTS[profile.order]
        places = re.findall(r"\{(\w+)\}", layout)
        assert set(places) <= PLACES
        assert {"prefix", "suffix", "typed"} <= set(places)
        assert layout.endswith("{typed}")

    def test_has_the_order_it_claims(self, profile: Profile) -> None:
        layout = profile.layout or LAYOUTS[profile.order]
        places = [
            place for place in re.findall(r"\{(\w+)\}", layout) if place in {"PRE", "SUF", "MID", "prefix", "suffix"}
        ]
        expected = {
            Order.PSM: ["PRE", "prefix", "SUF", "suffix", "MID"],
            Order.SPM: ["SUF", "suffix", "PRE", "prefix", "MID"],
            Order.SPM_ADJACENT: ["PRE", "SUF", "suffix", "MID", "prefix"],
        }[profile.order]
        assert places == [place for place in expected if place != "MID" or profile.middle]

    def test_stops_at_its_own_tokens(self, profile: Profile) -> None:
        markers = {profile.prefix, profile.suffix} if profile.id != "codegeex4" else set()
        assert markers <= set(profile.stop_controls)

    def test_fills_templates_with_known_names_only(self, profile: Profile) -> None:
        assert set(re.findall(r"\{(\w+)\}", profile.repository)) <= {"repository"}
        assert set(re.findall(r"\{(\w+)\}", profile.header)) <= {"path"}
        assert set(re.findall(r"\{(\w+)\}", profile.file)) <= {"path", "content"}

    def test_is_found_again_when_forced(self, profile: Profile) -> None:
        assert profile_for(facts(), forced=profile.id) is profile


FOUND = {
    "general.name of a GGUF": (facts(controls=QWEN, name_="Qwen2.5 Coder 1.5B"), "qwen2.5-coder"),
    "basename where the name says nothing": (
        facts(controls=QWEN, name_="model", basename="Qwen2.5-Coder"),
        "qwen2.5-coder",
    ),
    "file name where the metadata says nothing": (
        facts(controls=QWEN, path="/m/qwen2.5-coder-7b-q8_0.gguf"),
        "qwen2.5-coder",
    ),
    "Windows path": (facts(controls=QWEN, path=r"C:\models\Qwen2.5-Coder-7B.gguf"), "qwen2.5-coder"),
    "metadata goes before the file name": (
        facts(controls=STAR, path="/m/starcoder.gguf", name_="granite-3b-code-base"),
        "granite-code",
    ),
    "name on a server that lists no tokens": (facts(name="qwen2.5-coder:1.5b-base"), "qwen2.5-coder"),
    "the embedded model": (facts(controls=QWEN, name_="tiny-fim"), "tiny-fim"),
    "StarCoder2 is not StarCoder": (facts(controls=STAR, path="/m/starcoder2-3b.gguf"), "starcoder2"),
    "StarCoderBase": (facts(controls=STAR, path="/m/starcoderbase-1b.Q8_0.gguf"), "starcoder"),
    "Qwen3-Coder, trained to chat and to fill in": (
        facts(controls=QWEN, name_="Qwen3 Coder 30B A3B Instruct"),
        "qwen3-coder",
    ),
    "CodeLlama as TheBloke names it": (facts(controls=LLAMA, name_="codellama_codellama-7b-hf"), "codellama"),
    "Granite 4": (facts(controls=QWEN, name_="Granite 4.0 Micro"), "granite-4"),
    "Mellum2": (facts(controls=STAR, name_="Mellum2 12B A2.5B Base"), "mellum"),
    "DeepSeek-Coder-V2-Lite-Base": (facts(name="DeepSeek-Coder-V2-Lite-Base"), "deepseek-coder"),
}


@pytest.mark.parametrize(("model", "profile_id"), FOUND.values(), ids=FOUND)
def test_finds_the_profile_by(model: ModelFacts, profile_id: str) -> None:
    profile = profile_for(model)
    assert profile.id == profile_id
    assert not profile.guessed


REFUSED = {
    "no tokens": (facts(name="Llama 3.1 8B", controls=frozenset({"<|begin_of_text|>"})), "no tokens"),
    "CodeLlama 34B": (facts(controls=LLAMA, name_="codellama_codellama-34b-hf"), "7B and 13B"),
    "CodeLlama Python": (facts(controls=LLAMA, path="/m/codellama-7b-python.Q4_0.gguf"), "7B and 13B"),
    "plain Qwen3": (facts(controls=QWEN, name_="Qwen3 8B"), "plain Qwen3"),
    "OpenCoder": (facts(controls=QWEN, name_="OpenCoder 8B Base"), "not trained"),
    "Granite 3": (facts(controls=STAR, name_="Granite 3.1 8b Instruct"), "trained to chat"),
    "DeepSeek-Coder-V2 for chat": (facts(name="DeepSeek-Coder-V2-Lite-Instruct"), "base model"),
    "a next-edit model": (facts(controls=QWEN, name_="zeta"), "history of edits"),
    "a server's model nobody knows": (facts(name="my-finetune"), "no tokens"),
}


@pytest.mark.parametrize(("model", "why"), REFUSED.values(), ids=REFUSED)
def test_refuses(model: ModelFacts, why: str) -> None:
    with pytest.raises(ModelWithoutFim) as refusal:
        profile_for(model)
    assert why in str(refusal.value)
    assert "fimserver pull qwen2.5-coder-1.5b" in str(refusal.value)


def test_the_user_may_overrule_a_refusal() -> None:
    model = facts(controls=QWEN, name_="Qwen3 8B")
    assert profile_for(model, forced="qwen2.5-coder").id == "qwen2.5-coder"


def test_a_forced_profile_must_exist() -> None:
    with pytest.raises(ModelError, match=r"no prompt profile 'qwen'.*qwen2\.5-coder"):
        profile_for(facts(controls=QWEN), forced="qwen")


def test_a_forced_profile_must_have_its_tokens_in_the_model() -> None:
    with pytest.raises(ModelWithoutFim, match="x has no token ▁<MID>, ▁<PRE>, ▁<SUF>"):
        profile_for(facts(name="x", controls=QWEN), forced="codellama")


GUESSED = {
    "Qwen's tokens": (QWEN, {}, Order.PSM, "<|fim_middle|>"),
    "StarCoder's tokens": (STAR, {}, Order.PSM, "<fim_middle>"),
    "Seed-Coder's tokens, which llama.cpp does not recognise": (
        frozenset({"<[fim-prefix]>", "<[fim-suffix]>", "<[fim-middle]>"}),
        {},
        Order.SPM,
        "<[fim-middle]>",
    ),
    "tokens nobody has seen, recognised by llama.cpp": (
        frozenset({"<P>", "<S>", "<M>"}),
        {"prefix": "<P>", "suffix": "<S>", "middle": "<M>"},
        Order.PSM,
        "<M>",
    ),
}


@pytest.mark.parametrize(("controls", "fim", "order", "middle"), GUESSED.values(), ids=GUESSED)
def test_an_unknown_model_is_guessed_by(
    controls: frozenset[str], fim: dict[str, str], order: Order, middle: str
) -> None:
    profile = profile_for(facts(name="my finetune", controls=controls, fim=fim))
    assert profile.guessed
    assert (profile.order, profile.middle) == (order, middle)
    assert "model.profile" in profile.caution


def test_a_guess_leaves_out_what_the_model_has_no_token_for() -> None:
    bare = frozenset({"<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>"})
    profile = profile_for(facts(name="my finetune", controls=bare))
    assert (profile.repository, profile.file, profile.header) == ("", "", "")


def test_a_member_of_a_family_that_lacks_a_lesser_token_does_without() -> None:
    profile = profile_for(facts(controls=QWEN - {"<|repo_name|>"}, name_="Qwen2.5 Coder 1.5B"))
    assert not profile.guessed
    assert profile.repository == ""
    assert profile.file
    assert set(profile.stop_controls) == QWEN - {"<|repo_name|>"}


def test_a_guess_begins_as_the_model_says_it_must() -> None:
    model = ModelFacts(
        name="my finetune",
        path="",
        architecture="",
        context_tokens=0,
        metadata={"tokenizer.ggml.add_bos_token": "true"},
        control_texts=QWEN | {"<|begin_of_text|>"},
    )
    assert profile_for(model).bos == "<|begin_of_text|>"


def test_a_fine_tune_is_written_like_its_base_model_and_says_so() -> None:
    profile = profile_for(facts(controls=QWEN, name_="house-style", **{"base_model.0.name": "Qwen2.5 Coder 7B"}))
    assert profile.guessed
    assert profile.file == all_profiles()["qwen2.5-coder"].file


@pytest.mark.parametrize(
    ("name", "cautioned"),
    [("Qwen2.5 Coder 7B Instruct", True), ("Qwen2.5 Coder 7B", False), ("Qwen3 Coder 30B A3B Instruct", False)],
)
def test_chat_training_is_pointed_out_where_a_base_model_is_better(name: str, cautioned: bool) -> None:
    profile = profile_for(facts(controls=QWEN, name_=name))
    assert bool(profile.caution) is cautioned
    assert not profile.guessed


def test_codellama_puts_the_prefix_first_only_inside_words() -> None:
    profile = all_profiles()["codellama"]
    assert (profile.order, profile.order_inside_token) == (Order.SPM_ADJACENT, Order.PSM)
