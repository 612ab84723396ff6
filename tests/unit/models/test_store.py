"""What the setting may name, and the sentence for what is not there."""

from pathlib import Path

import pytest

from fimserver.bench.gguf_file import TensorToWrite, write_gguf
from fimserver.errors import ModelBroken, ModelError, ModelMissing
from fimserver.models.store import check_model, embedded_model, resolve


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return our own folder of models on a machine that has no others."""
    monkeypatch.setenv("FIMSERVER_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in ("HF_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME", "LLAMA_CACHE", "OLLAMA_MODELS"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "models").mkdir()
    return tmp_path / "models"


def put(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_gguf(path, {"general.architecture": "qwen2"}, [])
    return path


def refusal(setting: str) -> str:
    with pytest.raises(ModelError) as caught:
        resolve(setting)
    return str(caught.value)


@pytest.mark.parametrize("setting", ["", "embedded"])
def test_the_embedded_model_is_the_default(setting: str) -> None:
    assert resolve(setting) == embedded_model()
    assert embedded_model().suffix == ".gguf"


def test_an_embedded_model_that_was_changed_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "SHA256SUMS").write_text(f"{'0' * 64}  other.gguf\n")
    put(tmp_path / "other.gguf")
    with pytest.raises(ModelBroken, match=r"is not the one we ship\. Install again: pip install"):
        embedded_model(tmp_path)
    (tmp_path / "other.gguf").unlink()
    with pytest.raises(ModelMissing, match="cannot be read: No such file"):
        embedded_model(tmp_path)


def test_a_path(models: Path, tmp_path: Path) -> None:
    path = put(tmp_path / "elsewhere" / "my.gguf")
    assert resolve(str(path)) == path


def test_a_path_in_the_home_folder(models: Path, tmp_path: Path) -> None:
    path = put(tmp_path / "home" / "my.gguf")
    assert resolve("~/my.gguf") == path


def test_a_path_without_the_usual_ending(models: Path, tmp_path: Path) -> None:
    path = put(tmp_path / "weights")
    assert resolve(str(path)) == path


def test_the_name_of_an_installed_model(models: Path) -> None:
    path = put(models / "o" / "r" / "house-style.gguf")
    assert resolve("house-style") == path
    assert resolve("House-Style") == path


def test_an_id_of_the_catalogue_finds_its_usual_file_first(models: Path) -> None:
    put(models / "o" / "r" / "Qwen2.5-Coder-1.5B.Q4_K_M.gguf")
    usual = put(models / "o" / "r" / "qwen2.5-coder-1.5b-q8_0.gguf")
    assert resolve("qwen2.5-coder-1.5b") == usual
    assert resolve("Qwen2.5-Coder-1.5B:Q8_0") == usual


def test_an_id_of_the_catalogue_takes_any_of_its_files(models: Path) -> None:
    path = put(models / "o" / "r" / "Qwen2.5-Coder-1.5B.Q4_K_M.gguf")
    assert resolve("qwen2.5-coder-1.5b") == path


def test_a_quantisation_that_is_named_must_be_that_one(models: Path) -> None:
    put(models / "o" / "r" / "Qwen2.5-Coder-1.5B.Q4_K_M.gguf")
    sentence = refusal("qwen2.5-coder-1.5b:Q8_0")
    assert "qwen2.5-coder-1.5b:Q8_0 is not on this machine" in sentence
    assert "fimserver pull qwen2.5-coder-1.5b:Q8_0" in sentence


def test_a_model_found_in_another_programs_folder_is_used_there(models: Path, tmp_path: Path) -> None:
    path = put(tmp_path / "home/.lmstudio/models/o/r/qwen2.5-coder-1.5b-q8_0.gguf")
    assert resolve("qwen2.5-coder-1.5b") == path


MISSING = {
    "an id that was not pulled": ("qwen2.5-coder-1.5b", "Get it with: fimserver pull qwen2.5-coder-1.5b"),
    "an unknown id": ("gpt-9", "There is no model 'gpt-9'"),
    "a path that leads nowhere": ("/no/such/model.gguf", "There is no model file /no/such/model.gguf"),
}


@pytest.mark.parametrize(("setting", "sentence"), MISSING.values(), ids=MISSING)
def test_missing(models: Path, setting: str, sentence: str) -> None:
    assert sentence in refusal(setting)


def test_a_folder_is_no_model(models: Path) -> None:
    assert "is a folder. Name the GGUF file in it." in refusal(str(models))


def test_a_file_that_is_no_model(models: Path, tmp_path: Path) -> None:
    path = tmp_path / "page.gguf"
    path.write_text("<html>404</html>")
    assert "does not begin with the letters GGUF" in refusal(str(path))


class TestSplitModels:
    def test_all_parts_must_be_there(self, models: Path) -> None:
        first = put(models / "m-00001-of-00003.gguf")
        put(models / "m-00002-of-00003.gguf")
        assert "m-00003-of-00003.gguf is not beside it" in refusal(str(first))

    def test_a_whole_one_is_named_by_its_first_part(self, models: Path) -> None:
        first = put(models / "m-00001-of-00002.gguf")
        put(models / "m-00002-of-00002.gguf")
        assert resolve(str(first)) == first

    def test_the_header_is_that_of_all_parts(self, models: Path) -> None:
        parts = [models / f"m-0000{number}-of-00002.gguf" for number in (1, 2)]
        for number, part in enumerate(parts):
            tensor = TensorToWrite(f"t{number}", (8,), "F32", lambda: [bytes(32)])
            write_gguf(part, {"general.architecture": "qwen2"}, [tensor])
        gguf = check_model(parts[0])
        assert gguf.file_bytes == sum(part.stat().st_size for part in parts)
        assert (gguf.parameters, [tensor.name for tensor in gguf.tensors]) == (16, ["t0", "t1"])

    def test_a_later_part_names_the_first(self, models: Path) -> None:
        put(models / "m-00001-of-00002.gguf")
        second = put(models / "m-00002-of-00002.gguf")
        assert f"Name its first part: {models / 'm-00001-of-00002.gguf'}" in refusal(str(second))

    def test_every_part_must_be_sound(self, models: Path) -> None:
        first = put(models / "m-00001-of-00002.gguf")
        (models / "m-00002-of-00002.gguf").write_bytes(b"GGUF")
        assert "m-00002-of-00002.gguf is no sound GGUF file" in refusal(str(first))


def test_a_file_that_was_replaced_is_read_again(models: Path) -> None:
    path = put(models / "m.gguf")
    assert check_model(path).architecture == "qwen2"
    path.write_bytes(b"no longer")
    assert "does not begin" in refusal(str(path))
