"""Turn a source file's path into the path of a new file for its tests, and the framework to write them with."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from fimserver.errors import EditRefused


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file that is not there yet, and what its tests are written with."""

    path: Path
    framework: str


_JAVASCRIPT = (".js", ".mjs", ".cjs", ".jsx", ".ts", ".tsx")

# By a file's ending: the name of its test, and the framework.
_NAMES: Mapping[str, tuple[str, str]] = {
    ".py": ("test_{stem}.py", "pytest"),
    ".go": ("{stem}_test.go", "Go's testing package"),
    ".java": ("{stem}Test.java", "JUnit 5"),
    ".cs": ("{stem}Tests.cs", "xUnit"),
    ".php": ("{stem}Test.php", "PHPUnit"),
    ".rs": ("{stem}_test.rs", "Rust's #[test]"),
    ".c": ("test_{stem}.c", "assert.h and a main function"),
    ".cpp": ("test_{stem}.cpp", "cassert and a main function"),
    ".cc": ("test_{stem}.cc", "cassert and a main function"),
    **{ending: ("{stem}.test" + ending, "node:test") for ending in _JAVASCRIPT},
}

# Of the frameworks for JavaScript the first that the project's package.json names.
_OF_PACKAGE = {"vitest": "Vitest", "jest": "Jest", "mocha": "Mocha"}

# Tests of these stand in a folder of their own, where the project has one.
_IN_FOLDER = frozenset({".py", ".php", ".rs", ".c", ".cpp", ".cc"})


def file_for_tests(path: Path, name: str, root: Path) -> NewFile:
    """Return the file for tests of `name`, which is defined in the file at a path.

    Raises EditRefused where that language's tests are not known here, or both names for them are taken.
    """
    if path.suffix not in _NAMES:
        raise EditRefused(f"How tests of {path.name} are named is not known here.")
    form, framework = _NAMES[path.suffix]
    folder = _folder(path, root)
    stems = dict.fromkeys((path.stem, f"{path.stem}_{name}" if name else path.stem))
    free = (folder / form.format(stem=stem) for stem in stems)
    found = next((candidate for candidate in free if not candidate.exists()), None)
    if found is None:
        raise EditRefused(f"There are tests of {name or path.name} in {folder} already.")
    of_package = _framework_of_package(path, root) if path.suffix in _JAVASCRIPT else ""
    return NewFile(found, of_package or framework)


def _folder(path: Path, root: Path) -> Path:
    if path.suffix == ".java":
        return Path(path.parent.as_posix().replace("/src/main/java", "/src/test/java"))
    if path.suffix in _IN_FOLDER:
        return next((folder / "tests" for folder in _up_to(path, root) if (folder / "tests").is_dir()), path.parent)
    return path.parent / "__tests__" if (path.parent / "__tests__").is_dir() else path.parent


def _framework_of_package(path: Path, root: Path) -> str:
    """Return the framework that the nearest package.json names, if any."""
    for folder in _up_to(path, root):
        try:
            text = (folder / "package.json").read_text("utf-8")
        except (OSError, UnicodeDecodeError):
            continue
        return next((title for key, title in _OF_PACKAGE.items() if json.dumps(key) in text), "")
    return ""


def _up_to(path: Path, root: Path) -> Iterator[Path]:
    for folder in path.parents:
        yield folder
        if folder == root:
            return
