"""A GPU that llama.cpp was not built for is named, with the options that llama-cpp-python really has."""

import platform
from importlib.metadata import metadata, version
from pathlib import Path

import pytest

from fimserver.cli import gpu_hint
from fimserver.cli.gpu_hint import BUILDS
from fimserver.cli.installing import build_llama_again, install_command


@pytest.fixture(autouse=True)
def root(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine without any GPU, on whatever machine the tests run."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(gpu_hint, "gpu_backend", lambda: "")
    monkeypatch.setattr(platform, "system", lambda: "Linux")
    return tmp_path


def put(path: Path, text: str = "") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o700)


@pytest.mark.parametrize(
    ("files", "seen", "option"),
    [
        pytest.param({"bin/nvidia-smi": ""}, "an NVIDIA GPU", "-DGGML_CUDA=on", id="the driver's program"),
        pytest.param({"proc/driver/nvidia/version": ""}, "an NVIDIA GPU", "-DGGML_CUDA=on", id="the driver alone"),
        pytest.param(
            {"sys/class/drm/card0/device/vendor": "0x1002\n"}, "a GPU of AMD", "-DGGML_VULKAN=on", id="a card of AMD"
        ),
        pytest.param(
            {"sys/class/drm/card1/device/vendor": "0x8086\n"}, "a GPU of Intel", "-DGGML_VULKAN=on", id="one of Intel"
        ),
        pytest.param(
            {"bin/nvidia-smi": "", "sys/class/drm/card0/device/vendor": "0x8086\n"},
            "an NVIDIA GPU",
            "-DGGML_CUDA=on",
            id="of two the quicker one",
        ),
    ],
)
def test_a_gpu_that_is_seen(root: Path, files: dict[str, str], seen: str, option: str) -> None:
    for name, text in files.items():
        put(root / name, text)
    found, command = gpu_hint.gpu_hint(root)
    assert found.startswith(seen)
    assert command.startswith(f'CMAKE_ARGS="{option}" ')


def test_apples_chips_have_one(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    monkeypatch.setattr(platform, "machine", lambda: "arm64")
    assert "-DGGML_METAL=on" in gpu_hint.gpu_hint(root)[1]


@pytest.mark.parametrize("vendor", ["0x1af4\n", "", "\xff"])
def test_without_one_there_is_no_hint(root: Path, vendor: str) -> None:
    put(root / "sys/class/drm/card0/device/vendor", vendor)
    assert gpu_hint.gpu_hint(root) == ("none seen; the processor computes", "")


def test_a_build_that_uses_one_needs_no_hint(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(root / "bin/nvidia-smi")
    monkeypatch.setattr(gpu_hint, "gpu_backend", lambda: "CUDA")
    assert gpu_hint.gpu_hint(root) == ("llama.cpp is built for CUDA", "")


@pytest.mark.parametrize("build", BUILDS, ids=lambda build: build.name)
def test_the_option_is_one_that_llama_cpp_python_documents(build: gpu_hint.Build) -> None:
    readme = metadata("llama-cpp-python").get_payload()
    assert f'CMAKE_ARGS="{build.option}=on" pip install llama-cpp-python' in str(readme)


def test_what_is_built_anew_is_the_version_that_is_here() -> None:
    wanted = f"llama-cpp-python=={version('llama-cpp-python')}"
    assert build_llama_again().endswith(f"--force-reinstall --no-cache-dir --no-binary llama-cpp-python {wanted}")


@pytest.mark.parametrize(
    ("mark", "begins"),
    [
        pytest.param("pipx_metadata.json", "pipx runpip fimserver install", id="pipx has its own way in"),
        pytest.param("uv-receipt.toml", "uv pip install --python ", id="uv's environments have no pip"),
    ],
)
def test_the_command_is_that_of_whatever_made_the_environment(root: Path, mark: str, begins: str) -> None:
    put(root / mark)
    assert install_command(root).startswith(begins)
