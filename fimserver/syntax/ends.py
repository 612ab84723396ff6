"""Say where in a model's text the wanted line or block is complete, so that no token is generated past it.

The text is read by its brackets, strings and indentation, from the cursor's line on: cheap enough to be asked again at
every new line, in any language, and as sound in the middle of a statement as at its end. What a suggestion replaces
(closing punctuation behind the cursor) is not there any more; what stands below the cursor is.
"""

import re
from dataclasses import dataclass

from fimserver.syntax.closing import is_closing
from fimserver.syntax.languages import Language, language_named
from fimserver.syntax.layout import columns, indent_of, line_above, line_below, line_text
from fimserver.syntax.lines import Token, scan, take_bracket, tokens
from fimserver.syntax.opening import first_word, line_opens_block
from fimserver.text import leading_blanks, line_end, position_at
from fimserver.values import Document, Shape

# Words that close a block in languages without braces, where a grammar does not tell.
_END_WORDS = frozenset({"end", "endif", "endfor", "endfunction", "endwhile", "done", "fi", "esac", "od", "until"})

# What a header cannot do without: a suggestion that ended after the first block would be a syntax error.
_NEEDED = {"try": ("except", "finally", "catch"), "do": ("while",)}

# A label at its switch's own indentation, and a line for the preprocessor, end no block.
_LABELS = frozenset({"case", "default", "public", "private", "protected"})


@dataclass(frozen=True, slots=True)
class _Writing:
    """The cursor's line and what the model has written behind it, as one text."""

    text: str
    start: int  # where the model's part begins
    language: Language | None
    document: Document
    line: int  # the cursor's, in the document
    tail: str  # closing punctuation that the suggestion replaces

    def lines(self) -> list[tuple[int, str]]:
        """Return the start and text of each line, the unfinished last one included."""
        found, at = [], 0
        for text in self.text.split("\n"):
            found.append((at, text.removesuffix("\r")))
            at += len(text) + 1
        return found


@dataclass(frozen=True, slots=True)
class _Block:
    """The block that is being written."""

    width: int  # of its header's indentation; -1 where nothing encloses it
    first: int  # index of the first of the writing's lines that belongs to it
    brace: int  # where its opening brace stands in the writing, -1 if above it
    word: str  # its header's first word
    paragraph: bool = False  # it is a group of statements, and an empty line ends it


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
    line = position_at(document.starts, offset)[0]
    prefix = document.text[document.starts[line] : offset]
    prefix = prefix if prefix.strip() else ""
    tail = document.text[offset : line_end(document.text, document.starts, line)]
    writing = _Writing(
        prefix + generated,
        len(prefix),
        language_named(document.language),
        document,
        line,
        tail if is_closing(tail) else "",
    )
    end = _block_end(writing, scope_indent) if shape is Shape.BLOCK else _statement_end(writing)
    return None if end is None else max(0, end - len(prefix))


def _statement_end(writing: _Writing) -> int | None:
    """Return where the statement on the cursor's line ends: at the first line end that leaves no bracket open."""
    for at, line in writing.lines()[:-1]:
        end = at + len(line)
        if (writing.start or writing.text[:end].strip()) and not _goes_on(writing, end):
            return end
    return None


def _goes_on(writing: _Writing, end: int) -> bool:
    """Say whether a bracket or string that stands open at `end` asks for another line."""
    before = scan(writing.text[: writing.start], writing.language)
    now = scan(writing.text[:end], writing.language)
    if now.in_string or len(now.brackets) > len(before.brackets):
        return True
    # A bracket that was open before is closed by the tail, or its contents stand below; else the model closes it.
    below = line_below(writing.document, writing.line)
    deeper = below is not None and len(indent_of(writing.document, below)) > len(leading_blanks(writing.text))
    return bool(now.brackets) and not writing.tail.strip() and not deeper


def _block_end(writing: _Writing, scope_indent: str) -> int | None:
    block = _block(writing, scope_indent)
    if block is None:
        return _statement_end(writing)
    events = [event for find in (_brace_closed, _outdented, _paragraph_over) if (event := find(writing, block))]
    return min(events, key=lambda event: event.at).end if events else None


def _block(writing: _Writing, scope_indent: str) -> _Block | None:
    """Return the block the cursor's line opens or lies in; None where the line is just a statement."""
    line = writing.lines()[0][1]
    before = writing.text[: writing.start]
    header = next((text for text in (before, line) if line_opens_block(text, writing.language)), "")
    if header:
        brace = scan(header, writing.language).code_end - 1
        return _Block(columns(leading_blanks(line)), 1, brace, first_word(line))
    if writing.start:
        return None
    above = line_above(writing.document, writing.line)
    nearest = line_text(writing.document, above) if above is not None else ""
    first = next((text for _, text in writing.lines() if text.strip()), "")
    outside = columns(leading_blanks(first)) <= columns(scope_indent) == 0
    remark = above == writing.line - 1 and scan(nearest, writing.language).code_end == 0
    return _Block(-1 if outside else columns(scope_indent), 0, -1, first_word(nearest), outside or remark)


def _brace_closed(writing: _Writing, block: _Block) -> _Event | None:
    """Return the event of the block's brace being closed."""
    if writing.language is not None and writing.language.opens != "{":
        return None
    still_open: list[Token] = []
    for token in tokens(writing.text, writing.language):
        if token.kind == "bracket":
            opener = take_bracket(token, still_open)
            ours = (opener.start if opener else -1) == block.brace
            if ours and token.text == "}" and not _clause_follows(writing, block, token.end):
                return _Event(token.start, _closer_end(writing, block, token.start))
    return None


def _outdented(writing: _Writing, block: _Block) -> _Event | None:
    """Return the event of a line that is indented no deeper than the block's header."""
    lines, opened = writing.lines(), _open_at_line_starts(writing)
    for index, (at, line) in enumerate(lines[block.first :], block.first):
        if opened[index][-1:] in ("(", "[", '"') or not line.strip() or columns(leading_blanks(line)) > block.width:
            continue
        if _may_stand_there(line, writing.language) or _clause_follows(writing, block, at):
            continue
        end = len(writing.text[:at].rstrip())
        closes = line.lstrip()[0] in ")]}" or first_word(line) in _END_WORDS
        if not closes or _closer_below(writing, block):
            return _Event(at, end)
        return _Event(at, at + len(line.rstrip()) if index + 1 < len(lines) else None)
    return None


def _paragraph_over(writing: _Writing, block: _Block) -> _Event | None:
    """Return the event of an empty line after a group of statements that nothing else ends."""
    if not block.paragraph:
        return None
    opened = _open_at_line_starts(writing)
    for index, (at, line) in enumerate(writing.lines()[:-1]):
        before = writing.text[:at].rstrip()
        if before and not line.strip() and not opened[index]:
            return _Event(at, len(before))
    return None


def _open_at_line_starts(writing: _Writing) -> list[str]:
    """Return what stands open where each line starts: brackets, and a quote where a string or remark goes on."""
    starts = [at for at, _ in writing.lines()]
    still_open: list[Token] = []
    found: list[str] = []
    for token in tokens(writing.text, writing.language):
        brackets = "".join(other.text for other in still_open)
        found += [brackets for at in starts[len(found) :] if at <= token.start]
        found += [brackets + '"' for at in starts[len(found) :] if at < token.end or not token.closed]
        if token.kind == "bracket":
            take_bracket(token, still_open)
    return found + ["".join(other.text for other in still_open)] * (len(starts) - len(found))


def _may_stand_there(line: str, language: Language | None) -> bool:
    """Say whether a line may be indented as little as the header and still be part of its block."""
    if language is None or language.opens != "{":
        return False
    return first_word(line) in _LABELS or line.startswith("#") or line.lstrip().startswith("}")


def _clause_follows(writing: _Writing, block: _Block, at: int) -> bool:
    """Say whether a clause begins at `at` that the header needs and the document does not have: `except` of a `try`."""
    needed = _NEEDED.get(block.word, ())
    return first_word(writing.text[at : at + 40]) in needed and first_word(_below(writing)) not in needed


def _closer_end(writing: _Writing, block: _Block, at: int) -> int | None:
    """Return where a block that is closed at `at` ends: with its closer, unless that stands in the document already."""
    if _closer_below(writing, block):
        return len(writing.text[:at].rstrip())
    closers = _CLOSERS.match(writing.text, at)
    end = closers.end() if closers else at + 1
    return end if writing.text[end : end + 1] else None


def _closer_below(writing: _Writing, block: _Block) -> bool:
    """Say whether the next line of the document that is not blank closes the block."""
    below = _below(writing)
    closes = below.lstrip()[:1] in tuple(")]}") or first_word(below) in _END_WORDS
    return closes and columns(leading_blanks(below)) == max(0, block.width)


def _below(writing: _Writing) -> str:
    below = line_below(writing.document, writing.line)
    return line_text(writing.document, below) if below is not None else ""


_CLOSERS = re.compile(r"\}[)\]}]*[;,]?")
