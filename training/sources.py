"""Turn Python's own library and installed packages into the source files that one may learn from."""

import sys
import sysconfig
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from email.message import Message
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import cast

from training.licences import permissive_licence

# All versions of the standard library share one name, so a file falls on the same side of the split in each of them.
# The number is that of the first model's corpus: its held-out files stay held out.
STANDARD_LIBRARY = "cpython-3.11"
_STANDARD_LIBRARY_LICENCE = "PSF-2.0"


@dataclass(frozen=True, slots=True)
class Package:
    """A package that may be learnt from. `files` maps paths inside it to places on disk."""

    name: str
    version: str
    licence: str
    files: Mapping[str, Path] = field(repr=False)


def standard_library(folder: Path | None = None) -> Package:
    """Return the running Python's library, or the one in a folder like `/usr/lib/python3.13`."""
    root = folder or Path(sysconfig.get_paths()["stdlib"])
    version = root.name.removeprefix("python") if folder else "{}.{}.{}".format(*sys.version_info)
    paths = (path for path in sorted(root.rglob("*.py")) if not _is_bundled(path.relative_to(root)))
    return Package(
        STANDARD_LIBRARY,
        version,
        _STANDARD_LIBRARY_LICENCE,
        {path.relative_to(root).as_posix(): path for path in paths},
    )


def installed(folders: Iterable[Path]) -> tuple[list[Package], dict[str, str]]:
    """Return the permissive packages of `site-packages` folders, and the licence of each that was refused."""
    packages: dict[str, Package] = {}
    refused: dict[str, str] = {}
    for distribution in _distributions(folders):
        name = _name(distribution)
        licence = permissive_licence(_metadata(distribution))
        if not licence:
            refused[name] = _as_worded(distribution)
        elif name not in packages:
            packages[name] = Package(name, distribution.version, licence, dict(_python_files(distribution)))
    return list(packages.values()), refused


def _distributions(folders: Iterable[Path]) -> Iterator[Distribution]:
    for folder in folders:
        yield from sorted(distributions(path=[str(folder)]), key=_name)


def _python_files(distribution: Distribution) -> Iterator[tuple[str, Path]]:
    for path in sorted(map(str, distribution.files or ())):
        if path.endswith(".py"):
            yield path, Path(str(distribution.locate_file(path)))


def _name(distribution: Distribution) -> str:
    return str(distribution.metadata["Name"]).lower().replace("_", "-")


def _metadata(distribution: Distribution) -> Message:
    """Return the metadata as what it is: the library's own type promises less."""
    return cast("Message", distribution.metadata)


def _as_worded(distribution: Distribution) -> str:
    metadata = _metadata(distribution)
    classifiers = [line for line in metadata.get_all("Classifier") or [] if line.startswith("License ::")]
    first = str(metadata.get("License") or "").split("\n")[0][:80]
    return str(metadata.get("License-Expression") or "; ".join(classifiers) or first)


def _is_bundled(path: Path) -> bool:
    return path.parts[0] == "site-packages" or path.parts[:2] == ("ensurepip", "_bundled")
