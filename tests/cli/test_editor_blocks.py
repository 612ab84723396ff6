"""What `fimserver setup` writes is what docs/editors.md shows, with the paths of this machine."""

import re
import sys
import tomllib
from pathlib import Path

import pytest

from fimserver.cli import editor_blocks
from fimserver.cli.editor_blocks import block, block_file, plugins_folder, program

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "editors.md").read_text("utf-8")
BLOCKS = sorted(path.name for path in (ROOT / "fimserver" / "cli" / "blocks").iterdir())
ELSEWHERE = "/opt/né w/fimserver"


@pytest.mark.parametrize("name", BLOCKS)
def test_the_documents_show_the_block_as_it_is(name: str) -> None:
    fence = f"```(?:lua|elisp|json|vim|sh)\n{re.escape(block_file(name).read_text('utf-8'))}```\n"
    assert len(re.findall(fence, DOCUMENT)) == 1


def test_the_documents_show_helix_a_part_of_its_block() -> None:
    shown = tomllib.loads(DOCUMENT.partition("\n## Helix\n")[2].partition("```toml\n")[2].partition("```")[0])
    whole = tomllib.loads(block_file("helix/languages.toml").read_text("utf-8"))
    assert shown["language-server"] == whole["language-server"]
    assert [one for one in shown["language"] if one not in whole["language"]] == []


@pytest.mark.parametrize("name", [*BLOCKS, "helix/languages.toml"])
def test_on_path_only_the_plug_ins_folder_differs(name: str) -> None:
    written = block(name, "fimserver").replace(plugins_folder().as_posix(), "~/src/fimserver/editors")
    assert written == block_file(name).read_text("utf-8")


@pytest.mark.parametrize(
    "name", [name for name in [*BLOCKS, "helix/languages.toml"] if name not in ("coc.vim", "vscode.sh")]
)
def test_elsewhere_the_program_is_named_by_its_path(name: str) -> None:
    assert block(name, ELSEWHERE).count(f'"{ELSEWHERE}"') == 1


def test_the_program_is_a_name_only_where_path_has_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert Path(program()).parent == Path(sys.executable).parent
    (tmp_path / "fimserver").write_text("#!/bin/sh\n")
    (tmp_path / "fimserver").chmod(0o700)
    assert program() == "fimserver"


def test_the_plug_ins_are_those_of_the_installed_package_where_it_has_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert plugins_folder() == ROOT / "editors"
    installed = tmp_path / "fimserver" / "editors"
    installed.mkdir(parents=True)
    monkeypatch.setattr(editor_blocks.fimserver, "__file__", str(tmp_path / "fimserver" / "__init__.py"))
    assert plugins_folder() == installed
