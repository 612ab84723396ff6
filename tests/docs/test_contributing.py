"""What contributors are told: the files named are there, what the services run exists, and the version is one."""

import json
import re
import tomllib
from pathlib import Path

import pytest
import yaml

from fimserver import __version__
from tests.docs.blocks import ROOT

TEXT = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
CHANGES = [line.strip("| ").split(" | ") for line in TEXT.splitlines() if line.startswith("| a")]
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
YAML_FILES = [*(ROOT / ".github").rglob("*.yml"), *ROOT.glob(".pre-commit-*.yaml")]
FORMS = [path for path in (ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml") if path.name != "config.yml"]


def test_ten_changes_are_named() -> None:
    assert len(CHANGES) >= 10


@pytest.mark.parametrize("cells", CHANGES, ids=lambda cells: cells[0])
def test_the_files_of_a_change_are_there(cells: list[str]) -> None:
    named = re.findall(r"`([\w/.-]+[/.][\w./-]*)`", " ".join(cells[1:]))
    assert len(named) >= 3 or "module" in " ".join(cells)
    assert [name for name in named if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("path", [ROOT / "CONTRIBUTING.md", *YAML_FILES, ROOT / "docs" / "releasing.md"], ids=str)
def test_what_is_to_be_run_exists(path: Path) -> None:
    text = path.read_text("utf-8")
    targets = set(re.findall(r"(?:`|run: |^)make ([a-z.][\w./-]*)", text, re.MULTILINE))
    assert {name for name in targets if f"\n{name}:" not in MAKEFILE} == set()
    scripts = re.findall(r"\b(scripts/[\w.]+|\.ci/run)", text)
    assert [name for name in scripts if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("path", YAML_FILES, ids=lambda path: path.name)
def test_a_services_file_is_yaml(path: Path) -> None:
    assert yaml.safe_load(path.read_text("utf-8"))


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.name)
def test_a_form_asks_with_a_label_for_each_of_its_fields(path: Path) -> None:
    form = yaml.safe_load(path.read_text("utf-8"))
    assert form["name"]
    assert form["description"]
    assert all(field["attributes"]["label"] for field in form["body"])
    names = [field["id"] for field in form["body"]]
    assert len(names) == len(set(names))


def test_the_version_is_one() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extension = json.loads((ROOT / "editors" / "vscode" / "package.json").read_text("utf-8"))
    latest = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert latest is not None
    assert {__version__, project["version"], extension["version"], latest[1]} == {__version__}
