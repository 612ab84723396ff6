"""Turn `FILE:LINE:COLUMN`, as compilers and editors print it, into a document and an offset in it."""

import re
from dataclasses import dataclass
from pathlib import Path

import click

from fimserver.errors import FileUnsuitable, FimError
from fimserver.text import line_end, position_at
from fimserver.values import Document

_PLACE = re.compile(r"(?P<file>.+):(?P<line>\d+):(?P<column>\d+)")


@dataclass(frozen=True, slots=True)
class Place:
    """A position in a file on disk. Line and column count from 1, the column in characters."""

    path: Path
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}"


def _place(_context: click.Context, _parameter: click.Parameter, value: str | None) -> Place | None:
    if value is None:
        return None
    found = _PLACE.fullmatch(value)
    if not found:
        raise click.BadParameter(f"{value!r} is no position; write FILE:LINE:COLUMN, as in main.py:12:5.")
    return Place(Path(found["file"]), int(found["line"]), int(found["column"]))


place_argument = click.argument("place", metavar="FILE:LINE:COLUMN", callback=_place)
optional_place_argument = click.argument("place", metavar="[FILE:LINE:COLUMN]", callback=_place, required=False)


def document_at(place: Place) -> tuple[Document, int]:
    """Return the file as a document, and the place's offset. Raises FileUnsuitable, or FimError past the end."""
    document = _document(place.path)
    return document, _offset(document, place)


def project_of(path: Path) -> Path:
    """Return the project a file belongs to: the nearest folder above it with a `.git`, else its own folder."""
    folders = path.absolute().parents
    return next((folder for folder in folders if (folder / ".git").exists()), folders[0])


def shown_position(document: Document, offset: int) -> dict[str, int]:
    """Return an offset as the command line counts: both from 1."""
    line, column = position_at(document.starts, offset)
    return {"line": line + 1, "column": column + 1}


def _document(path: Path) -> Document:
    from fimserver.syntax.languages import language_of_path

    try:
        text = path.read_bytes().decode("utf-8")
    except OSError as error:
        raise FileUnsuitable(f"{path} cannot be read: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise FileUnsuitable(f"{path} is not UTF-8 text, so nothing can be completed in it.") from error
    if "\0" in text:
        raise FileUnsuitable(f"{path} is a binary file, so nothing can be completed in it.")
    language = language_of_path(str(path))
    return Document.of(text, uri=path.absolute().as_uri(), language=language.id if language else "plaintext")


def _offset(document: Document, place: Place) -> int:
    lines = len(document.starts)
    if not 1 <= place.line <= lines:
        raise FimError(f"{place.path} has {lines} lines, so there is no line {place.line} in it.")
    start = document.starts[place.line - 1]
    length = line_end(document.text, document.starts, place.line - 1) - start
    if not 1 <= place.column <= length + 1:
        raise FimError(
            f"Line {place.line} of {place.path} has {length} characters, so its columns are 1 to {length + 1}, "
            f"not {place.column}."
        )
    return start + place.column - 1
