"""Turn the folders in which programs keep their models into a list of GGUF files that can be used in place.

Nothing is copied or changed. Files of other programs are named by their path; Ollama's, whose files have digests for
names, by the name under which it knows them.
"""

import json
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from fimserver.files import models_folder


@dataclass(frozen=True, slots=True)
class InstalledModel:
    """A model file on this machine. `name` is what `fimserver use` takes, and is unique within its program."""

    name: str
    path: Path
    program: str
    bytes: int


# The later parts of a split model, and the halves of multimodal ones, cannot be loaded by themselves.
_LATER_PART = re.compile(r"-(?!00001-of-)\d{5}-of-\d{5}\.gguf$")
_NOT_A_MODEL = re.compile(r"(^|[-.])(mmproj|imatrix)", re.IGNORECASE)

_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")
_OLLAMA_MODEL = "application/vnd.ollama.image.model"

# A manifest lists a handful of layers; one of a megabyte is none.
_LARGEST_MANIFEST_BYTES = 1_000_000


def installed_models(home: Path | None = None, environment: Mapping[str, str] = os.environ) -> list[InstalledModel]:
    """Return the models of every program, ours first; each file once, by where it really lies."""
    found: dict[Path, InstalledModel] = {}
    for program, look in _PROGRAMS.items():
        for model in look(program, home or Path.home(), environment):
            found.setdefault(model.path.resolve(), model)
    return list(found.values())


def _ours(program: str, _home: Path, _environment: Mapping[str, str]) -> Iterator[InstalledModel]:
    yield from _files_below(models_folder(), program)


def _hugging_face(program: str, home: Path, environment: Mapping[str, str]) -> Iterator[InstalledModel]:
    cache = Path(environment.get("XDG_CACHE_HOME") or home / ".cache")
    hub = environment.get("HF_HUB_CACHE") or Path(environment.get("HF_HOME") or cache / "huggingface") / "hub"
    for snapshots in _folders(Path(hub), "models--*/snapshots"):
        yield from _files_below(snapshots, program)


def _lm_studio(program: str, home: Path, _environment: Mapping[str, str]) -> Iterator[InstalledModel]:
    for folder in (home / ".lmstudio" / "models", home / ".cache" / "lm-studio" / "models"):
        yield from _files_below(folder, program)


def _llama_cpp(program: str, home: Path, environment: Mapping[str, str]) -> Iterator[InstalledModel]:
    usual = {
        "darwin": home / "Library" / "Caches",
        "win32": Path(environment.get("LOCALAPPDATA") or home / "AppData" / "Local"),
    }.get(sys.platform, Path(environment.get("XDG_CACHE_HOME") or home / ".cache"))
    yield from _files_below(Path(environment.get("LLAMA_CACHE") or usual / "llama.cpp"), program)


def _ollama(program: str, home: Path, environment: Mapping[str, str]) -> Iterator[InstalledModel]:
    service = Path("/usr/share/ollama/.ollama/models")  # where its Linux package keeps them
    folders = (
        [Path(environment["OLLAMA_MODELS"])]
        if environment.get("OLLAMA_MODELS")
        else [home / ".ollama" / "models", service]
    )
    for folder in folders:
        for manifest in _entries(folder / "manifests", "*/*/*/*"):
            blob = _ollama_blob(manifest, folder)
            if blob is not None:
                name = f"{manifest.parent.name}:{manifest.name}"
                yield InstalledModel(f"ollama:{name}", blob, program, blob.stat().st_size)


def _ollama_blob(manifest: Path, folder: Path) -> Path | None:
    """Return the file of a manifest's weights. A digest is used as a path only if it is nothing but a digest."""
    try:
        if manifest.stat().st_size > _LARGEST_MANIFEST_BYTES:
            return None
        layers = json.loads(manifest.read_bytes())["layers"]
        digests = [layer["digest"] for layer in layers if layer["mediaType"] == _OLLAMA_MODEL]
    except (OSError, ValueError, KeyError, TypeError):  # not a manifest, or not of a kind we know
        return None
    match = _DIGEST.fullmatch(digests[0]) if digests and isinstance(digests[0], str) else None
    blob = folder / "blobs" / f"sha256-{match[1]}" if match else None
    return blob if blob is not None and blob.is_file() else None


_PROGRAMS: Mapping[str, Callable[[str, Path, Mapping[str, str]], Iterator[InstalledModel]]] = {
    "fimserver": _ours,
    "Hugging Face": _hugging_face,
    "LM Studio": _lm_studio,
    "llama.cpp": _llama_cpp,
    "Ollama": _ollama,
}


def _files_below(folder: Path, program: str) -> Iterator[InstalledModel]:
    for path in _entries(folder, "**/*.gguf"):
        if path.is_file() and not _LATER_PART.search(path.name) and not _NOT_A_MODEL.search(path.name):
            yield InstalledModel(path.name.removesuffix(".gguf"), path, program, path.stat().st_size)


def _folders(folder: Path, pattern: str) -> Iterator[Path]:
    return (entry for entry in _entries(folder, pattern) if entry.is_dir())


def _entries(folder: Path, pattern: str) -> Iterator[Path]:
    """Yield what matches, in order. What cannot be read is not there."""
    try:
        yield from sorted(folder.glob(pattern))
    except OSError:
        return
