"""The extension's settings are the server's."""

import json
import runpy

from fimserver.settings import each_setting
from tests.editors.servers import CHECKOUT

EXTENSION = CHECKOUT / "editors" / "vscode"
MANIFEST = json.loads((EXTENSION / "package.json").read_text("utf-8"))


def test_the_manifest_is_what_the_generator_writes() -> None:
    generator = runpy.run_path(str(EXTENSION / "settings.py"))
    assert generator["with_settings"](MANIFEST) == MANIFEST, "run: python editors/vscode/settings.py"


def test_what_no_workspace_may_set_is_restricted() -> None:
    restricted = MANIFEST["capabilities"]["untrustedWorkspaces"]["restrictedConfigurations"]
    assert {f"fimserver.{name}" for name, entry in each_setting() if entry.metadata["machine"]} <= set(restricted)
    assert "fimserver.server.command" in restricted


def test_the_lock_file_names_no_registry() -> None:
    assert '"resolved"' not in (EXTENSION / "package-lock.json").read_text("utf-8")
