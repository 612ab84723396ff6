"""Say where in a model's text the wanted line or block is complete, so that no token is generated past it.

The text is read by its brackets, strings and indentation, from the cursor's line on: cheap enough to be asked again at
every new line, in any language, and as sound in the middle of a statement as at its end.
"""

import re
from dataclasses import dataclass

from fimserver.syntax.block import Block, block_of
from fimserver.syntax.layout import columns, indent_of, line_below
from fimserver.syntax.lines import Token, scan, take_bracket
from fimserver.syntax.opening import first_word
from fimserver.syntax.writing import Writing, WrittenLine
from fimserver.text import leading_blanks
from fimserver.values import Document, Shape

# Words that close a block in languages without braces, where no grammar tells.
_END_WORDS = frozenset({"end", "endif", "endfor", "endfunction", "endwhile", "done", "fi", "esac", "od", "until"})

# What a header cannot do without: a suggestion that ended after its first block would be a syntax error.
_NEEDED = {"try": frozenset({"except", "finally", "catch"}), "do": frozenset({"while"})}

# A label at its switch's own indentation, and a line for the preprocessor, end no block.
_LABELS = frozenset({"case", "default", "public", "private", "protected"})

# A closing brace, and what closes with it the call or statement it stands in; a function may be called right there.
_CLOSERS = re.compile(r"\}[)\]}]*(?:\([^()\n]*(?:\)|\Z))?[;,]?")


@dataclass(frozen=True, slots=True)
class _Event:
    """Something at `at` ends the block; what is wanted ends at `end`, None while that cannot be told yet."""

    at: int
    end: int | None


def finished_at(document: Document, offset: int, generated: str, shape: Shape, scope_indent: str = "") -> int | None:
    r"""Return how much of the generated text makes up the wanted line or block, None where more is needed.

    Where only white space stands before the cursor, `generated` begins at the line's start, as the model wrote it.
    `scope_indent` is the enclosing header's indentation, as `CursorContext` has it.

    >>> document = Document.of("def area(r):\n    ")
    >>> finished_at(document, 17, "    return 3 * r * r\n\nprint", Shape.BLOCK)
    20
    """
    writing = Writing.at(document, offset, generated)
    block = block_of(writing, scope_indent) if shape is Shape.BLOCK else None
    end = _block_end(writing, block) if block else _statement_end(writing)
    return None if end is None else max(0, end - writing.start)


def _statement_end(writing: Writing) -> int | None:
    """Return where the statement on the cursor's line ends: at the first line end that leaves no bracket open."""
    for line in writing.lines:
        if line.whole and (writing.start or line.text.strip()) and not _goes_on(writing, line.end):
            return line.end
    return None


def _goes_on(writing: Writing, end: int) -> bool:
    """Say whether a bracket or string that stands open at `end` asks for another line."""
    before = scan(writing.text[: writing.start], writing.language)
    now = scan(writing.text[:end], writing.language)
    if now.in_string or len(now.brackets) > len(before.brackets):
        return True
    # A bracket that was open before is closed by the tail, or its contents stand below; else the model closes it.
    below = line_below(writing.document, writing.line)
    deeper = below is not None and len(indent_of(writing.document, below)) > len(leading_blanks(writing.text))
    return bool(now.brackets) and not writing.tail.strip() and not deeper


def _block_end(writing: Writing, block: Block) -> int | None:
    events = [event for find in (_brace_closed, _outdented, _paragraph_over) if (event := find(writing, block))]
    return min(events, key=lambda event: event.at).end if events else None


def _brace_closed(writing: Writing, block: Block) -> _Event | None:
    """Return the event of the block's brace being closed."""
    if writing.language is not None and writing.language.opens != "{":
        return None
    still_open: list[Token] = []
    brace, clause = block.brace, False
    for token in writing.tokens:
        opener = take_bracket(token, still_open)
        if clause and token.text == "{":
            brace, clause = token.start, False
        elif token.text == "}" and _is_ours(token, opener, brace, writing):
            clause = not _closer_below(writing, block) and _clause_follows(writing, block, token.end)
            if not clause:
                return _Event(token.start, _closer_end(writing, block, token.start))
    return None


def _is_ours(closer: Token, opener: Token | None, brace: int | None, writing: Writing) -> bool:
    """Say whether a brace closes the block: it closes the one that opened it, or one that stands above the writing."""
    if opener is not None:
        return opener.start == brace
    return brace in (-1, None) and closer.start >= writing.start


def _outdented(writing: Writing, block: Block) -> _Event | None:
    """Return the event of a line that is indented no deeper than the block's header."""
    for line in writing.lines[block.first :]:
        if (
            not _ends_indentation(line, block)
            or _may_stand_there(writing, block, line)
            or _clause_follows(writing, block, line.at)
        ):
            continue
        if _closes(line.text, writing) and not _closer_below(writing, block):
            return _Event(line.at, line.at + len(line.text.rstrip()) if line.whole else None)
        return _Event(line.at, len(writing.text[: line.at].rstrip()))
    return None


def _paragraph_over(writing: Writing, block: Block) -> _Event | None:
    """Return the event of an empty line after a group of statements."""
    for line in writing.lines if block.paragraph else ():
        before = writing.text[: line.at].rstrip()
        if before and line.whole and not line.text.strip() and not line.open:
            return _Event(line.at, len(before))
    return None


def _ends_indentation(line: WrittenLine, block: Block) -> bool:
    """Say whether a line's code begins no deeper than the block's header."""
    if line.open.endswith(("(", "[", '"')):
        return False
    return bool(line.text.strip()) and columns(leading_blanks(line.text)) <= block.width


def _may_stand_there(writing: Writing, block: Block, line: WrittenLine) -> bool:
    """Say whether a line may be indented as little as the header and still be part of its block."""
    if writing.language is None:
        return not line.whole and _begins_with(writing.text[line.at :], _END_WORDS)
    if writing.language.opens != "{":
        return False
    is_label = block.word not in _LABELS and _begins_with(writing.text[line.at :], _LABELS)
    return is_label or line.text.lstrip().startswith(("#", "{", "}"))


def _clause_follows(writing: Writing, block: Block, at: int) -> bool:
    """Say whether a clause begins at `at` that the header needs and the document does not have: `except` of a `try`."""
    needed = _NEEDED.get(block.word, frozenset())
    return _begins_with(writing.text[at:], needed) and first_word(writing.below) not in needed


def _begins_with(text: str, words: frozenset[str]) -> bool:
    """Say whether a text begins with one of the words, or ends where it may still become one."""
    code = text.lstrip()
    word = first_word(code)
    return word in words or (code == word and any(other.startswith(word) for other in words))


def _closes(line: str, writing: Writing) -> bool:
    """Say whether a line closes a block with a bracket or, in a language we have no grammar for, with a word."""
    return line.lstrip()[:1] in tuple(")]}") or (writing.language is None and first_word(line) in _END_WORDS)


def _closer_end(writing: Writing, block: Block, at: int) -> int | None:
    """Return where a block that is closed at `at` ends: with its closer, unless that stands in the document already."""
    if block.brace is None or _closer_below(writing, block):
        return len(writing.text[:at].rstrip())
    closers = _CLOSERS.match(writing.text, at)
    end = closers.end() if closers else at + 1
    return end if writing.text[end : end + 1] else None


def _closer_below(writing: Writing, block: Block) -> bool:
    """Say whether the next line of the document closes the block; not so where the suggestion replaces its closer."""
    if "}" in writing.tail or not _closes(writing.below, writing):
        return False
    return columns(leading_blanks(writing.below)) == max(0, block.width)
