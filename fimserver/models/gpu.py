"""Turn the files of the installed llama.cpp into the kind of GPU it was built for, without loading it."""

from importlib.util import find_spec
from pathlib import Path

# By a part of the library's name: what people call it.
_BACKENDS = {"metal": "Metal", "cuda": "CUDA", "hip": "ROCm", "vulkan": "Vulkan", "sycl": "SYCL"}


def gpu_backend(folder: Path | None = None) -> str:
    """Return what llama.cpp computes with beside the processor, empty where it was built for that alone.

    `folder` is where its libraries are, by default that of llama-cpp-python.
    """
    folder = folder or _folder()
    libraries = [path.name.lower() for path in folder.glob("*ggml-*")] if folder else []
    return next((name for part, name in _BACKENDS.items() if any(f"ggml-{part}" in file for file in libraries)), "")


def _folder() -> Path | None:
    found = find_spec("llama_cpp")
    return Path(found.origin).parent / "lib" if found and found.origin else None
