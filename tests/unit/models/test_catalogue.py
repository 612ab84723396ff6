"""The catalogue is sound, and names lead to files or to a sentence."""

import itertools
from collections import Counter
from pathlib import Path

import pytest

from fimserver.errors import ModelMissing
from fimserver.models.catalogue import CatalogueModel, Choice, catalogue, choice_named, choices, usual_file
from fimserver.models.found import InstalledModel
from fimserver.models.store import file_of
from fimserver.prompt.profile import MODELS_THAT_WORK, all_profiles

EVERY = pytest.mark.parametrize("model", catalogue().values(), ids=lambda model: model.id)

EVERY_CHOICE = [Choice(model, file) for model in catalogue().values() for file in model.files]

SCORES = {"crosscodeeval", "repoeval", "humaneval_fim", "infilling_single", "infilling_multi", "safim"}


@EVERY
class TestEveryModel:
    def test_says_what_it_is_for_and_under_which_licence(self, model: CatalogueModel) -> None:
        assert model.uses
        assert set(model.uses) <= {"completion", "chat"}
        assert model.licence
        assert model.commercial in {"yes", "conditional", "no"}

    def test_completes_with_a_profile_there_is(self, model: CatalogueModel) -> None:
        assert (model.profile in all_profiles()) == ("completion" in model.uses)

    def test_names_files_of_believable_size(self, model: CatalogueModel) -> None:
        for file in model.files:
            assert file.repository.count("/") == 1
            assert "*" not in file.repository
            assert file.name.endswith(".gguf")
            assert ("*" in file.name) <= (not file.seen)
            assert 2.0 < file.bytes * 8 / (model.billions * 1e9) < 9.5, file.quant

    def test_names_each_quantisation_once(self, model: CatalogueModel) -> None:
        assert max(Counter(file.quant for file in model.files).values(), default=1) == 1

    def test_says_where_its_scores_come_from(self, model: CatalogueModel) -> None:
        assert set(model.scores) <= SCORES
        assert all(0 < score < 100 for score in model.scores.values())
        assert bool(model.scores) == bool(model.scores_from)

    def test_has_a_usual_file_if_it_has_any(self, model: CatalogueModel) -> None:
        assert (usual_file(model) is None) == (not model.files)


# Files that no row means, whatever their quantisation.
STRANGERS = ("some-model", "some-model-{quant}", "model.{quant}", "codegemma-7b-it-{quant}", "ggml-model-{quant}")


class TestEveryFile:
    def test_is_known_by_its_name(self) -> None:
        assert [choice.id for choice in EVERY_CHOICE if not is_found(choice, example_of(choice))] == []

    def test_is_no_other_choice(self) -> None:
        pairs = itertools.permutations(EVERY_CHOICE, 2)
        assert [(one.id, other.id) for one, other in pairs if is_found(one, example_of(other))] == []

    def test_is_no_stranger(self) -> None:
        names = [
            (choice, f"{name}.gguf".format(quant=choice.file.quant)) for choice in EVERY_CHOICE for name in STRANGERS
        ]
        assert [(choice.id, name) for choice, name in names if is_found(choice, name)] == []


def is_found(choice: Choice, name: str) -> bool:
    return file_of(choice, [InstalledModel(name.removesuffix(".gguf"), Path(name), "", 0)]) is not None


def example_of(choice: Choice) -> str:
    """Return a name that the file may have: what stands for anything is nothing here, one character a hyphen."""
    return choice.file.name.replace("*", "").replace("?", "-")


@pytest.mark.parametrize("model_id", MODELS_THAT_WORK)
def test_what_refusals_recommend_can_be_pulled_and_used_by_anyone(model_id: str) -> None:
    choice = choice_named(model_id)
    assert choice.model.commercial == "yes"
    assert choice.file.seen


NAMED = {
    "qwen2.5-coder-1.5b": "qwen2.5-coder-1.5b:Q8_0",
    "qwen2.5-coder-7b": "qwen2.5-coder-7b:Q4_K_M",
    "qwen2.5-coder-1.5b:Q4_K_M": "qwen2.5-coder-1.5b:Q4_K_M",
    "Qwen2.5-Coder-1.5B:q4_k_m": "qwen2.5-coder-1.5b:Q4_K_M",
    "mellum-4b-base": "mellum-4b-base:Q8_0",
}


@pytest.mark.parametrize(("name", "expected"), NAMED.items(), ids=NAMED)
def test_name(name: str, expected: str) -> None:
    assert choice_named(name).id == expected


UNKNOWN = {
    "a typing error is put right": ("qwen2.5-coder-1.5", "Did you mean qwen2.5-coder-1.5b"),
    "a stranger": ("gpt-9", "There is no model 'gpt-9' in the catalogue"),
    "a quantisation there is not": ("qwen2.5-coder-1.5b:Q1", "it has Q8_0, Q6_K"),
    "a model without files": ("starcoderbase-1b", "fimserver pull hf:TabbyML/models/FILE"),
}


@pytest.mark.parametrize(("name", "sentence"), UNKNOWN.values(), ids=UNKNOWN)
def test_unknown_name(name: str, sentence: str) -> None:
    with pytest.raises(ModelMissing) as refusal:
        choice_named(name)
    assert sentence in str(refusal.value)


def test_choices_are_for_one_use() -> None:
    assert {choice.model.id for choice in choices("chat")} > {"llama-3.1-8b-instruct", "granite-4.0-micro"}
    assert "llama-3.1-8b-instruct" not in {choice.model.id for choice in choices("completion")}


def test_bits_per_weight_of_a_usual_quantisation() -> None:
    assert choice_named("qwen2.5-coder-7b:Q4_K_M").bits_per_weight == pytest.approx(4.92, abs=0.01)
