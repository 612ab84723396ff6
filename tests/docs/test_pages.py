"""The documents as pages: each is to be found, its links lead where they led, and it fetches nothing from elsewhere."""

import re
import runpy
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest

from tests.docs.blocks import ROOT

PAGES = runpy.run_path(str(ROOT / "scripts" / "pages.py"))
CONFIGURATION = tomllib.loads((ROOT / "zensical.toml").read_text("utf-8"))["project"]


def pages(entries: list[dict[str, Any]]) -> Iterator[str]:
    for entry in entries:
        for value in entry.values():
            yield from pages(value) if isinstance(value, list) else [value]


def test_every_document_is_in_the_navigation_once() -> None:
    assert sorted(pages(CONFIGURATION["nav"])) == sorted(map(PAGES["page_of"], PAGES["documents"]()))


@pytest.mark.parametrize(
    ("source", "link", "turned"),
    [
        pytest.param("README.md", "docs/editors.md#vim", "editors.md#vim", id="from README into docs"),
        pytest.param("README.md", "CHANGELOG.md", "changelog.md", id="from README to its neighbour"),
        pytest.param("README.md", "docs/images/a.svg", "images/a.svg", id="an image"),
        pytest.param("docs/reliability.md", "../SECURITY.md", "security.md", id="out of docs"),
        pytest.param("docs/models.md", "team-server.md", "team-server.md", id="within docs"),
        pytest.param("docs/decisions/1.md", "../benchmarks.md#a", "../benchmarks.md#a", id="from a folder of docs"),
        pytest.param("docs/architecture.md", "#entry-points", "#entry-points", id="on the same page"),
        pytest.param("README.md", "https://example.com/docs/a.md", "https://example.com/docs/a.md", id="another site"),
    ],
)
def test_a_link_leads_where_it_led(source: str, link: str, turned: str) -> None:
    assert PAGES["with_turned_links"](f"see [it]({link}).", source) == f"see [it]({turned})."


@pytest.mark.parametrize(
    ("page", "fetched"),
    [
        pytest.param('<a href="https://a.example/">a</a>', [], id="a link is followed by people"),
        pytest.param('<script src="../a.js"></script>', [], id="a script of its own"),
        pytest.param('<svg xmlns="http://www.w3.org/2000/svg">', [], id="a name space is no address"),
        pytest.param('<script async src="https://a.example/a.js">', ["https://a.example/a.js"], id="a script"),
        pytest.param('<link rel=stylesheet href="//a.example/f.css">', ["//a.example/f.css"], id="a style sheet"),
        pytest.param("@import url(https://a.example/f.css);", ["https://a.example/f.css"], id="a font"),
    ],
)
def test_what_a_page_would_fetch_is_found(page: str, fetched: list[str]) -> None:
    assert PAGES["fetched"](page) == fetched


def test_the_browser_is_told_to_load_nothing_from_elsewhere() -> None:
    theme = (ROOT / CONFIGURATION["theme"]["custom_dir"] / "main.html").read_text("utf-8")
    policy = re.search(r'"Content-Security-Policy" content="([^"]+)"', theme)
    assert policy is not None
    assert not re.search(r"https?:|\*", policy[1])
    assert policy[1].startswith("default-src 'self';")
    assert CONFIGURATION["theme"]["font"] is False
