"""The values that flow through one suggestion, in the order in which they are made.

    Document → CursorContext → Anchor (+ Snippets) → Prompt → Chunk … → Completion | Rejection

All are frozen. Offsets, columns and spans are code points; only `lsp/convert.py` knows other units.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from fimserver.text import line_starts, spliced_line_starts


@dataclass(frozen=True, slots=True)
class Document:
    """One version of a text. `starts` holds the offset of each line's first character."""

    uri: str
    language: str  # an id of syntax/languages.toml, or whatever the editor called it
    version: int
    text: str
    starts: Sequence[int] = field(repr=False)

    @classmethod
    def of(cls, text: str, *, uri: str = "untitled:1", language: str = "python", version: int = 0) -> "Document":
        """Return a document made from its text alone."""
        return cls(uri, language, version, text, line_starts(text))

    def edited(self, replaced: "Span", inserted: str) -> "Document":
        """Return the document with another text in the place of a span."""
        text = "".join((self.text[: replaced.start], inserted, self.text[replaced.end :]))
        starts = spliced_line_starts(self.starts, text, replaced.start, replaced.end, inserted)
        return replace(self, text=text, starts=starts)


@dataclass(frozen=True, slots=True)
class Span:
    """A half-open range of offsets."""

    start: int
    end: int


class Shape(StrEnum):
    """How much is worth asking for at a cursor."""

    NOTHING = "nothing"
    LINE = "line"
    BLOCK = "block"


class Reason(StrEnum):
    """Why nothing is shown. The names are public: `fimserver why`, the status item and `--json` print them."""

    # Decided before the model is asked.
    DISABLED = "disabled"  # completion is switched off, or snoozed, for this language
    EXCLUDED = "excluded"  # the file must not be completed in (see retrieval/exclude.py)
    UNSUITABLE_FILE = "unsuitable-file"  # binary or too large
    UNKNOWN_DOCUMENT = "unknown-document"  # the editor never opened it, or lost step with us
    INSIDE_STATEMENT = "inside-statement"  # code that is not closing punctuation follows on the line
    FINISHED_STATEMENT = "finished-statement"  # after `;` or a closed block there is nothing to add on this line
    INSIDE_STRING = "inside-string"
    INSIDE_COMMENT = "inside-comment"
    JUST_ACCEPTED = "just-accepted"
    # The engine.
    ENGINE_LOADING = "engine-loading"
    ENGINE_UNAVAILABLE = "engine-unavailable"
    ENGINE_REFUSED = "engine-refused"
    PROMPT_TOO_LONG = "prompt-too-long"
    DISPLACED = "displaced"  # a newer request of the same document took its turn
    CANCELLED = "cancelled"
    # Decided on what the model wrote; complete/filters.py names the rule in the detail.
    EMPTY = "empty"
    ONLY_WHITE_SPACE = "only-white-space"
    REPEATS_SUFFIX = "repeats-suffix"
    REPEATS_PREFIX = "repeats-prefix"
    REPEATS_ITSELF = "repeats-itself"
    JUNK = "junk"  # licence headers, path comments, chat prose, fences
    LEAKED_CONTROL_TEXT = "leaked-control-text"
    WRONG_INDENTATION = "wrong-indentation"
    SYNTAX_ERROR = "syntax-error"
    LOW_CONFIDENCE = "low-confidence"


@dataclass(frozen=True, slots=True)
class CursorContext:
    """What stands around the cursor.

    `tail` is the rest of the cursor's line without its terminator; `closing_tail` is true where that rest is nothing
    but closing punctuation, which a suggestion replaces. `scope` is the innermost function, class or block that
    encloses the cursor (the whole text where there is none or the language is unknown), `scope_indent` the blanks its
    header line begins with.
    """

    document: Document
    offset: int
    line: int  # 0-based
    line_start: int
    line_prefix: str
    tail: str
    closing_tail: bool
    indent: str  # the blanks the suggestion's first line is expected to begin with
    scope: Span
    scope_indent: str
    shape: Shape
    reason: Reason | None = None  # why the shape is NOTHING
    in_string: bool = False
    in_comment: bool = False

    @property
    def blank_prefix(self) -> bool:
        """True where only white space stands before the cursor on its line."""
        return not self.line_prefix.strip()


@dataclass(frozen=True, slots=True)
class Snippet:
    """A piece of another file (or of elsewhere in this one) that may help."""

    path: str  # relative to the workspace, `/` between parts
    text: str
    score: float
    source: str  # the name of the retrieval source, for `fimserver context`


@dataclass(frozen=True, slots=True)
class Anchor:
    """A split point that is held while the user types on, so that nothing before the middle token changes.

    `prefix` is the windowed text that ends at `split` (a line's start), `suffix` the windowed text after the cursor's
    line as it was when the anchor was taken. What stands between `split` and the cursor is typed text.
    """

    uri: str
    split: int
    window_start: int
    prefix: str
    suffix: str
    suffix_length: int  # of the whole text after the cursor then, in code points: any other length is an edit there
    snippets: tuple[Snippet, ...] = ()  # of other files; they stand before everything, so they are held as well


@dataclass(frozen=True, slots=True, kw_only=True)
class Timings:
    """What one suggestion cost. Milliseconds count from the request's arrival."""

    prompt_tokens: int = 0
    reused_tokens: int = 0  # of prompt_tokens, already in the KV cache
    evaluated_tokens: int = 0  # of prompt_tokens, computed for this request
    generated_tokens: int = 0
    shown_tokens: int = 0  # of generated_tokens, in what was shown
    first_token_ms: float | None = None
    total_ms: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """Text to show, and the span of the document it replaces: always on one line, up to or over the cursor."""

    text: str
    replaces: Span
    shape: Shape
    source: str  # "model", "cache", "joined", "ahead", "copied"
    mean_logprob: float | None = None
    first_logprob: float | None = None
    complete: bool = True  # false where the deadline cut it at a line's end
    timings: Timings = Timings()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """Nothing to show, and why. `detail` is one sentence for `fimserver why`."""

    reason: Reason
    detail: str = ""
    timings: Timings = Timings()


Outcome = Completion | Rejection
