"""Turn a JavaScript module's name into the paths that aliases, set in tsconfig.json or customary, make of it."""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

from fimserver.retrieval.manifests import manifest_text

_CUSTOMARY = {"$lib": "src/lib", "@": "src", "~": "src"}


def path_aliases(folder: Path, module: str) -> Iterator[Path]:
    """Yield what `compilerOptions.paths` and `baseUrl` of a folder's tsconfig.json make of a module's name."""
    options = _compiler_options(folder)
    if options is None:
        return
    base = folder / str(options.get("baseUrl", "."))
    paths = options.get("paths")
    for pattern, targets in paths.items() if isinstance(paths, dict) else ():
        start, star, end = pattern.partition("*")
        fits = module.startswith(start) and module.endswith(end) if star else module == pattern
        for target in targets if fits and isinstance(targets, list) else ():
            yield Path(os.path.normpath(base / str(target).replace("*", module[len(start) : len(module) - len(end)])))
    if "baseUrl" in options:
        yield base / module


def usual_aliases(folder: Path, module: str) -> Iterator[Path]:
    """Yield what a module's name means by custom, where the settings that say so are made by a tool."""
    start, _, rest = module.partition("/")
    if start in _CUSTOMARY and rest:
        yield folder / _CUSTOMARY[start] / rest


def _compiler_options(folder: Path) -> dict[str, object] | None:
    for name in ("tsconfig.json", "jsconfig.json"):
        text = manifest_text(folder / name)
        if text:
            try:
                # These files may have comments and a comma after the last element.
                plain = re.sub(r'("(?:[^"\\\n]|\\.)*")|//[^\n]*|/\*.*?\*/', r"\1", text, flags=re.DOTALL)
                options = json.loads(re.sub(r",(\s*[}\]])", r"\1", plain)).get("compilerOptions")
            except (ValueError, AttributeError, RecursionError):
                return None
            return options if isinstance(options, dict) else None
    return None
