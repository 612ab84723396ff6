"""Write line ends as the document does, and nothing invisible before the last of them."""

from fimserver.text import main_line_ending, with_line_ending
from fimserver.values import CursorContext


def read_line_endings(text: str, context: CursorContext) -> str:  # noqa: ARG001
    r"""Write every line ending as ``\n``, as the filters expect it."""
    return with_line_ending(text, "\n") if "\r" in text else text


def drop_trailing_white_space(text: str, context: CursorContext) -> str:  # noqa: ARG001
    """End the text after its last visible character."""
    return text.rstrip()


def follow_the_files_line_endings(text: str, context: CursorContext) -> str:
    """Write line endings as the document does; the last filter, for all others expect line feeds."""
    return with_line_ending(text, main_line_ending(context.document.text)) if "\n" in text else text
