"""FILE:LINE:COLUMN as people write it."""

from pathlib import Path

import pytest

from fimserver.cli.place import Place, document_at, shown_position
from fimserver.errors import FimError
from tests.cli import commands


@pytest.mark.parametrize(
    ("text", "line", "column", "before"),
    [
        pytest.param("", 1, 1, "", id="the start of an empty file"),
        pytest.param("a = 1\n", 1, 6, "a = 1", id="the end of a line"),
        pytest.param("a = 1\n", 2, 1, "a = 1\n", id="the empty line at the end"),
        pytest.param("a = 1\r\nb\r\n", 2, 2, "a = 1\r\nb", id="after a line that ends in CRLF"),
        pytest.param("😀x", 1, 2, "😀", id="columns are characters"),
        pytest.param("a\x0cb\n", 1, 4, "a\x0cb", id="a form feed ends no line"),
    ],
)
def test_a_place_is_found(tmp_path: Path, text: str, line: int, column: int, before: str) -> None:
    document, offset = document_at(Place(commands.file(tmp_path, text), line, column))
    assert document.text[:offset] == before
    assert shown_position(document, offset) == {"line": line, "column": column}


@pytest.mark.parametrize(
    ("line", "column", "says"),
    [
        pytest.param(3, 1, "has 2 lines, so there is no line 3", id="a line past the end"),
        pytest.param(0, 1, "there is no line 0", id="line 0"),
        pytest.param(1, 7, "has 5 characters, so its columns are 1 to 6, not 7", id="a column past the line's end"),
        pytest.param(1, 0, "its columns are 1 to 6, not 0", id="column 0"),
    ],
)
def test_a_place_outside_the_file_is_refused(tmp_path: Path, line: int, column: int, says: str) -> None:
    with pytest.raises(FimError, match=says):
        document_at(Place(commands.file(tmp_path, "a = 1\n"), line, column))


@pytest.mark.parametrize(
    ("name", "language"),
    [
        pytest.param("a.py", "python", id="a known suffix"),
        pytest.param("a.unheard", "plaintext", id="an unknown one"),
        pytest.param("Makefile", "plaintext", id="none"),
    ],
)
def test_the_language_follows_the_name(tmp_path: Path, name: str, language: str) -> None:
    document, _ = document_at(Place(commands.file(tmp_path, "x", name), 1, 1))
    assert document.language == language
