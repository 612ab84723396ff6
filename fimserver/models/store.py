"""Turn the setting that names a model into the path of a sound file on this machine.

A setting is empty (the embedded model), a path, the name of an installed model, or an id of the catalogue. Nothing is
downloaded here: what is missing is named together with the command that gets it.
"""

import hashlib
import os
import re
from collections.abc import Sequence
from dataclasses import replace
from fnmatch import fnmatch
from functools import cache
from importlib import resources
from pathlib import Path

from fimserver.errors import ModelBroken, ModelMissing
from fimserver.models.catalogue import Choice, catalogue, choice_named, usual_file
from fimserver.models.found import InstalledModel, installed_models
from fimserver.models.gguf import Gguf, read_gguf

EMBEDDED_ID = "embedded"


def resolve(setting: str) -> Path:
    """Return the file that a setting names.

    Raises ModelMissing where there is none, ModelBroken where it is damaged or incomplete.
    """
    if setting in ("", EMBEDDED_ID):
        return embedded_model()
    path = _as_path(setting) or _installed(setting, installed_models())
    check_model(path)
    return path


def check_model(path: Path) -> Gguf:
    """Return the header of a model all of whose parts are there and sound, as if they were one file.

    Raises ModelMissing or ModelBroken.
    """
    gguf = _read(path, path.stat().st_mtime_ns if path.exists() else 0)
    later = [_later_part(part, path) for part in _parts(gguf)[1:]]
    if not later:
        return gguf
    return replace(
        gguf,
        file_bytes=sum(part.file_bytes for part in (gguf, *later)),
        tensors=tuple(tensor for part in (gguf, *later) for tensor in part.tensors),
    )


def _later_part(part: Path, first: Path) -> Gguf:
    if not part.exists():
        raise ModelMissing(
            f"{first.name} is one of several parts of a model, and {part.name} is not beside it. "
            f"Download all parts into one folder."
        )
    return read_gguf(part)


_EMBEDDED = Path(str(resources.files("fimserver.models") / "embedded"))


def embedded_model(folder: Path = _EMBEDDED) -> Path:
    """Return the model that comes with the package. Raises ModelBroken where its bytes are not those we ship."""
    expected, name = (folder / "SHA256SUMS").read_text("ascii").split()
    path = folder / name
    try:
        found = _sha256(path, path.stat().st_mtime_ns)
    except OSError as error:
        raise ModelMissing(f"The embedded model {path} cannot be read: {error.strerror}. {_REINSTALL}") from error
    if found != expected:
        raise ModelBroken(f"The embedded model {path} is not the one we ship. {_REINSTALL}")
    return path


_REINSTALL = "Install again: pip install --force-reinstall fimserver"


@cache
def _sha256(path: Path, _changed_ns: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@cache
def _read(path: Path, _changed_ns: int) -> Gguf:
    return read_gguf(path)


def _as_path(setting: str) -> Path | None:
    """Return the file a setting names by its path, None where it is no path. Raises ModelMissing."""
    looks_like_path = setting.endswith(".gguf") or os.sep in setting or setting.startswith("~")
    path = Path(setting).expanduser()
    if path.is_file():
        return path.absolute()
    if path.is_dir():
        raise ModelMissing(f"{path} is a folder. Name the GGUF file in it.")
    if looks_like_path:
        raise ModelMissing(f"There is no model file {path}. Choose another, or get one: fimserver models")
    return None


def _installed(setting: str, installed: Sequence[InstalledModel]) -> Path:
    """Return the installed file of a model's name or catalogue id. Raises ModelMissing."""
    named = next((model.path for model in installed if model.name.lower() == setting.lower()), None)
    if named is not None:
        return named
    found = next((path for choice in _acceptable(setting) if (path := file_of(choice, installed))), None)
    if found is None:
        choice = choice_named(setting)
        raise ModelMissing(f"The model {choice.id} is not on this machine. Get it with: fimserver pull {setting}")
    return found


def _acceptable(setting: str) -> list[Choice]:
    """Return the files that an id stands for: the named quantisation, or any, the usual one first."""
    model = catalogue().get(setting.lower())
    if model is None or not model.files:
        return [choice_named(setting)]
    usual = usual_file(model)
    return [Choice(model, file) for file in sorted(model.files, key=lambda file: file is not usual)]


def file_of(choice: Choice, installed: Sequence[InstalledModel]) -> Path | None:
    """Return where a catalogue's file lies, if some program has it: files keep their publisher's names."""
    pattern = choice.file.name.lower()
    return next((model.path for model in installed if fnmatch(model.path.name.lower(), pattern)), None)


_PART = re.compile(r"-(\d{5})-of-(\d{5})\.gguf$")


def _parts(gguf: Gguf) -> list[Path]:
    """Return the files a model consists of, in order. Raises ModelBroken where this is not the first of them."""
    match = _PART.search(gguf.path.name)
    if match is None:
        return [gguf.path]
    stem, count = gguf.path.name[: match.start()], match[2]
    parts = [gguf.path.with_name(f"{stem}-{number:05}-of-{count}.gguf") for number in range(1, int(count) + 1)]
    if match[1] != "00001":
        raise ModelBroken(f"{gguf.path.name} is a later part of a split model. Name its first part: {parts[0]}")
    return parts
