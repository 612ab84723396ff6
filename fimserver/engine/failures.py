"""Turn a model that cannot be loaded into the sentence its user needs."""

from pathlib import Path

from fimserver.errors import EngineUnavailable, ModelBroken, ModelMissing

# What llama.cpp writes where memory is short, in its own words and in C++'s.
_MEMORY_WORDS = ("failed to allocate", "unable to allocate", "bad_alloc", "out of memory", "mmap failed")


class ContextTooLarge(EngineUnavailable):
    """The model is loaded, but there is no memory for a context of that size."""


def check_model_file(path: Path) -> None:
    """Raise ModelMissing where the file cannot be read, ModelBroken where it is not a GGUF."""
    try:
        with path.open("rb") as file:
            magic = file.read(4)
    except OSError as error:
        raise ModelMissing(
            f"The model file {path} cannot be read: {error.strerror or error}. Choose another: fimserver models"
        ) from error
    if magic != b"GGUF":
        raise ModelBroken(f"{path} is not a GGUF file. Download the model again, or choose another: fimserver models")


def load_failure(path: Path, words: str) -> ModelBroken | EngineUnavailable:
    """Return the error for a GGUF that llama.cpp did not load, from its last words."""
    if "unknown model architecture" in words:
        return ModelBroken(
            f"This llama.cpp does not know the architecture of {path}: {words}. "
            f"Choose another model: fimserver models; or update: pip install --upgrade llama-cpp-python"
        )
    if any(sign in words for sign in _MEMORY_WORDS):
        return EngineUnavailable(
            f"There is not enough memory to load {path}: {words}. Choose a smaller model: fimserver models"
        )
    return ModelBroken(f"{path} cannot be loaded: {words}. Download it again, or choose another: fimserver models")


def context_failure(path: Path, cells: int, words: str) -> ContextTooLarge:
    """Return the error for a context that llama.cpp did not make."""
    return ContextTooLarge(
        f"There is not enough memory for a context of {cells} tokens with {path.name} ({words}). "
        f"Lower engine.context_tokens, or choose a smaller model: fimserver models"
    )
