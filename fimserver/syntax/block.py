"""Say which block a model is writing: the one its first line opens, the one around the cursor, or a paragraph."""

from dataclasses import dataclass

from fimserver.syntax.layout import columns, header_above, header_indent, is_remark, line_text
from fimserver.syntax.lines import scan
from fimserver.syntax.opening import first_word, lacks_its_brace, line_opens_block
from fimserver.syntax.writing import Writing
from fimserver.text import leading_blanks

# What these open is often not indented.
_FLAT = frozenset({"namespace", "extern"})

# What ends a documenting string: it describes what stands above it, not what comes.
_QUOTES = ('"""', "'''")


@dataclass(frozen=True, slots=True)
class Block:
    """The block that is being written."""

    width: int  # of its header's indentation; -1 where nothing encloses it
    first: int  # index of the first of the writing's lines that belongs to it
    brace: int | None  # where its opening brace stands in the writing, -1 if above it, None if it has none of its own
    word: str  # its header's first word
    paragraph: bool = False  # an empty line ends it: it is what a comment describes, or statements at top level


def block_of(writing: Writing, scope_indent: str) -> Block | None:
    """Return the block that the cursor's line opens or lies in; None where the line is just a statement."""
    first_line = writing.lines[0].text
    if writing.start:
        return _opened_block(writing, writing.text[: writing.start]) or _opened_block(writing, first_line)
    header = header_above(writing.document, writing.line, writing.language)
    if header is not None:
        return _block_around(writing, header)
    return _opened_block(writing, first_line) or _paragraph(writing, scope_indent)


def _block_around(writing: Writing, header: int) -> Block:
    """Return the block that a line of the document opened and in which nothing stands yet but remarks."""
    text = line_text(writing.document, header)
    above = line_text(writing.document, writing.line - 1)
    described = bool(above.strip()) and is_remark(above, writing.language) and not above.rstrip().endswith(_QUOTES)
    # A brace on a line of its own belongs to the line above it.
    word = first_word(line_text(writing.document, header - 1) if header and text.strip() == "{" else text)
    flat = word in _FLAT
    width = -1 if flat else columns(header_indent(writing.document, header, writing.language))
    return Block(width, 0, None if _brace_of(text, writing) is None else -1, word, paragraph=flat or described)


def _opened_block(writing: Writing, header: str) -> Block | None:
    """Return the block that the writing's first line opens, given as much of it as may do so."""
    brace = _brace_of(header, writing)
    if not line_opens_block(header, writing.language):
        first = writing.lines[0]
        if not (first.whole and header == first.text and lacks_its_brace(header, writing.language)):
            return None
        brace = _brace_below(writing)
    indent = leading_blanks(header)
    if writing.start:
        indent = header_indent(writing.document, writing.line, writing.language)
    return Block(columns(indent), 1, brace, first_word(header))


def _brace_of(header: str, writing: Writing) -> int | None:
    """Return where the brace stands that ends a header, None where another character does."""
    end = scan(header, writing.language).code_end
    return end - 1 if header[:end].endswith("{") else None


def _brace_below(writing: Writing) -> int | None:
    """Return where the brace stands that the writing's second line begins with, None where it begins otherwise."""
    end = writing.lines[0].end
    following = writing.text[end:].lstrip()
    return len(writing.text) - len(following) if following.startswith("{") else None


def _paragraph(writing: Writing, scope_indent: str) -> Block:
    """Return a group of statements that ends at an empty line, or where the scope around it does."""
    first = next((line.text for line in writing.lines if line.text.strip()), "")
    outside = columns(leading_blanks(first)) <= columns(scope_indent)
    return Block(-1 if outside else columns(scope_indent), 0, None, "", paragraph=True)
