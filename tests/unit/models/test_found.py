"""Models that other programs have downloaded are found where those programs keep them."""

import json
import sys
from pathlib import Path

import pytest

from fimserver.models.found import InstalledModel, installed_models

DIGEST = "a" * 64


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FIMSERVER_HOME", str(tmp_path / "ours"))
    return tmp_path / "home"


def put(path: Path, content: bytes = b"GGUF") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def found(home: Path, **environment: str) -> dict[str, str]:
    return {model.name: model.program for model in installed_models(home, environment)}


PLACES = {
    "Hugging Face": ".cache/huggingface/hub/models--o--r/snapshots/abc/qwen.gguf",
    "LM Studio": ".lmstudio/models/o/r/qwen.gguf",
    "Ollama": ".ollama/models",
}


@pytest.mark.parametrize(("program", "place"), [item for item in PLACES.items() if item[0] != "Ollama"])
def test_usual_place(home: Path, program: str, place: str) -> None:
    put(home / place)
    assert found(home) == {"qwen": program}


@pytest.mark.skipif(sys.platform != "linux", reason="the folder differs by system")
def test_usual_place_of_llama_cpp(home: Path) -> None:
    put(home / ".cache/llama.cpp/qwen.gguf")
    assert found(home) == {"qwen": "llama.cpp"}


def test_our_own_folder_comes_first(home: Path, tmp_path: Path) -> None:
    ours = put(tmp_path / "ours" / "models" / "o" / "r" / "mine.gguf", b"GGUF!")
    put(home / PLACES["LM Studio"])
    first = installed_models(home, {})[0]
    assert first == InstalledModel("mine", ours, "fimserver", 5)


def test_environment_variables_move_the_folders(home: Path, tmp_path: Path) -> None:
    put(tmp_path / "hub" / "models--o--r" / "snapshots" / "abc" / "a.gguf")
    put(tmp_path / "hf" / "hub" / "models--o--r" / "snapshots" / "abc" / "b.gguf")
    put(tmp_path / "llama" / "c.gguf")
    assert found(home, HF_HUB_CACHE=str(tmp_path / "hub")) == {"a": "Hugging Face"}
    assert found(home, HF_HOME=str(tmp_path / "hf")) == {"b": "Hugging Face"}
    assert found(home, LLAMA_CACHE=str(tmp_path / "llama")) == {"c": "llama.cpp"}


def test_a_file_linked_from_two_places_is_listed_once(home: Path) -> None:
    blob = put(home / ".cache/huggingface/hub/models--o--r/blobs/123")
    link = home / ".cache/huggingface/hub/models--o--r/snapshots/abc/qwen.gguf"
    link.parent.mkdir(parents=True)
    link.symlink_to(blob)
    other = home / ".lmstudio/models/o/r/renamed.gguf"
    other.parent.mkdir(parents=True)
    other.symlink_to(blob)
    assert found(home) == {"qwen": "Hugging Face"}


@pytest.mark.parametrize(
    "name", ["m-00002-of-00003.gguf", "mmproj-model.gguf", "model.mmproj.gguf", "imatrix.gguf", "a.bin"]
)
def test_what_cannot_be_loaded_by_itself_is_left_out(home: Path, name: str) -> None:
    put(home / ".lmstudio/models/o/r" / name)
    assert found(home) == {}


def test_the_first_part_of_a_split_model_is_listed(home: Path) -> None:
    put(home / ".lmstudio/models/o/r/m-00001-of-00003.gguf")
    assert found(home) == {"m-00001-of-00003": "LM Studio"}


def ollama(home: Path, manifest: object, *, blob: bool = True) -> dict[str, str]:
    folder = home / ".ollama/models"
    if blob:
        put(folder / "blobs" / f"sha256-{DIGEST}")
    put(folder / "manifests/registry.ollama.ai/library/qwen2.5-coder/1.5b-base", json.dumps(manifest).encode())
    return found(home)


def layers(digest: object, kind: str = "application/vnd.ollama.image.model") -> object:
    return {"layers": [{"mediaType": "application/vnd.ollama.image.license"}, {"mediaType": kind, "digest": digest}]}


def test_ollamas_models_have_the_names_ollama_gives_them(home: Path) -> None:
    assert ollama(home, layers(f"sha256:{DIGEST}")) == {"ollama:qwen2.5-coder:1.5b-base": "Ollama"}


STRANGE = {
    "a digest that climbs out of the folder": layers("sha256:../../../../etc/passwd"),
    "a digest that is too short": layers("sha256:abc"),
    "a digest that is no text": layers(7),
    "an adapter alone": layers(f"sha256:{DIGEST}", "application/vnd.ollama.image.adapter"),
    "no layers": {"layers": []},
    "layers that are no list": {"layers": 5},
    "no manifest": [],
}


@pytest.mark.parametrize("manifest", STRANGE.values(), ids=STRANGE)
def test_an_ollama_manifest_names_nothing_with(home: Path, manifest: object) -> None:
    assert ollama(home, manifest) == {}


def test_an_ollama_manifest_whose_weights_are_gone_names_nothing(home: Path) -> None:
    assert ollama(home, layers(f"sha256:{DIGEST}"), blob=False) == {}


def test_an_ollama_manifest_that_is_not_json_names_nothing(home: Path) -> None:
    put(home / ".ollama/models/manifests/registry.ollama.ai/library/q/latest", b"\xff\xfe")
    assert found(home) == {}


def test_a_machine_without_models(home: Path) -> None:
    assert found(home) == {}
