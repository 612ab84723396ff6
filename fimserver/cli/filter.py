"""Be a text filter: read a text from standard input or a file, write one to standard output as it is.

Nothing is added to what is written and no line end is changed; only on a terminal is it made harmless first.
"""

import sys
from pathlib import Path

import click

from fimserver.cli import output
from fimserver.errors import FileUnsuitable
from fimserver.syntax.languages import language_of_path
from fimserver.values import Document

path_option = click.option("--path", type=click.Path(path_type=Path), metavar="FILE", help="File the text is of.")


def read_text(source: str) -> str:
    """Return the text of a file, of standard input where it is `-`. Raises FileUnsuitable."""
    try:
        content = sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()
        return content.decode("utf-8")
    except OSError as error:
        raise FileUnsuitable(f"{source} cannot be read: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        name = "What came on standard input" if source == "-" else source
        raise FileUnsuitable(f"{name} is not UTF-8 text.") from error


def write(text: str) -> None:
    """Write a text to standard output at once."""
    if sys.stdout.isatty():
        sys.stdout.write(output.harmless(text))
        sys.stdout.flush()
    else:
        sys.stdout.flush()  # what was printed before comes first
        sys.stdout.buffer.write(text.encode())
        sys.stdout.buffer.flush()


def document_of(text: str, path: Path | None) -> Document:
    """Return a text as a document of the file it is of, whose name says the language."""
    language = language_of_path(path) if path else None
    uri = path.absolute().as_uri() if path else "untitled:1"
    return Document.of(text, uri=uri, language=language.id if language else "plaintext")
