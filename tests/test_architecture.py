"""The house as docs/architecture.md draws it: who may import whom, where a heavy library lives, how long a file is."""

import ast
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "fimserver"

# A module may import its own row or a lower one (a higher number here). The first matching prefix decides.
ROWS = (
    ("fimserver.lsp", 0),
    ("fimserver.cli", 0),
    ("fimserver.__main__", 0),
    ("fimserver.bench", 1),
    ("fimserver.complete", 2),
    ("fimserver.review", 2),
    ("fimserver.engine.client", 3),
    ("fimserver.engine.launch", 3),
    ("fimserver.engine.connection", 3),
    ("fimserver.engine.starting", 3),
    ("fimserver.engine.backoff", 3),
    ("fimserver.engine.remote", 3),
    ("fimserver.engine.remote_answer", 3),
    ("fimserver.engine.http", 3),
    ("fimserver.engine.dialects", 3),
    ("fimserver.engine.address", 3),
    ("fimserver.engine.fake", 3),
    ("fimserver.models", 3),
    ("fimserver.statistics", 4),
    ("fimserver.context", 4),
    ("fimserver.retrieval", 4),
    ("fimserver.prompt", 4),
    ("fimserver.syntax", 5),
    ("fimserver.workspace", 6),
    ("fimserver.settings", 6),
    ("fimserver.settings_file", 6),
    ("fimserver.files", 6),
    ("fimserver.logs", 6),
    ("fimserver.recent", 6),
    ("fimserver.engine.wire", 6),
    ("fimserver.engine.place", 6),
    ("fimserver.engine.encoding", 7),
    ("fimserver.engine.endings", 7),
    ("fimserver.engine.lock", 7),
    ("fimserver.engine.peer", 7),
    ("fimserver.values", 7),
    ("fimserver.text", 7),
    ("fimserver.errors", 7),
    ("fimserver.engine.interface", 7),
    ("fimserver", 7),
)

# The engine process may import these rows, and itself.
ENGINE_MAY_IMPORT = 6

HOMES = {
    "pygls": ("fimserver.lsp",),
    "lsprotocol": ("fimserver.lsp",),
    "llama_cpp": ("fimserver.engine.native",),
    "huggingface_hub": ("fimserver.models.hub",),
    "tree_sitter": ("fimserver.syntax",),
    "jinja2": ("fimserver.prompt.chat",),
    "click": ("fimserver.cli",),
    "rich": ("fimserver.cli",),
    "httpx2": ("fimserver.engine.http", "fimserver.models.hub"),
    "psutil": ("fimserver.models.hardware", "fimserver.engine.launch"),
    "pathspec": ("fimserver.retrieval.exclude",),
    "platformdirs": ("fimserver.files",),
    # numpy reads logits in the engine; the benchmark writes random weights with it.
    "numpy": ("fimserver.engine", "fimserver.bench"),
}

LONGEST_FILE_LINES = 400


def module_name(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def row(module: str) -> int:
    return next(number for prefix, number in ROWS if module == prefix or module.startswith(prefix + "."))


@cache
def nodes(path: Path) -> tuple[ast.Import | ast.ImportFrom | ast.ExceptHandler, ...]:
    """Return what the rules ask about of a module's syntax."""
    kinds = (ast.Import, ast.ImportFrom, ast.ExceptHandler)
    return tuple(node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, kinds))


@cache
def imported(path: Path) -> frozenset[str]:
    found = set()
    for node in nodes(path):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found.update((node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)))
    return frozenset(found)


SOURCES = sorted(PACKAGE.rglob("*.py"))
OURS = {module_name(path) for path in SOURCES}

# The engine process is a second program: nothing of the first imports it, and it imports only the lowest rows. What of
# engine/ has no row above belongs to it.
OTHERS_IN_ENGINE = tuple(prefix for prefix, _ in ROWS if prefix.startswith("fimserver.engine."))
ENGINE_PROCESS = {
    name
    for name in OURS
    if name.startswith("fimserver.engine.") and not f"{name}.".startswith(tuple(f"{o}." for o in OTHERS_IN_ENGINE))
}


def our_imports(path: Path) -> set[str]:
    return {name for name in imported(path) if name in OURS and name != "fimserver"}


# A rule names what is wrong with a module; it is asked of all of them in one test, for there are hundreds.


def test_imports_go_down() -> None:
    assert faults(imports_that_go_up) == []


def test_heavy_libraries_have_one_home() -> None:
    assert faults(libraries_away_from_home) == []


def test_files_can_be_read_in_one_sitting() -> None:
    assert [str(path) for path in SOURCES if len(path.read_text("utf-8").splitlines()) > LONGEST_FILE_LINES] == []


def test_broad_catches_live_in_three_places() -> None:
    """`except Exception` belongs to the handler, the worker and the command line's main function."""
    assert faults(broad_catches) == []


def faults(rule: Callable[[Path], Iterator[str]]) -> list[str]:
    return [f"{module_name(path)} {fault}" for path in SOURCES for fault in rule(path)]


def imports_that_go_up(path: Path) -> Iterator[str]:
    module = module_name(path)
    if module in ENGINE_PROCESS:
        allowed = ENGINE_PROCESS | {"fimserver.engine"}
        above = [name for name in our_imports(path) - allowed if row(name) < ENGINE_MAY_IMPORT]
        yield from (f"belongs to the engine process and imports {name}" for name in above)
        return
    for name in our_imports(path):
        if name in ENGINE_PROCESS:
            yield f"imports the engine process: {name}"
        elif module.rpartition(".")[0] != name and row(name) < row(module):  # a package's __init__ is part of it
            yield f"imports upwards: {name}"


def libraries_away_from_home(path: Path) -> Iterator[str]:
    for name in imported(path):
        library = name.partition(".")[0]
        library = "tree_sitter" if library.startswith("tree_sitter") else library
        homes = HOMES.get(library)
        if homes is not None and not module_name(path).startswith(homes):
            yield f"imports {library}, whose home is {homes}"


def broad_catches(path: Path) -> Iterator[str]:
    if module_name(path) in {"fimserver.lsp.server", "fimserver.engine.worker", "fimserver.cli.main"}:
        return
    for node in nodes(path):
        if isinstance(node, ast.ExceptHandler) and (
            node.type is None or (isinstance(node.type, ast.Name) and node.type.id == "Exception")
        ):
            yield f"line {node.lineno} catches everything"
