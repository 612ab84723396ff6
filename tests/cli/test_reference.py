"""The documents: those that come from the code are as the code would write them, and no link leads nowhere."""

import re
from pathlib import Path

import pytest

from fimserver.cli import reference
from fimserver.retrieval.sources import SOURCES

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


@pytest.mark.parametrize("name", reference.TABLES)
def test_what_is_generated_is_what_make_docs_writes(name: str) -> None:
    text = (reference.FOLDER / name).read_text("utf-8")
    assert text == reference.written(name, text), "run `make docs`"


@pytest.mark.parametrize("source", SOURCES)
def test_every_source_of_context_is_told_of(source: str) -> None:
    assert f"\n| {source} | " in (reference.FOLDER / "context.md").read_text("utf-8")


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_to_a_file_of_ours_leads_somewhere(path: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", path.read_text("utf-8"))
    assert [link for link in links if not (path.parent / link).exists()] == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_module_a_document_names_is_there(path: Path) -> None:
    modules = re.findall(r"`((?:fimserver|tests|docs)/[\w/.-]+\.(?:py|toml|md))`", path.read_text("utf-8"))
    assert [module for module in modules if not (ROOT / module).exists()] == []
