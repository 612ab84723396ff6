"""Write the server's settings into this extension's manifest, from the one table that defines them.

    python editors/vscode/settings.py

A test runs the same function and fails when the manifest differs from what it writes.
"""

import json
from dataclasses import Field, fields
from pathlib import Path
from typing import Any

from fimserver.settings import Settings, each_setting

MANIFEST = Path(__file__).parent / "package.json"

_TYPES: dict[type, dict[str, Any]] = {
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    str: {"type": "string"},
    tuple: {"type": "array", "items": {"type": "string"}},
}


def with_settings(manifest: dict[str, Any]) -> dict[str, Any]:
    """Return the manifest with all sections of settings but its own first one written anew."""
    own = manifest["contributes"]["configuration"][0]
    sections = [own, *(_section(group.name) for group in fields(Settings))]
    trust = manifest["capabilities"]["untrustedWorkspaces"]
    return {
        **manifest,
        "capabilities": {
            **manifest["capabilities"],
            "untrustedWorkspaces": {**trust, "restrictedConfigurations": _restricted(sections)},
        },
        "contributes": {**manifest["contributes"], "configuration": sections},
    }


def _section(group: str) -> dict[str, Any]:
    entries = {name: entry for name, entry in each_setting() if name.startswith(f"{group}.")}
    return {
        "title": group.capitalize(),
        "properties": {f"fimserver.{name}": _property(entry) for name, entry in entries.items()},
    }


def _property(entry: "Field[Any]") -> dict[str, Any]:
    """Return a setting as VS Code describes it. A `machine` setting is never read from a workspace."""
    facts, default = entry.metadata, entry.default
    described = {
        **_TYPES[type(default)],
        "default": list(default) if isinstance(default, tuple) else default,
        "scope": "machine" if facts["machine"] else "window",
        "description": facts["meaning"],
    }
    bounds = {"enum": list(facts["choices"]), "minimum": facts["at_least"], "maximum": facts["at_most"]}
    return described | {key: bound for key, bound in bounds.items() if bound not in (None, [])}


def _restricted(sections: list[dict[str, Any]]) -> list[str]:
    properties = {name: entry for section in sections for name, entry in section["properties"].items()}
    return [name for name, entry in properties.items() if entry["scope"] == "machine"]


def main() -> None:
    """Write the manifest in place."""
    manifest = with_settings(json.loads(MANIFEST.read_text("utf-8")))
    MANIFEST.write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    main()
