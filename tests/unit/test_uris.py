"""The names that editors have for documents, as paths and as a prompt shows them."""

import sys
from pathlib import Path

import pytest

from fimserver.uris import path_of, shown_path

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="paths are drawn as POSIX has them")


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        pytest.param("file:///shop/till.py", "/shop/till.py", id="a file"),
        pytest.param("file:///a%20b/%C3%BC.py", "/a b/ü.py", id="percents are characters"),
        pytest.param("file://localhost/till.py", "/till.py", id="this machine by name"),
        pytest.param("file://server/share/till.py", None, id="another machine"),
        pytest.param("file:///till%00.py", None, id="no path has a zero character"),
        pytest.param("untitled:Untitled-1", None, id="untitled"),
        pytest.param("vscode-notebook-cell:/till.ipynb#1", None, id="a cell of a notebook"),
    ],
)
def test_a_document_is_a_file_of_this_machine_or_none(uri: str, path: str | None) -> None:
    assert path_of(uri) == (None if path is None else Path(path))


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        pytest.param("file:///home/me/shop/src/till.py", ("src/till.py", "shop"), id="below a root"),
        pytest.param("file:///home/me/notes/till.py", ("till.py", ""), id="outside, only its name"),
        pytest.param("untitled:Untitled-1", ("Untitled-1", ""), id="untitled, its name"),
        pytest.param("remote://host/shop/till.py", ("till.py", ""), id="elsewhere, its name"),
    ],
)
def test_only_what_is_inside_the_workspace_is_told(uri: str, shown: tuple[str, str]) -> None:
    assert shown_path(uri, (Path("/home/me/shop"),)) == shown
