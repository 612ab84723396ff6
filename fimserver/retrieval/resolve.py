"""Turn an import into the workspace files that it may name, most likely first; none for a library's.

Only the file system is asked, plus the index for "which files have this name"; no build is run and no manifest beyond
the lines that give a package its name is read. Each language has one function of the table at the end.
"""

import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from fimserver.retrieval.aliases import path_aliases, usual_aliases
from fimserver.retrieval.imports import Import
from fimserver.retrieval.manifests import CARGO_NAME, GO_MODULE, JSON_NAME, manifest_name
from fimserver.retrieval.places import root_of

# A package with more files than this cannot be read for one prompt.
_MOST_FILES = 40


@dataclass(frozen=True, slots=True)
class Workspace:
    """Where files are looked for. `named` returns all indexed files with a name."""

    roots: tuple[Path, ...]
    named: Callable[[str], Sequence[Path]]

    def ancestors(self, path: Path) -> Iterator[Path]:
        """Yield the folders above a path, nearest first, up to its root."""
        root = root_of(path, self.roots)
        for folder in path.parents:
            if root is None or not folder.is_relative_to(root):
                return
            yield folder

    def ending_with(self, tail: str) -> Iterator[Path]:
        """Yield the indexed files whose path ends with these parts."""
        return (path for path in self.named(tail.rpartition("/")[2]) if path.as_posix().endswith(f"/{tail}"))


def files_of(wanted: Import, path: Path, language: str, workspace: Workspace) -> list[Path]:
    """Return the files an import in a file may name."""
    resolve = _RESOLVERS.get(language)
    found = resolve(wanted, path, workspace) if resolve else ()
    return [file for file in islice(dict.fromkeys(found), _MOST_FILES) if file != path]


def _python(wanted: Import, path: Path, workspace: Workspace) -> Iterator[Path]:
    dots = len(wanted.module) - len(wanted.module.lstrip("."))
    parts = [part for part in wanted.module[dots:].split(".") if part]
    if dots:
        bases: Iterable[Path] = path.parents[dots - 1 : dots]
    else:
        above = list(workspace.ancestors(path))
        inside_packages = [folder for folder in above if not (folder / "__init__.py").exists()]
        packages = [root.parent for root in workspace.roots if (root / "__init__.py").exists()]
        below = [root / name for root in workspace.roots for name in ("src", "lib", "python")]
        bases = [*inside_packages, *workspace.roots, *packages, *below]
    for base in bases:
        module = base.joinpath(*parts)
        found = [file for name, _ in wanted.names for file in _python_module(module / name)]
        found += _python_module(module)
        if found:
            yield from found
            return


def _python_module(module: Path) -> list[Path]:
    candidates = (module.with_name(f"{module.name}.py"), module / "__init__.py", module.with_name(f"{module.name}.pyi"))
    return [candidate for candidate in candidates if candidate.is_file()][:1]


_SCRIPT_ENDINGS = (".ts", ".tsx", ".d.ts", ".js", ".jsx", ".mjs", ".cjs", ".mts", ".cts")


def _javascript(wanted: Import, path: Path, workspace: Workspace) -> Iterator[Path]:
    if wanted.module.startswith("."):
        yield from _script(Path(os.path.normpath(path.parent / wanted.module)))
        return
    for folder in workspace.ancestors(path):
        for target in (*path_aliases(folder, wanted.module), *usual_aliases(folder, wanted.module)):
            yield from _script(target)
    for manifest in workspace.named("package.json"):
        name = manifest_name(manifest, JSON_NAME)
        if name and (wanted.module == name or wanted.module.startswith(f"{name}/")):
            below = wanted.module[len(name) + 1 :]
            for start in ("", "src", "lib"):
                yield from _script(manifest.parent / start / below)


def _script(module: Path) -> Iterator[Path]:
    """Yield the script a path means: itself, with an ending, with another ending, or a folder's index."""
    stem = re.sub(r"\.[cm]?jsx?$", "", module.name)
    names = [module.name, *(f"{name}{end}" for name in dict.fromkeys((module.name, stem)) for end in _SCRIPT_ENDINGS)]
    candidates = [module.with_name(name) for name in names if name]
    candidates += [module / f"index{end}" for end in _SCRIPT_ENDINGS]
    yield from islice((candidate for candidate in candidates if candidate.is_file()), 1)


def _go(wanted: Import, path: Path, workspace: Workspace) -> Iterator[Path]:
    manifests = [folder / "go.mod" for folder in workspace.ancestors(path)]
    for manifest in [*manifests, *workspace.named("go.mod")]:
        module = manifest_name(manifest, GO_MODULE)
        if module and (wanted.module == module or wanted.module.startswith(f"{module}/")):
            yield from files_in(manifest.parent / wanted.module[len(module) + 1 :], ".go", without="_test.go")
            return


def _rust(wanted: Import, path: Path, workspace: Workspace) -> Iterator[Path]:
    parts = [*wanted.module.split("::"), *(name for name, _ in wanted.names)]
    base = _rust_base(parts, path, workspace)
    if base is not None:
        folder, own, rest = base
        yield from _rust_module(folder, own, rest)


def _rust_base(parts: list[str], path: Path, workspace: Workspace) -> tuple[Path, Path | None, list[str]] | None:
    """Return where a path of modules starts: the folder of its submodules, its own file, and the parts that remain."""
    parts = [part for part in parts if part]
    submodules = path.parent if path.stem in ("mod", "lib", "main") else path.with_suffix("")
    if parts[:1] == ["self"]:
        return submodules, path, parts[1:]
    if parts[:1] == ["super"]:
        ups = next((index for index, part in enumerate(parts) if part != "super"), len(parts))
        folder = submodules.parents[ups - 1]
        return folder, _rust_file(folder), parts[ups:]
    source = next((folder / "src" for folder in workspace.ancestors(path) if (folder / "Cargo.toml").exists()), None)
    if parts[:1] == ["crate"] and source is not None:
        return source, _rust_file(source), parts[1:]
    for manifest in workspace.named("Cargo.toml"):
        name = manifest_name(manifest, CARGO_NAME)
        if name and parts and name.replace("-", "_") == parts[0]:
            return manifest.parent / "src", manifest.parent / "src" / "lib.rs", parts[1:]
    # A path may begin at a submodule, or, in the 2015 edition, at the crate's root.
    starts = [folder for folder in (submodules, source) if folder and parts and _rust_file(folder / parts[0])]
    return (starts[0], None, parts) if starts else None


def _rust_module(folder: Path, own: Path | None, parts: list[str]) -> Iterator[Path]:
    """Yield the file of the deepest module on a path, then those above it, which may define or re-export the name."""
    found = [own] if own and own.is_file() else []
    for part in parts:
        folder /= part
        file = _rust_file(folder)
        if file is None:
            break
        found.append(file)
    yield from reversed(found[-2:])


def _rust_file(folder: Path) -> Path | None:
    """Return the file of the module whose submodules stand in a folder."""
    candidates = (folder.with_suffix(".rs"), *(folder / name for name in ("mod.rs", "lib.rs", "main.rs")))
    return next((candidate for candidate in candidates if candidate.is_file()), None)


def _java(wanted: Import, path: Path, workspace: Workspace) -> Iterator[Path]:
    parts = wanted.module.split(".")
    for length in (len(parts), len(parts) - 1):  # the last part may be a class inside the file's
        tail = "/".join(parts[:length])
        for folder in workspace.ancestors(path):
            if (folder / f"{tail}.java").is_file():
                yield folder / f"{tail}.java"
                return
        found = list(workspace.ending_with(f"{tail}.java"))
        if found:
            yield from found
            return
    if wanted.star:
        for folder in workspace.ancestors(path):
            yield from files_in(folder / "/".join(parts), ".java")


def _csharp(wanted: Import, path: Path, workspace: Workspace) -> Iterator[Path]:
    """Yield the files of the folder that is named as a namespace is: `Shop.Till` is Shop.Till, Shop/Till or Till."""
    parts = wanted.module.split(".")
    dotted = ["/".join((".".join(parts[:size]), *parts[size:])) for size in range(len(parts), 0, -1)]
    for name in (*dotted, *_endings_of(parts)):
        for folder in workspace.ancestors(path):
            if found := files_in(folder / name, ".cs"):
                yield from found
                return


def _php(wanted: Import, path: Path, workspace: Workspace) -> Iterator[Path]:  # noqa: ARG001
    """Yield the file that is named as a class is, its folders as its namespace: the beginning may be another folder."""
    parts = wanted.module.split("\\")
    for name in ("/".join(parts), *_endings_of(parts)):
        if found := list(workspace.ending_with(f"{name}.php")):
            yield from found
            return


def _endings_of(parts: Sequence[str]) -> Iterator[str]:
    """Yield the shorter paths that a dotted name may have; of a long name's last part alone any library has one."""
    for start in range(1, max(len(parts) - 1, min(len(parts), 2))):
        yield "/".join(parts[start:])


def _c(wanted: Import, path: Path, workspace: Workspace) -> Iterator[Path]:
    for folder in workspace.ancestors(path):
        for base in (folder, folder / "include", folder / "src"):
            candidate = Path(os.path.normpath(base / wanted.module))
            if candidate.is_file():
                yield candidate
                return
    yield from islice(workspace.ending_with(os.path.normpath(wanted.module).replace(os.sep, "/").lstrip("./")), 3)


def files_in(folder: Path, ending: str, *, without: str = "\0") -> list[Path]:
    """Return the files of a folder whose names have this ending and not the other."""
    try:
        paths = sorted(folder.iterdir())
    except OSError:
        return []
    return [path for path in paths if path.name.endswith(ending) and not path.name.endswith(without)]


_RESOLVERS: dict[str, Callable[[Import, Path, Workspace], Iterator[Path]]] = {
    "python": _python,
    "javascript": _javascript,
    "javascriptreact": _javascript,
    "typescript": _javascript,
    "typescriptreact": _javascript,
    "go": _go,
    "rust": _rust,
    "java": _java,
    "csharp": _csharp,
    "php": _php,
    "c": _c,
    "cpp": _c,
}
